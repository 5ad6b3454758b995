/* SPDX-License-Identifier: MIT */
/* wrap: identity_resolve release_find erts_find environment_build arguments_build chdir syscall */
#include "erlinit/boot.h"
#include "log_spy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What the parts answer, and the order in which they were asked. */
static struct {
    char order[256];
    int identity, release, erts, environment, arguments;
    bool change, no_version;
    const char *no_chdir; /* directories that can't be changed to */
} parts;

int __wrap_identity_resolve(const char *root, const struct word *uid, const struct word *gid,
                            struct identity *identity);
int __wrap_release_find(const char *root, const char *search_path, const char *boot_option,
                        struct release *release);
int __wrap_erts_find(const char *root, const struct release *release, bool include_erts,
                     const char **erts);
int __wrap_environment_build(char *const inherited[], const struct vm *vm,
                             const struct options *options, struct strings *environment);
int __wrap_arguments_build(const char *root, const struct options *options, struct vm *vm);
int __wrap_chdir(const char *path);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* An old kernel or a failing call: this one. */
static long no_call;

long __wrap_syscall(long number, ...)
{
    va_list arguments;
    long argument[5];
    va_start(arguments, number);
    for (size_t i = 0; i < 5; i++)
        argument[i] = va_arg(arguments, long);
    va_end(arguments);
    errno = ENOSYS;
    return no_call == number ? -1
                             : __real_syscall(number, argument[0], argument[1], argument[2],
                                              argument[3], argument[4]);
}

static void note(const char *name)
{
    strcat(parts.order, name);
    strcat(parts.order, " ");
}

int __wrap_identity_resolve(const char *root, const struct word *uid, const struct word *gid,
                            struct identity *identity)
{
    assert_string_equal(root, "");
    assert_string_equal(uid->text, "u");
    assert_string_equal(gid->text, "g");
    identity->home = "/home";
    identity->change = parts.change;
    return parts.identity;
}

int __wrap_release_find(const char *root, const char *search_path, const char *boot_option,
                        struct release *release)
{
    assert_string_equal(root, "");
    assert_string_equal(search_path, "/srv/erlang");
    assert_string_equal(boot_option, "b");
    *release = (struct release){.base = "/base", .version_dir = parts.no_version ? NULL : "/v"};
    note("release");
    return parts.release;
}

int __wrap_erts_find(const char *root, const struct release *release, bool include_erts,
                     const char **erts)
{
    assert_string_equal(root, "");
    assert_string_equal(release->base, "/base");
    assert_true(include_erts);
    *erts = "/erts";
    note("erts");
    return parts.erts;
}

int __wrap_environment_build(char *const inherited[], const struct vm *vm,
                             const struct options *options, struct strings *environment)
{
    (void)options;
    assert_ptr_equal(inherited, environ);
    assert_string_equal(vm->erts, "/erts");
    assert_string_equal(vm->identity.home, "/home");
    (void)strings_add(environment, "RELEASE_COOKIE=secret");
    note("environment");
    return parts.environment;
}

int __wrap_arguments_build(const char *root, const struct options *options, struct vm *vm)
{
    (void)options;
    assert_string_equal(root, "");
    vm->program = "/program";
    (void)strings_add(&vm->arguments, "erlexec");
    note("arguments");
    return parts.arguments;
}

int __wrap_chdir(const char *path)
{
    note(path);
    if (parts.no_chdir == NULL || strstr(parts.no_chdir, path) == NULL)
        return 0;
    errno = ENOENT;
    return -1;
}

static struct options options;
static struct boot boot;

static int setup(void **state)
{
    (void)state;
    memset(&parts, 0, sizeof parts);
    options_defaults(&options);
    options.uid.text = "u";
    options.gid.text = "g";
    options.boot.text = "b";
    options.release_include_erts = true;
    no_call = 0;
    boot = (struct boot){.options = &options, .vm = {.release = {.base = "/base"}}};
    log_spy_reset();
    return 0;
}

static void test_identity(void **state)
{
    (void)state;
    assert_int_equal(boot_identity(&boot), STEP_SKIPPED);
    parts.change = true;
    assert_int_equal(boot_identity(&boot), STEP_DONE);
    parts.identity = -EINVAL;
    assert_int_equal(boot_identity(&boot), STEP_FATAL);
    assert_int_equal(log_spy_count(LOG_ERROR), 0); /* that was the other one's to say */
    parts.identity = -ENOMEM;
    assert_int_equal(boot_identity(&boot), STEP_FATAL);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
}

static void test_restrictions(void **state)
{
    (void)state;
    options.no_new_privs = true;
    assert_int_equal(boot_identity(&boot), STEP_DONE);
    assert_true(boot.vm.identity.no_new_privs);
    assert_false(boot.vm.identity.limited);
    options.capabilities.text = "cap_chown,2";
    assert_int_equal(boot_identity(&boot), STEP_DONE);
    assert_true(boot.vm.identity.limited);
    assert_int_equal(boot.vm.identity.capabilities, 5);
    options.capabilities.text = "all";
    assert_int_equal(boot_identity(&boot), STEP_FATAL);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
}

static void test_release(void **state)
{
    (void)state;
    boot.vm.identity.home = "/home";
    assert_int_equal(boot_release(&boot), STEP_DONE);
    assert_string_equal(parts.order, "release erts environment arguments ");
    assert_true(log_spy_contains("release /v in /base"));
    assert_true(log_spy_contains("run-time system /erts"));
    assert_true(log_spy_contains("program /program"));
    assert_true(log_spy_contains("argument 0: erlexec"));
    assert_true(log_spy_contains("environment: RELEASE_COOKIE"));
    assert_false(log_spy_contains("secret"));
    assert_int_equal(log_spy_count(LOG_INFO), 0);
}

static void test_no_release(void **state)
{
    (void)state;
    boot.vm.identity.home = "/home";
    parts.no_version = true;
    assert_int_equal(boot_release(&boot), STEP_WARNED);
    assert_true(log_spy_contains("release none in /base"));
    assert_string_equal(parts.order, "release erts environment arguments ");
}

static void test_release_fails(void **state)
{
    (void)state;
    int *const results[] = {&parts.release, &parts.erts, &parts.environment, &parts.arguments};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        setup(NULL);
        boot.vm.identity.home = "/home";
        *results[i] = -ENOENT;
        assert_int_equal(boot_release(&boot), STEP_FATAL);
        assert_int_equal(log_spy_count(LOG_DEBUG), 0);
        *results[i] = -ENOMEM;
        assert_int_equal(boot_release(&boot), STEP_FATAL);
        assert_int_equal(log_spy_count(LOG_ERROR), 1);
    }
}

static void test_workdir(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *no_chdir, *order, *warning;
        enum step_result result;
    } rows[] = {
        {NULL, NULL, "/base ", "", STEP_DONE},
        {"/want", NULL, "/want ", "", STEP_DONE},
        {"/want", "/want", "/want /base ",
         "f:1:2: --working-directory /want: No such file or directory; using /base", STEP_WARNED},
        {NULL, "/base", "/base / ", "can't change to /base: No such file or directory; using /",
         STEP_WARNED},
        {"/want", "/want /base", "/want /base / ",
         "can't change to /base: No such file or directory; using /", STEP_WARNED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setup(NULL);
        options.working_directory = (struct word){rows[i].wanted, {"f", 1, 2}};
        parts.no_chdir = rows[i].no_chdir;
        assert_int_equal(boot_workdir(&boot), rows[i].result);
        assert_string_equal(parts.order, rows[i].order);
        assert_string_equal(log_spy_last(), rows[i].warning);
    }
}

/* What a program sees of how it was started: `cat` shows its own status. */
static void launched_status(struct vm *vm, char *status, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        _exit(vm_launch(vm, 0027) < 0 ? 99 : 98);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], status + length, size - 1 - length)) > 0)
        length += (size_t)got;
    status[length] = '\0';
    close(ends[0]);
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(result, 0);
}

static void test_launch(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip();
    static gid_t groups[] = {20, 44};
    struct vm vm = {
        .program = "/bin/cat",
        .identity = {.uid = 1000, .gid = 1001, .groups = groups, .group_count = 2, .change = true},
    };
    strings_add(&vm.arguments, "cat");
    strings_add(&vm.arguments, "/proc/self/status");
    strings_add(&vm.environment, "A=1");
    char status[8192];
    launched_status(&vm, status, sizeof status);
    assert_non_null(strstr(status, "Umask:\t0027\n"));
    assert_non_null(strstr(status, "Uid:\t1000\t1000\t1000\t1000\n"));
    assert_non_null(strstr(status, "Gid:\t1001\t1001\t1001\t1001\n"));
    assert_non_null(strstr(status, "Groups:\t20 44 \n"));
    assert_non_null(strstr(status, "SigBlk:\t0000000000000000\n"));
    /* glibc keeps 32 and 33 for itself; who starts this test may have left them ignored */
    unsigned long long ignored = strtoull(strstr(status, "SigIgn:\t") + 8, NULL, 16);
    assert_int_equal(ignored & ~(3ULL << 31), 0);
    vm.arguments.item[1] = "/proc/self/environ";
    launched_status(&vm, status, sizeof status);
    assert_string_equal(status, "A=1");
}

/* However the kernel is told: nothing that was open in PID 1 is open in the VM. */
static void test_launch_closes(void **state)
{
    static const long missing[] = {0, SYS_close_range};
    struct vm vm = {.program = "/bin/ls"};
    strings_add(&vm.arguments, "ls");
    strings_add(&vm.arguments, "/proc/self/fd");
    strings_add(&vm.environment, "A=1");
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        char shown[256];
        setup(state);
        no_call = missing[i];
        assert_int_equal(dup2(STDIN_FILENO, 3), 3);
        assert_int_equal(dup2(STDIN_FILENO, 77), 77);
        launched_status(&vm, shown, sizeof shown);
        (void)close(3);
        (void)close(77);
        assert_string_equal(shown, "0\n1\n2\n3\n"); /* 3: what ls reads */
    }
}

/* Without root's rights being gone for certain there is no VM. */
static void test_launch_refuses(void **state)
{
    (void)state;
    struct vm vm = {.program = "/bin/true", .identity = {.change = true, .no_new_privs = true}};
    strings_add(&vm.arguments, "true");
    strings_add(&vm.environment, "A=1");
    pid_t pid = fork();
    if (pid == 0) {
        no_call = SYS_prctl;
        int result = vm_launch(&vm, 0022);
        bool said = strstr(log_spy_last(), "Can't give the VM its user, groups and capabilities: ");
        _exit(said ? -result : 0);
    }
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    /* not root: setgroups(2) is what fails */
    assert_int_equal(WEXITSTATUS(result), getuid() == 0 ? ENOSYS : EPERM);
}

static void test_launch_fails(void **state)
{
    (void)state;
    struct vm vm = {.program = "/nonexistent/program"};
    strings_add(&vm.arguments, "x");
    strings_add(&vm.environment, "A=1");
    pid_t pid = fork();
    if (pid == 0)
        _exit(-vm_launch(&vm, 0022));
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(WEXITSTATUS(result), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_identity, setup),
        cmocka_unit_test_setup(test_restrictions, setup),
        cmocka_unit_test_setup(test_release, setup),
        cmocka_unit_test_setup(test_no_release, setup),
        cmocka_unit_test_setup(test_release_fails, setup),
        cmocka_unit_test_setup(test_workdir, setup),
        cmocka_unit_test_setup(test_launch, setup),
        cmocka_unit_test_setup(test_launch_closes, setup),
        cmocka_unit_test_setup(test_launch_refuses, setup),
        cmocka_unit_test_setup(test_launch_fails, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
