/* SPDX-License-Identifier: MIT */
/* The ladder at the very end: what is tried, in which order, when nothing of it works. */
/* wrap: syscall _exit file_set */
/* wrap: child_start child_wait child_wait_event child_reap child_set_hooks */
#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
__attribute__((noreturn)) void __wrap__exit(int status);
int __real_file_set(const char *path, const char *text);
int __wrap_file_set(const char *path, const char *text);
pid_t __wrap_child_start(int (*function)(void *argument), void *argument);
int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status);
bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms);
bool __wrap_child_reap(const struct child_hooks *hooks);
void __wrap_child_set_hooks(const struct child_hooks *hooks);

static jmp_buf end;
static char calls[512];
static bool can_fork, in_child;
static int stood;

static void note(const char *what)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s%s;", what, in_child ? "'" : "");
}

static const char *name_of(unsigned int command)
{
    switch (command) {
    case LINUX_REBOOT_CMD_HALT:
        return "halt";
    case LINUX_REBOOT_CMD_POWER_OFF:
        return "poweroff";
    case LINUX_REBOOT_CMD_RESTART:
        return "restart";
    case LINUX_REBOOT_CMD_RESTART2:
        return "restart2 ";
    default:
        return "?";
    }
}

long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    assert_int_equal(number, SYS_reboot);
    assert_int_equal(va_arg(arguments, unsigned int), LINUX_REBOOT_MAGIC1);
    assert_int_equal(va_arg(arguments, unsigned int), LINUX_REBOOT_MAGIC2);
    unsigned int command = va_arg(arguments, unsigned int);
    const char *argument = va_arg(arguments, const char *);
    va_end(arguments);
    char text[300];
    (void)snprintf(text, sizeof text, "%s%s", name_of(command), argument != NULL ? argument : "");
    note(text);
    errno = EPERM;
    return -1;
}

void __wrap__exit(int status)
{
    assert_int_equal(status, 1);
    note("exit");
    longjmp(end, 1);
}

int __wrap_file_set(const char *path, const char *text)
{
    assert_string_equal(path, "/proc/sysrq-trigger");
    note(text);
    return -EACCES;
}

pid_t __wrap_child_start(int (*function)(void *argument), void *argument)
{
    if (!can_fork)
        return -EAGAIN;
    in_child = true;
    (void)function(argument);
    in_child = false;
    return 5;
}

int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status)
{
    (void)status;
    assert_int_equal(pid, 5);
    assert_true(deadline_ms != CHILD_NO_DEADLINE);
    return -ETIMEDOUT;
}

void __wrap_child_set_hooks(const struct child_hooks *hooks)
{
    assert_null(hooks);
    note("deaf");
}

/* The machine that halts waits and reaps for ever; here it does so three times. */
bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms)
{
    assert_null(hooks);
    assert_true(deadline_ms == CHILD_NO_DEADLINE);
    if (stood++ < 3)
        return true;
    longjmp(end, 1);
}

bool __wrap_child_reap(const struct child_hooks *hooks)
{
    assert_null(hooks);
    note("reap");
    return false;
}

static const char *ladder(enum action action, const char *argument)
{
    /* without wrapping this doesn't link: a test must not end the machine it runs on */
    assert_ptr_not_equal(__real_syscall, __wrap_syscall);
    assert_ptr_not_equal(__real_file_set, __wrap_file_set);
    calls[0] = '\0';
    stood = 0;
    in_child = false;
    log_spy_reset();
    if (setjmp(end) == 0)
        shutdown_reboot(action, argument, 3000);
    return calls;
}

static void halts(void **state)
{
    (void)state;
    can_fork = true;
    assert_string_equal(ladder(ACTION_HALT, "ignored"), "halt';deaf;reap;reap;reap;");
    assert_true(log_spy_contains(
        "reboot(2), command 0xcdef0123: Operation not permitted. Trying another way"));
}

static void powers_off_or_halts(void **state)
{
    (void)state;
    can_fork = true;
    assert_string_equal(ladder(ACTION_POWEROFF, "ignored"),
                        "poweroff';o;halt';deaf;reap;reap;reap;");
    assert_true(log_spy_contains("Power off has not worked: halting"));
}

static void restarts_or_panics(void **state)
{
    (void)state;
    can_fork = true;
    assert_string_equal(ladder(ACTION_REBOOT, ""), "restart';b;exit;");
}

static void restarts_with_argument(void **state)
{
    (void)state;
    can_fork = true;
    assert_string_equal(ladder(ACTION_REBOOT, "0 tryboot"), "restart2 0 tryboot';restart';b;exit;");
}

static void does_it_itself_without_processes(void **state)
{
    (void)state;
    can_fork = false;
    assert_string_equal(ladder(ACTION_HALT, ""), "halt;deaf;reap;reap;reap;");
    assert_string_equal(ladder(ACTION_POWEROFF, ""), "poweroff;o;halt;deaf;reap;reap;reap;");
    assert_string_equal(ladder(ACTION_REBOOT, "x"), "restart2 x;restart;b;exit;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halts),
        cmocka_unit_test(powers_off_or_halts),
        cmocka_unit_test(restarts_or_panics),
        cmocka_unit_test(restarts_with_argument),
        cmocka_unit_test(does_it_itself_without_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
