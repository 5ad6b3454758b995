/* SPDX-License-Identifier: MIT */
#include "erlinit/child.h"

#include "erlinit/log.h"
#include "erlinit/times.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a killed child may take to go before it is left to itself (uninterruptible). */
#define KILL_WAIT_MS 500

static const struct child_hooks *main_hooks;

void child_set_hooks(const struct child_hooks *hooks)
{
    main_hooks = hooks;
}

const int child_fault_signals[CHILD_FAULT_SIGNALS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void set_mask(const sigset_t *mask)
{
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Without libc's care for signals of its own, which is worth more than the call itself. */
static void set_default(int number)
{
    /* the kernel's struct sigaction, SIG_DFL and the rest zero: at most 40 bytes, or 28 */
    static const unsigned long plain[8];
    (void)syscall(SYS_rt_sigaction, number, plain, NULL, _NSIG / 8);
}

void child_reset_signals(void)
{
    /* SIGKILL and SIGSTOP refuse: nothing to do about those */
    for (int number = 1; number < _NSIG; number++)
        set_default(number);
    sigset_t none;
    sigemptyset(&none);
    set_mask(&none);
}

pid_t child_start(int (*function)(void *argument), void *argument)
{
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        log_hand_over();
        return pid;
    }
    /* PID 1's handlers are for PID 1; all others are set back by who executes another program */
    for (size_t i = 0; i < CHILD_FAULT_SIGNALS; i++)
        set_default(child_fault_signals[i]);
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    set_mask(&chld);
    main_hooks = NULL;
    _exit(function(argument));
}

/* Reaps until nothing more has ended; `wanted`'s status goes to *status. */
static bool reap(const struct child_hooks *hooks, pid_t wanted, bool *found, int *status)
{
    for (;;) {
        int ended = 0;
        pid_t pid = waitpid(-1, &ended, WNOHANG | __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return errno == ECHILD;
        if (pid == 0)
            return false;
        if (wanted > 0 && pid == wanted) {
            *found = true;
            *status = ended;
        } else if (hooks != NULL && hooks->reaped != NULL) {
            hooks->reaped(hooks->context, pid, ended);
        }
    }
}

bool child_reap(const struct child_hooks *hooks)
{
    return reap(hooks, 0, NULL, NULL);
}

void child_take_signals(const struct child_hooks *hooks)
{
    const struct timespec now = {0};
    siginfo_t signal;
    while (sigtimedwait(&hooks->signals, &signal, &now) > 0)
        hooks->signalled(hooks->context, &signal);
}

bool child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms)
{
    bool more_signals = hooks != NULL && hooks->signalled != NULL;
    sigset_t signals;
    sigemptyset(&signals);
    if (more_signals)
        signals = hooks->signals;
    sigaddset(&signals, SIGCHLD);

    int64_t left_ms = INT64_MAX;
    if (deadline_ms != CHILD_NO_DEADLINE)
        left_ms = deadline_ms - time_ms();
    if (left_ms <= 0)
        return false;
    struct timespec left = {.tv_sec = (time_t)(left_ms / 1000),
                            .tv_nsec = (long)(left_ms % 1000) * 1000000};
    siginfo_t signal;
    int number = sigtimedwait(&signals, &signal, left_ms == INT64_MAX ? NULL : &left);
    if (number < 0)
        return errno == EINTR;
    if (number != SIGCHLD && more_signals)
        hooks->signalled(hooks->context, &signal);
    return true;
}

int child_wait(pid_t pid, int64_t deadline_ms, int *status)
{
    for (;;) {
        bool found = false;
        int ended = 0;
        /* read the clock first: what ended before the deadline counts as in time */
        bool late = deadline_ms != CHILD_NO_DEADLINE && time_ms() >= deadline_ms;
        bool none_left = reap(main_hooks, pid, &found, &ended);
        if (found) {
            *status = ended;
            return 0;
        }
        if (none_left)
            return -ECHILD;
        if (late)
            return -ETIMEDOUT;
        (void)child_wait_event(main_hooks, deadline_ms);
    }
}

int child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    pid_t pid = child_start(function, argument);
    if (pid < 0)
        return (int)pid;
    int status = 0;
    int result = child_wait(pid, time_ms() + limit_ms, &status);
    if (result == -ETIMEDOUT) {
        (void)kill(pid, SIGKILL);
        (void)child_wait(pid, time_ms() + KILL_WAIT_MS, &status);
        return -ETIMEDOUT;
    }
    if (result < 0)
        return result;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}
