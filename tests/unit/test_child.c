/* SPDX-License-Identifier: MIT */
/* Children and waiting for them. Nothing sleeps: who must still run waits for a pipe to close. */
/* wrap: fork waitpid sigtimedwait kill clock_gettime */
#include "erlinit/child.h"
#include "erlinit/times.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __real_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static int fork_error, wait_error, wait_interruptions, signal_interruptions;
static int waits; /* for signals */
static bool deaf; /* kill(2) does nothing: a process that can't be killed */
static struct timespec longest;
static int64_t clock_offset_ms;

pid_t __wrap_fork(void)
{
    errno = fork_error;
    return fork_error ? -1 : __real_fork();
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    assert_int_equal(pid, -1);
    assert_int_equal(options, WNOHANG | __WALL);
    if (wait_interruptions > 0) {
        wait_interruptions--;
        errno = EINTR;
        return -1;
    }
    errno = wait_error;
    return wait_error ? -1 : __real_waitpid(pid, status, options);
}

/* A wait that nothing can end is not waited for: the clock goes on instead. */
int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    waits++;
    if (signal_interruptions > 0) {
        signal_interruptions--;
        errno = EINTR;
        return -1;
    }
    if (timeout != NULL && deaf) {
        clock_offset_ms += timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000;
        errno = EAGAIN;
        return -1;
    }
    if (timeout != NULL)
        longest = *timeout;
    return __real_sigtimedwait(set, info, timeout);
}

int __wrap_kill(pid_t pid, int signal)
{
    return deaf ? 0 : __real_kill(pid, signal);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);
    now->tv_sec += clock_offset_ms / 1000;
    now->tv_nsec += clock_offset_ms % 1000 * 1000000;
    if (now->tv_nsec >= 1000000000) {
        now->tv_sec++;
        now->tv_nsec -= 1000000000;
    }
    return result;
}

/* ---- functions for children ---- */

static int stay[2]; /* a child that reads it stays until the test closes the other end */

static int answer(void *argument)
{
    return *(int *)argument;
}

static int die(void *argument)
{
    (void)raise(*(int *)argument);
    return 99;
}

static int wait_for_the_end(void *argument)
{
    char byte;
    (void)argument;
    (void)close(stay[1]);
    (void)!read(stay[0], &byte, 1);
    return 7;
}

static int setup(void **state)
{
    sigset_t set;
    (void)state;
    fork_error = wait_error = wait_interruptions = signal_interruptions = waits = 0;
    deaf = false;
    clock_offset_ms = 0;
    child_set_hooks(NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return -1;
    /* what earlier tests have left pending */
    while (__real_sigtimedwait(&set, NULL, &(struct timespec){0}) > 0)
        continue;
    return pipe2(stay, O_CLOEXEC);
}

static int teardown(void **state)
{
    (void)state;
    (void)close(stay[0]);
    (void)close(stay[1]);
    wait_error = wait_interruptions = 0;
    /* the test has ended all its children */
    return !child_reap(NULL);
}

static void let_go(void)
{
    (void)close(stay[1]);
    stay[1] = -1;
}

/* ---- tests ---- */

static void gives_the_result(void **state)
{
    (void)state;
    static const int results[] = {0, 1, 2, 127, 255};
    size_t hand_overs = log_spy_hand_overs();
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        int result = results[i];
        int status = -1;
        pid_t pid = child_start(answer, &result);
        assert_true(pid > 0);
        assert_int_equal(log_spy_hand_overs(), ++hand_overs);
        assert_int_equal(child_wait(pid, CHILD_NO_DEADLINE, &status), 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), result);
    }
}

static bool is_default(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_DFL;
}

static int look_at_signals(void *argument)
{
    (void)argument;
    sigset_t blocked;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < _NSIG; number++)
        if (sigismember(&blocked, number) == (number == SIGCHLD ? 0 : 1))
            return number;
    for (size_t i = 0; i < CHILD_FAULT_SIGNALS; i++)
        if (!is_default(child_fault_signals[i]))
            return 100 + child_fault_signals[i];
    /* what another program expects */
    child_reset_signals();
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < _NSIG; number++)
        if (sigismember(&blocked, number) == 1 || !is_default(number))
            return number;
    return 0;
}

static void resets_signals(void **state)
{
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    const int numbers[] = {SIGPIPE, SIGRTMAX, SIGSEGV, SIGABRT};
    struct sigaction before[4];
    for (size_t i = 0; i < 4; i++)
        (void)sigaction(numbers[i], &ignore, &before[i]);
    assert_int_equal(child_call(look_at_signals, NULL, 60000), 0);
    for (size_t i = 0; i < 4; i++)
        (void)sigaction(numbers[i], &before[i], NULL);
}

static void says_why_there_is_no_child(void **state)
{
    (void)state;
    int zero = 0;
    fork_error = EAGAIN;
    size_t hand_overs = log_spy_hand_overs();
    assert_int_equal(child_start(answer, &zero), -EAGAIN);
    assert_int_equal(log_spy_hand_overs(), hand_overs);
    assert_int_equal(child_call(answer, &zero, 1000), -EAGAIN);
}

static void waits_for_the_wanted_one(void **state)
{
    (void)state;
    int result = 3;
    int status = -1;
    pid_t staying = child_start(wait_for_the_end, NULL);
    pid_t pid = child_start(answer, &result);
    assert_int_equal(child_wait(pid, CHILD_NO_DEADLINE, &status), 0);
    assert_int_equal(WEXITSTATUS(status), 3);
    let_go();
    assert_int_equal(child_wait(staying, CHILD_NO_DEADLINE, &status), 0);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void gives_up_at_the_deadline(void **state)
{
    (void)state;
    int status = 4711;
    pid_t pid = child_start(wait_for_the_end, NULL);
    assert_int_equal(child_wait(pid, time_ms(), &status), -ETIMEDOUT);
    assert_int_equal(child_wait(pid, 0, &status), -ETIMEDOUT);
    assert_int_equal(waits, 0);
    assert_int_equal(child_wait(pid, time_ms() + 20, &status), -ETIMEDOUT);
    assert_true(waits > 0);
    assert_in_range(longest.tv_nsec, 1, 20000000);
    assert_int_equal(longest.tv_sec, 0);
    assert_int_equal(status, 4711);
    let_go();
    assert_int_equal(child_wait(pid, CHILD_NO_DEADLINE, &status), 0);
}

/* Ended, and the deadline passed before anybody looked: in time. */
static void counts_what_ended_before_the_deadline(void **state)
{
    (void)state;
    int zero = 0;
    int status = -1;
    siginfo_t info;
    pid_t pid = child_start(answer, &zero);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(child_wait(pid, 0, &status), 0);
    assert_int_equal(status, 0);
}

static void knows_when_there_is_no_such_child(void **state)
{
    (void)state;
    int status = 4711;
    assert_int_equal(child_wait(getpid(), CHILD_NO_DEADLINE, &status), -ECHILD);
    assert_int_equal(status, 4711);
}

static void goes_on_after_interruptions(void **state)
{
    (void)state;
    int result = 5;
    int status = -1;
    wait_interruptions = 3;
    signal_interruptions = 3;
    pid_t pid = child_start(answer, &result);
    assert_int_equal(child_wait(pid, CHILD_NO_DEADLINE, &status), 0);
    assert_int_equal(WEXITSTATUS(status), 5);
    assert_int_equal(wait_interruptions, 0);
    signal_interruptions = 1;
    assert_true(child_wait_event(NULL, CHILD_NO_DEADLINE));
}

static void takes_no_other_error_for_the_last_child(void **state)
{
    (void)state;
    wait_error = EINVAL;
    assert_false(child_reap(NULL));
    wait_error = ECHILD;
    assert_true(child_reap(NULL));
}

/* ---- hooks ---- */

static struct {
    pid_t pid;
    int status, count, signal;
} seen;

static void on_reaped(void *context, pid_t pid, int status)
{
    assert_ptr_equal(context, &seen);
    seen.pid = pid;
    seen.status = status;
    seen.count++;
}

static void on_signalled(void *context, const siginfo_t *signal)
{
    assert_ptr_equal(context, &seen);
    assert_int_equal(signal->si_pid, getpid());
    seen.signal = signal->si_signo;
}

static struct child_hooks make_hooks(void)
{
    struct child_hooks hooks = {.reaped = on_reaped, .signalled = on_signalled, .context = &seen};
    sigemptyset(&hooks.signals);
    sigaddset(&hooks.signals, SIGUSR1);
    memset(&seen, 0, sizeof seen);
    return hooks;
}

static void tells_of_others_that_ended(void **state)
{
    (void)state;
    struct child_hooks hooks = make_hooks();
    siginfo_t info;
    int result = 9;
    int status = -1;
    pid_t other = child_start(answer, &result);
    assert_int_equal(waitid(P_PID, (id_t)other, &info, WEXITED | WNOWAIT), 0);
    child_set_hooks(&hooks);
    pid_t pid = child_start(answer, &result);
    assert_int_equal(child_wait(pid, CHILD_NO_DEADLINE, &status), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.pid, other);
    assert_int_equal(WEXITSTATUS(seen.status), 9);
    assert_true(child_reap(&hooks));
}

static void reaps_all_that_ended(void **state)
{
    (void)state;
    struct child_hooks hooks = make_hooks();
    siginfo_t info;
    int zero = 0;
    pid_t staying = child_start(wait_for_the_end, NULL);
    for (int i = 0; i < 5; i++) {
        pid_t pid = child_start(answer, &zero);
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    }
    assert_false(child_reap(&hooks));
    assert_int_equal(seen.count, 5);
    let_go();
    assert_int_equal(waitid(P_PID, (id_t)staying, &info, WEXITED | WNOWAIT), 0);
    assert_true(child_reap(&hooks));
    assert_int_equal(seen.count, 6);
}

static void takes_signals_while_waiting(void **state)
{
    (void)state;
    struct child_hooks hooks = make_hooks();
    (void)raise(SIGUSR1);
    assert_true(child_wait_event(&hooks, time_ms() + 60000));
    assert_int_equal(seen.signal, SIGUSR1);
    /* none pending any more */
    assert_false(child_wait_event(&hooks, time_ms() + 1));
    /* whom nobody asked for it stays for others */
    (void)raise(SIGUSR1);
    assert_false(child_wait_event(NULL, time_ms() + 1));
    hooks.signalled = NULL;
    assert_false(child_wait_event(&hooks, time_ms() + 1));
    sigset_t pending;
    (void)sigpending(&pending);
    assert_true(sigismember(&pending, SIGUSR1));
    hooks.signalled = on_signalled;
    assert_true(child_wait_event(&hooks, CHILD_NO_DEADLINE));
}

/* Late is late, even with something to take: who loops on it must come to an end. */
static void waits_for_nothing_after_the_deadline(void **state)
{
    (void)state;
    struct child_hooks hooks = make_hooks();
    (void)raise(SIGUSR1);
    assert_false(child_wait_event(&hooks, time_ms()));
    assert_int_equal(waits, 0);
    assert_true(child_wait_event(&hooks, CHILD_NO_DEADLINE));
}

static int who_hooks(void *argument)
{
    (void)argument;
    int zero = 0;
    int status = -1;
    pid_t other = child_start(answer, &zero);
    siginfo_t info;
    (void)waitid(P_PID, (id_t)other, &info, WEXITED | WNOWAIT);
    (void)child_wait(child_start(answer, &zero), CHILD_NO_DEADLINE, &status);
    return seen.count;
}

static void children_have_no_hooks(void **state)
{
    (void)state;
    struct child_hooks hooks = make_hooks();
    child_set_hooks(&hooks);
    assert_int_equal(child_call(who_hooks, NULL, 60000), 0);
}

/* ---- child_call() ---- */

static void calls(void **state)
{
    (void)state;
    int result = 0;
    assert_int_equal(child_call(answer, &result, 60000), 0);
    result = ENOSPC;
    assert_int_equal(child_call(answer, &result, 60000), -ENOSPC);
    result = SIGKILL;
    assert_int_equal(child_call(die, &result, 60000), -EINTR);
    wait_error = ECHILD;
    result = 0;
    assert_int_equal(child_call(answer, &result, 60000), -ECHILD);
    wait_error = 0;
    int status;
    while (__real_waitpid(-1, &status, 0) > 0)
        continue;
}

static void kills_what_takes_too_long(void **state)
{
    (void)state;
    assert_int_equal(child_call(wait_for_the_end, NULL, 10), -ETIMEDOUT);
    /* and has reaped it */
    assert_true(child_reap(NULL));
}

static void leaves_behind_what_cannot_be_killed(void **state)
{
    (void)state;
    deaf = true;
    assert_int_equal(child_call(wait_for_the_end, NULL, 1000), -ETIMEDOUT);
    /* its own second, and half a one for the kill */
    assert_in_range(clock_offset_ms, 1400, 1500);
    deaf = false;
    let_go();
    int status;
    assert_true(__real_waitpid(-1, &status, 0) > 0);
}

/* ---- several at a time ---- */

static void notes_the_end_of_all(void **state)
{
    (void)state;
    struct child children[3], staying;
    int results[3] = {0, 5, 0};
    uint64_t before_us = time_us();
    assert_int_equal(child_begin(&staying, wait_for_the_end, NULL, time_ms() + 60000), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(child_begin(&children[i], answer, &results[i], CHILD_NO_DEADLINE), 0);
    /* while somebody waits for something else */
    int status = 0;
    int three = 3;
    assert_int_equal(child_wait(child_start(answer, &three), CHILD_NO_DEADLINE, &status), 0);
    assert_int_equal(child_call(answer, &three, 60000), -3);
    while (children[0].pid != 0 || children[1].pid != 0 || children[2].pid != 0)
        child_progress();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(child_result(&children[i]), -results[i]);
        assert_in_range(children[i].over_us, before_us, time_us());
    }
    assert_true(staying.pid > 0);
    let_go();
    while (staying.pid != 0)
        child_progress();
    assert_int_equal(child_result(&staying), -7);
}

static void kills_each_at_its_deadline(void **state)
{
    (void)state;
    struct child soon, later;
    assert_int_equal(child_begin(&later, wait_for_the_end, NULL, time_ms() + 60000), 0);
    assert_int_equal(child_begin(&soon, wait_for_the_end, NULL, time_ms() + 10), 0);
    /* whatever is waited for */
    int status = 0;
    pid_t pid = child_start(wait_for_the_end, NULL);
    assert_int_equal(child_wait(pid, time_ms() + 1000, &status), -ETIMEDOUT);
    assert_int_equal(soon.pid, 0);
    assert_int_equal(child_result(&soon), -ETIMEDOUT);
    assert_true(later.pid > 0);
    let_go();
    while (later.pid != 0)
        child_progress();
    assert_int_equal(child_result(&later), -7);
    (void)child_wait(pid, CHILD_NO_DEADLINE, &status);
}

/* All of them together cost the longest of their times, and half a second for the kills. */
static void leaves_several_behind(void **state)
{
    (void)state;
    struct child children[4];
    deaf = true;
    for (int i = 0; i < 4; i++)
        assert_int_equal(child_begin(&children[i], wait_for_the_end, NULL, time_ms() + 1000), 0);
    for (int i = 0; i < 4; i++)
        while (children[i].pid != 0)
            child_progress();
    for (int i = 0; i < 4; i++)
        assert_int_equal(child_result(&children[i]), -ETIMEDOUT);
    assert_in_range(clock_offset_ms, 1400, 1600);
    deaf = false;
    let_go();
    int status;
    while (__real_waitpid(-1, &status, 0) > 0)
        continue;
}

static int wait_in_vain(void *argument)
{
    (void)argument;
    return child_call(wait_for_the_end, NULL, 10) != -ETIMEDOUT;
}

/* A child has its own, and must not end those of its parent. */
static void children_have_their_own(void **state)
{
    (void)state;
    struct child sibling;
    siginfo_t info = {0};
    assert_int_equal(child_begin(&sibling, wait_for_the_end, NULL, time_ms()), 0);
    pid_t pid = child_start(wait_in_vain, NULL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    assert_int_equal(info.si_status, 0);
    info.si_pid = 0;
    assert_int_equal(waitid(P_PID, (id_t)sibling.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    assert_int_equal(info.si_pid, 0);
    child_finish(&sibling);
}

static void loses_them_with_waitpid(void **state)
{
    (void)state;
    struct child child;
    int zero = 0;
    assert_int_equal(child_begin(&child, answer, &zero, CHILD_NO_DEADLINE), 0);
    int status;
    assert_int_equal(__real_waitpid(child.pid, &status, 0), child.pid);
    child_update();
    assert_int_equal(child.pid, 0);
    assert_int_equal(child_result(&child), -ECHILD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_the_result),
        TEST(resets_signals),
        TEST(says_why_there_is_no_child),
        TEST(waits_for_the_wanted_one),
        TEST(gives_up_at_the_deadline),
        TEST(counts_what_ended_before_the_deadline),
        TEST(knows_when_there_is_no_such_child),
        TEST(goes_on_after_interruptions),
        TEST(takes_no_other_error_for_the_last_child),
        TEST(tells_of_others_that_ended),
        TEST(reaps_all_that_ended),
        TEST(takes_signals_while_waiting),
        TEST(waits_for_nothing_after_the_deadline),
        TEST(children_have_no_hooks),
        TEST(calls),
        TEST(kills_what_takes_too_long),
        TEST(leaves_behind_what_cannot_be_killed),
        TEST(notes_the_end_of_all),
        TEST(kills_each_at_its_deadline),
        TEST(leaves_several_behind),
        TEST(children_have_their_own),
        TEST(loses_them_with_waitpid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
