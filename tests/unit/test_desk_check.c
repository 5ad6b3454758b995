/* SPDX-License-Identifier: MIT */
/* wrap: chroot arena_alloc arena_copy arena_string */
/* --check where the system gives it less than it wants; what it finds is in tests/desk. */
#include "../../src/desk/check.h"

#include "erlinit/arena.h"
#include "erlinit/desk.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NOBODY 65534

static bool chroot_fails;
static bool as_nobody;
static unsigned int fail_at; /* 0: never */
static unsigned int allocations;

int __real_chroot(const char *path);
int __wrap_chroot(const char *path);
void *__real_arena_alloc(size_t size);
void *__wrap_arena_alloc(size_t size);
char *__real_arena_copy(const char *bytes, size_t length);
char *__wrap_arena_copy(const char *bytes, size_t length);
char *__real_arena_string(const char *string);
char *__wrap_arena_string(const char *string);

int __wrap_chroot(const char *path)
{
    errno = EPERM;
    return chroot_fails ? -1 : __real_chroot(path);
}

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__wrap_arena_alloc(size_t size)
{
    return fails() ? NULL : __real_arena_alloc(size);
}

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return fails() ? NULL : __real_arena_copy(bytes, length);
}

char *__wrap_arena_string(const char *string)
{
    return fails() ? NULL : __real_arena_string(string);
}

static const char config[] = "--bood x\n"
                             "-m /dev/a:/b:ext4:ro,rw:\n"
                             "-e A=1;B=2\n"
                             "-e A=$HOME\n"
                             "--pre-run-exec \"/missing now\"\n"
                             "--uid nobody -n x_%s --boot a\n";

static int make_files(void **state)
{
    chroot_fails = false;
    as_nobody = false;
    fail_at = 0;
    if (scratch_make(state) != 0)
        return -1;
    scratch_file("/config", config);
    scratch_directory("/root/etc");
    return chdir(scratch_root);
}

/* The exit status; what is written goes to the files out and err. */
static int run(const char *const arguments[])
{
    char *argv[10] = {NULL};
    int argc = 0;
    for (; arguments[argc] != NULL; argc++)
        argv[argc] = (char *)arguments[argc];
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("out", "w", stdout) == NULL || freopen("err", "w", stderr) == NULL)
            _exit(100);
        if (as_nobody && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(101);
        allocations = 0;
        int status = desk_check(argc, argv);
        (void)fflush(NULL);
        /* whether the allocation that had to fail was reached at all */
        _exit(status == DESK_FINDINGS && allocations < fail_at ? 50 : status);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool file_has(const char *path, const char *part)
{
    static char content[16384];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return strstr(content, part) != NULL;
}

static void test_root_that_can_not_be_entered(void **state)
{
    (void)state;
    const char *const arguments[] = {"config", "--root", "root", NULL};
    assert_int_equal(run(arguments), DESK_FINDINGS);
    assert_true(file_has("out", "[user]"));
    chroot_fails = true;
    assert_int_equal(run(arguments), DESK_FINDINGS);
    assert_true(file_has("out", ": note: users, groups and the VM's wrapper are not checked, "));
    assert_true(file_has("out", "Operation not permitted [root-not-entered]\n"));
    assert_false(file_has("out", "[user]"));
    /* what needs no entering is looked at all the same */
    assert_true(file_has("out", "there is no program /missing [program-missing]"));
}

/* What a user may not see is not said to be missing. */
static void test_a_root_with_closed_doors(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    const char *const arguments[] = {"closed", "--root", "root", NULL};
    scratch_file("/closed", "--pre-run-exec /root/program\n--working-directory /root/data\n"
                            "--pre-run-exec /missing\n");
    scratch_directory("/root/root");
    assert_int_equal(chmod(scratch_root, 0755), 0);
    assert_int_equal(run(arguments), DESK_FINDINGS);
    assert_true(file_has("out", "/root/program [program-missing]"));
    assert_true(file_has("out", "/root/data [path-missing]"));
    assert_int_equal(chmod(scratch_path("/root/root"), 0700), 0);
    as_nobody = true;
    assert_int_equal(run(arguments), DESK_FINDINGS);
    assert_false(file_has("out", "/root/program"));
    assert_false(file_has("out", "/root/data"));
    assert_true(file_has("out", "/missing [program-missing]"));
}

/* Whatever can't be had is told, and never taken for "no findings". */
static void test_no_memory(void **state)
{
    (void)state;
    const char *const texts[] = {"config", "--cmdline", "A=1 x.y -- -e A=2",
                                 "--root", "root",      NULL};
    const char *const json[] = {"config", "--format", "json", NULL};
    const char *const *const uses[] = {texts, json};
    for (size_t i = 0; i < 2; i++) {
        int status = DESK_MISUSE;
        for (fail_at = 1; status != 50; fail_at++) {
            status = run(uses[i]);
            /* a cut text in a finding is the least of it */
            assert_true(status == DESK_MISUSE || status == DESK_FINDINGS || status == 50);
            if (status == DESK_MISUSE)
                assert_true(file_has("err", "erlinit"));
        }
        assert_in_range(fail_at, 50, 1000);
    }
}

static struct finding *log_one(struct findings *findings, enum log_severity severity,
                               const struct origin *origin)
{
    static const struct check_log_kind kinds[] = {{"known", {"known-thing", CHECK_NOTE}},
                                                  {NULL, {NULL, CHECK_ERROR}}};
    static const struct origin elsewhere = {"elsewhere", 7, 8};
    struct check check = {.findings = findings};
    check_take_log(&check, kinds, &elsewhere);
    if (origin != NULL)
        log_at(severity, origin, "a known problem");
    else
        log_line(severity, "a new problem: %s", "\x1b[2J");
    check_take_log(&check, NULL, NULL);
    log_warning("nobody's problem");
    return findings->count > 0 ? &findings->item[findings->count - 1] : NULL;
}

/* What PID 1 may say one day is not lost because --check doesn't know it. */
static void test_log_lines(void **state)
{
    (void)state;
    fail_at = 0;
    struct findings findings = {0};
    const struct origin origin = {"file", 3, 4};
    const struct finding *finding = log_one(&findings, LOG_WARNING, NULL);
    assert_non_null(finding);
    assert_string_equal(finding->kind->id, "other");
    assert_int_equal(finding->kind->severity, CHECK_WARNING);
    assert_string_equal(finding->text, "a new problem: \\x1b[2J");
    assert_string_equal(finding->origin.file, "elsewhere");
    assert_int_equal(log_one(&findings, LOG_ERROR, NULL)->kind->severity, CHECK_ERROR);
    finding = log_one(&findings, LOG_WARNING, &origin);
    assert_string_equal(finding->kind->id, "known-thing");
    assert_int_equal(finding->origin.line, 3);
    assert_int_equal(findings.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_root_that_can_not_be_entered, make_files,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_root_with_closed_doors, make_files, scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_memory, make_files, scratch_remove),
        cmocka_unit_test(test_log_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
