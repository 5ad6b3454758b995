/* SPDX-License-Identifier: MIT */
/* A crash of PID 1, and the program that goes on after it: here the same one, started again. */
/* wrap: sigaction sigaltstack sigprocmask syscall execve reboot _exit */
/* wrap: memfd_create write time_ms */
#include "erlinit/survive.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaltstack(const stack_t *stack, stack_t *old);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_execve(const char *path, char *const argv[], char *const envp[]);
int __real_reboot(int command);
int __wrap_reboot(int command);
__attribute__((noreturn)) void __wrap__exit(int status);
int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int64_t __wrap_time_ms(void);

static jmp_buf over;
static void (*handler)(int number, siginfo_t *info, void *context);
static int handlers, made;
static int64_t now_ms;
static unsigned int flags_refused; /* of memfd_create() */
static bool program_found;
static bool no_stack, no_room;
static enum { EXECVEAT, PROC_SELF_EXE, ARGV0, NOTHING } works; /* of the ways to start again */
static char calls[256];
static char *const *environment; /* that the new program gets */
static int fd_flags;             /* of the state's descriptor when it starts */
static char *arguments[] = {(char[]){"/bin/true"}, (char[]){"console=ttyS0"}, NULL};

static void note(const char *what)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s;", what);
}

int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    (void)number;
    assert_null(old);
    assert_int_equal(action->sa_flags, SA_SIGINFO | SA_ONSTACK);
    handler = action->sa_sigaction;
    handlers++;
    return 0;
}

int __wrap_sigaltstack(const stack_t *stack, stack_t *old)
{
    assert_null(old);
    assert_true(stack->ss_size >= 16384);
    errno = ENOMEM;
    return no_stack ? -1 : 0;
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    assert_null(old);
    assert_int_equal(how, SIG_UNBLOCK);
    assert_int_equal(sigismember(set, SIGSEGV), 1);
    assert_int_equal(sigismember(set, SIGTERM), 0);
    return 0;
}

static int number_in(char *const *list, int *count)
{
    int fd = -1;
    for (*count = 0; *list != NULL; list++)
        if (strncmp(*list, "ERLINIT_RESUME=", 15) == 0) {
            fd = atoi(*list + 15);
            ++*count;
        }
    return fd;
}

static void start_again(const char *way, char *const argv[], char *const envp[], bool success)
{
    int count;
    note(way);
    assert_ptr_equal(argv, arguments);
    environment = envp;
    fd_flags = fcntl(number_in(envp, &count), F_GETFD);
    assert_int_equal(count, 1);
    errno = ENOEXEC;
    if (success)
        longjmp(over, 1);
}

long __wrap_syscall(long number, ...)
{
    va_list list;
    va_start(list, number);
    assert_ptr_not_equal(__real_syscall, __wrap_syscall);
    assert_int_equal(number, SYS_execveat);
    int fd = va_arg(list, int);
    assert_string_equal(va_arg(list, const char *), "");
    char *const *argv = va_arg(list, char *const *);
    char *const *envp = va_arg(list, char *const *);
    assert_int_equal(va_arg(list, int), AT_EMPTY_PATH);
    va_end(list);
    /* its own, if it has been found already */
    assert_int_equal(fcntl(fd, F_GETFD) >= 0, program_found);
    start_again("execveat", argv, envp, works == EXECVEAT);
    return -1;
}

int __wrap_execve(const char *path, char *const argv[], char *const envp[])
{
    bool self = strcmp(path, "/proc/self/exe") == 0;
    start_again(path, argv, envp, works == (self ? PROC_SELF_EXE : ARGV0));
    return -1;
}

int __wrap_reboot(int command)
{
    /* without wrapping this doesn't link: this machine must not end with the test */
    assert_ptr_not_equal(__real_reboot, __wrap_reboot);
    assert_int_equal(command, RB_AUTOBOOT);
    note("reboot");
    return -1;
}

void __wrap__exit(int status)
{
    assert_int_equal(status, 1);
    note("exit");
    longjmp(over, 1);
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
    assert_int_equal(flags & (MFD_CLOEXEC | MFD_ALLOW_SEALING), MFD_ALLOW_SEALING);
    made++;
    errno = EINVAL;
    return (flags & flags_refused) != 0 ? -1 : __real_memfd_create(name, flags);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    errno = ENOSPC;
    return no_room && length == sizeof(struct machine) ? -1 : __real_write(fd, bytes, length);
}

int64_t __wrap_time_ms(void)
{
    return now_ms;
}

/* Starts with this word in the environment, among others. */
static struct machine *start_with(const char *word)
{
    static char first[] = "A=b";
    static char last[] = "HOME=/";
    static char copy[64];
    static char *words[4];
    (void)snprintf(copy, sizeof copy, "%s", word != NULL ? word : "C=d");
    words[0] = first;
    words[1] = copy;
    words[2] = last;
    words[3] = NULL;
    environ = words;
    log_spy_reset();
    handlers = 0;
    struct machine *machine = survive_start(arguments);
    assert_int_equal(handlers, 5);
    assert_non_null(machine);
    return machine;
}

static struct machine *start_with_fd(int fd)
{
    char word[64];
    (void)snprintf(word, sizeof word, "ERLINIT_RESUME=%d", fd);
    return start_with(word);
}

/* What the handler does with a signal that the kernel sent. The state's descriptor, or -1. */
static int crash(void)
{
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR, .si_addr = (void *)0x1234};
    int count;
    calls[0] = '\0';
    environment = NULL;
    if (setjmp(over) == 0)
        handler(SIGSEGV, &info, NULL);
    return environment == NULL ? -1 : number_in(environment, &count);
}

static int setup(void **state)
{
    (void)state;
    flags_refused = 0;
    no_stack = no_room = false;
    works = EXECVEAT;
    now_ms = 100000;
    made = 0;
    return 0;
}

static void assert_fresh(const struct machine *machine)
{
    assert_int_equal(machine->vm_pid, 0);
    assert_int_equal(machine->crashes, 0);
    assert_int_equal(machine->life.phase, PHASE_BOOTING);
    assert_int_equal(machine->boot_events_fd, -1);
    assert_true(survive_is_plausible(machine));
    assert_int_equal(number_in(environ, &(int){0}), -1);
    assert_string_equal(environ[0], "A=b");
}

static void goes_on_where_it_stood(void **state)
{
    (void)state;
    int events[2];
    assert_int_equal(pipe(events), 0);
    struct machine *machine = start_with(NULL);
    assert_fresh(machine);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    machine->vm_pid = 4711;
    machine->life.phase = PHASE_RUNNING;
    machine->shutdown_begun = 3;
    machine->boot_events_fd = events[0];
    assert_int_equal(fcntl(events[0], F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(made, 0); /* in the usual case there is no need for one */

    int fd = crash();
    assert_string_equal(calls, "execveat;");
    assert_true(
        log_spy_contains("PID 1 has crashed: signal 11, address 0x1234. Starting again (1"));
    /* both get through the exec */
    assert_int_equal(fd_flags, 0);
    assert_int_equal(fcntl(events[0], F_GETFD), 0);
    assert_string_equal(environment[1], "A=b");
    assert_string_equal(environment[2], "C=d");
    assert_string_equal(environment[3], "HOME=/");
    assert_null(environment[4]);

    const struct machine before = *machine;
    memset(machine, 0, sizeof *machine); /* as the memory of a new program is */
    struct machine *found = start_with_fd(fd);
    assert_memory_equal(found, &before, sizeof before);
    assert_int_equal(found->vm_pid, 4711);
    assert_int_equal(found->crashes, 1);
    assert_true(log_spy_contains("PID 1 goes on after crash 1. The VM is process 4711"));
    /* and the VM's children don't get them, nor the word */
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(fcntl(events[0], F_GETFD), FD_CLOEXEC);
    assert_string_equal(environ[0], "A=b");
    assert_string_equal(environ[1], "HOME=/");
    assert_null(environ[2]);
    found->boot_events_fd = -1;
    assert_int_equal(start_with_fd(crash())->crashes, 2);
    (void)close(events[0]);
    (void)close(events[1]);
}

static void believes_no_other_word(void **state)
{
    (void)state;
    static const char *const words[] = {"ERLINIT_RESUME=",    "ERLINIT_RESUME=x",
                                        "ERLINIT_RESUME=-1",  "ERLINIT_RESUME=0",
                                        "ERLINIT_RESUME=999", "ERLINIT_RESUME=99999999999",
                                        "ERLINIT_RESUME=2",   "ERLINIT_RESUME=3x"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_fresh(start_with(words[i]));
        assert_string_equal(environ[1], "HOME=/");
        assert_null(environ[2]);
    }
}

/* It can't be the first start: there would be two VMs. */
static void boots_no_second_time(void **state)
{
    (void)state;
    pid_t vm = fork();
    assert_true(vm >= 0);
    if (vm == 0) {
        (void)pause();
        _exit(0);
    }
    const struct machine *machine = start_with("ERLINIT_RESUME=999");
    assert_true(survive_is_broken(machine));
    assert_int_equal(machine->early_begun, MACHINE_MAX_STEPS);
    assert_int_equal(machine->crashes, 1);
    assert_true(log_spy_contains("damaged"));
    /* without the word it is somebody else's child: an initramfs may have left some */
    assert_fresh(start_with(NULL));
    assert_int_equal(kill(vm, SIGKILL), 0);
    assert_int_equal(waitpid(vm, NULL, 0), vm);
}

static int made_up_state(int seals, const void *content, size_t length)
{
    int fd = __real_memfd_create("x", MFD_ALLOW_SEALING);
    assert_int_equal(write(fd, content, length), length);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static void believes_no_other_descriptor(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_fresh(start_with_fd(ends[0]));
    struct machine real = *start_with(NULL);
    real.vm_pid = 4711;
    const int seals[] = {0, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, F_SEAL_SEAL,
                         F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL};
    for (size_t i = 0; i < sizeof seals / sizeof seals[0]; i++) {
        int fd = made_up_state(seals[i], &real, sizeof real);
        assert_fresh(start_with_fd(fd));
        (void)close(fd);
    }
    assert_int_equal(start_with_fd(made_up_state(ALL_SEALS, &real, sizeof real))->vm_pid, 4711);
    assert_fresh(start_with_fd(made_up_state(ALL_SEALS, &real, sizeof real - 1)));
    real.magic++;
    assert_fresh(start_with_fd(made_up_state(ALL_SEALS, &real, sizeof real)));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void shuts_down_with_a_damaged_state(void **state)
{
    (void)state;
    struct machine real = *start_with(NULL);
    real.crashes = 7;
    real.vm_pid = 4711;
    real.life.phase = 1000;
    real.shutdown_begun = 5;
    struct machine *found = start_with_fd(made_up_state(ALL_SEALS, &real, sizeof real));
    assert_int_equal(found->crashes, 7);
    assert_int_equal(found->vm_pid, 4711);
    assert_int_equal(found->life.phase, PHASE_BOOTING);
    assert_int_equal(found->shutdown_begun, 0);
    assert_true(survive_is_broken(found));
    assert_true(survive_is_plausible(found));
    assert_true(log_spy_contains("The state of PID 1 was damaged in the crash. Shutting down"));
    real.vm_pid = -5;
    found = start_with_fd(made_up_state(ALL_SEALS, &real, sizeof real));
    assert_int_equal(found->vm_pid, 0);
    assert_true(survive_is_broken(found));
}

static void knows_what_cannot_be(void **state)
{
    (void)state;
    const struct machine real = *start_with(NULL);
    struct machine machine = real;
    machine.vm_pid = 32000;
    machine.life.phase = PHASE_ENDING;
    machine.life.action = ACTION_POWEROFF;
    assert_true(survive_is_plausible(&machine));
    machine.magic ^= 1;
    assert_false(survive_is_plausible(&machine));
    machine = real;
    machine.vm_pid = -1;
    assert_false(survive_is_plausible(&machine));
    machine = real;
    machine.life.phase = PHASE_ENDING + 1;
    assert_false(survive_is_plausible(&machine));
    machine = real;
    machine.life.action = ACTION_POWEROFF + 1;
    assert_false(survive_is_plausible(&machine));
    machine = (struct machine){0};
    assert_false(survive_is_plausible(&machine));
}

static void counts_crashes(void **state)
{
    (void)state;
    struct machine machine = {0};
    assert_false(survive_is_broken(&machine));
    survive_count_crash(&machine, 1000);
    survive_count_crash(&machine, 2000);
    assert_false(survive_is_broken(&machine));
    survive_count_crash(&machine, 1000 + SURVIVE_WINDOW_MS);
    assert_true(survive_is_broken(&machine));
    assert_int_equal(machine.crashes, 3);

    machine = (struct machine){0};
    survive_count_crash(&machine, 0);
    survive_count_crash(&machine, 2000);
    survive_count_crash(&machine, SURVIVE_WINDOW_MS + 1);
    assert_false(survive_is_broken(&machine));
    assert_int_equal(machine.recent_crashes, 1);
    assert_int_equal(machine.crashes, 3);
    survive_count_crash(&machine, SURVIVE_WINDOW_MS + 2);
    survive_count_crash(&machine, SURVIVE_WINDOW_MS + 3);
    assert_true(survive_is_broken(&machine));
}

static void tries_every_way_to_start_again(void **state)
{
    (void)state;
    (void)start_with(NULL);
    works = PROC_SELF_EXE;
    (void)crash();
    assert_string_equal(calls, "execveat;/proc/self/exe;");
    works = ARGV0;
    (void)crash();
    assert_string_equal(calls, "execveat;/proc/self/exe;/bin/true;");
    works = NOTHING;
    (void)crash();
    assert_string_equal(calls, "execveat;/proc/self/exe;/bin/true;reboot;exit;");
    assert_true(log_spy_contains("PID 1 can't start again: Exec format error. Rebooting at once"));
}

static void says_who_sent_the_signal(void **state)
{
    (void)state;
    (void)start_with(NULL);
    siginfo_t info = {.si_signo = SIGABRT, .si_code = SI_USER};
    info.si_pid = 99;
    if (setjmp(over) == 0)
        handler(SIGABRT, &info, NULL);
    assert_true(log_spy_contains("PID 1 has crashed: signal 6, sent by process 99."));
}

static void reboots_without_memory(void **state)
{
    (void)state;
    (void)start_with(NULL);
    flags_refused = MFD_ALLOW_SEALING;
    assert_int_equal(crash(), -1);
    assert_int_equal(made, 2);
    assert_string_equal(calls, "reboot;exit;");
    assert_true(log_spy_contains("PID 1 can't start again: Invalid argument. Rebooting at once"));
    flags_refused = 0;
    no_room = true;
    assert_int_equal(crash(), -1);
    assert_string_equal(calls, "reboot;exit;");
    assert_true(log_spy_contains("PID 1 can't start again: No space left on device"));
}

static void old_kernels_know_less_flags(void **state)
{
    (void)state;
    flags_refused = 8; /* MFD_NOEXEC_SEAL */
    struct machine *machine = start_with(NULL);
    machine->vm_pid = 3;
    int fd = crash();
    assert_int_equal(made, 2);
    assert_int_equal(start_with_fd(fd)->vm_pid, 3);
}

static void says_when_there_is_no_stack(void **state)
{
    (void)state;
    no_stack = true;
    (void)start_with(NULL);
    assert_true(log_spy_contains("No stack for a crash: Cannot allocate memory"));
}

static void finds_its_program(void **state)
{
    (void)state;
    int lowest = dup(0);
    (void)close(lowest);
    (void)start_with(NULL);
    assert_int_equal(fcntl(lowest, F_GETFD), -1); /* it needs none until it knows its program */
    program_found = true;
    survive_find_program();
    assert_int_equal(fcntl(lowest, F_GETFD), FD_CLOEXEC);
    (void)crash();
    assert_string_equal(calls, "execveat;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reboots_without_memory, setup),
        cmocka_unit_test_setup(goes_on_where_it_stood, setup),
        cmocka_unit_test_setup(believes_no_other_word, setup),
        cmocka_unit_test_setup(boots_no_second_time, setup),
        cmocka_unit_test_setup(believes_no_other_descriptor, setup),
        cmocka_unit_test_setup(shuts_down_with_a_damaged_state, setup),
        cmocka_unit_test_setup(knows_what_cannot_be, setup),
        cmocka_unit_test_setup(counts_crashes, setup),
        cmocka_unit_test_setup(tries_every_way_to_start_again, setup),
        cmocka_unit_test_setup(says_who_sent_the_signal, setup),
        cmocka_unit_test_setup(old_kernels_know_less_flags, setup),
        cmocka_unit_test_setup(says_when_there_is_no_stack, setup),
        cmocka_unit_test_setup(finds_its_program, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
