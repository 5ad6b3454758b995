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

static int private_fd; /* 0: none */

/* Whose end somebody will ask for, the newest first. */
static struct child *expected;

void child_set_hooks(const struct child_hooks *hooks)
{
    main_hooks = hooks;
}

const int child_fault_signals[CHILD_FAULT_SIGNALS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

void child_keep_private(int fd)
{
    private_fd = fd;
}

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
    expected = NULL;
    if (private_fd > 0)
        (void)close(private_fd);
    _exit(function(argument));
}

static void put_on_list(struct child *child)
{
    child->next = expected;
    expected = child;
}

static void has_ended(const struct child_hooks *hooks, pid_t pid, int status)
{
    struct child *child = expected;
    while (child != NULL && child->pid != pid)
        child = child->next;
    if (child != NULL) {
        child->pid = 0;
        child->status = status;
    } else if (hooks != NULL && hooks->reaped != NULL) {
        hooks->reaped(hooks->context, pid, status);
    }
}

bool child_reap(const struct child_hooks *hooks)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
        if (pid > 0)
            has_ended(hooks, pid, status);
        else if (pid == 0 || errno != EINTR)
            return pid < 0 && errno == ECHILD;
    }
}

/* Kills it, and when that has no effect in time either, leaves it behind. */
static void is_late(struct child *child, int64_t now_ms)
{
    bool again = child->result != 0;
    child->result = -ETIMEDOUT;
    if (again || child->spared) {
        child->pid = 0;
        return;
    }
    (void)kill(child->leads_group ? -child->pid : child->pid, SIGKILL);
    child->deadline_ms = now_ms + KILL_WAIT_MS;
}

void child_update(void)
{
    /* read the clock first: what ended before the deadline counts as in time */
    uint64_t now_us = time_us();
    int64_t now_ms = (int64_t)(now_us / 1000);
    bool none_left = child_reap(main_hooks);
    for (struct child **at = &expected; *at != NULL;) {
        struct child *child = *at;
        if (child->pid != 0 && none_left) {
            child->pid = 0;
            child->result = -ECHILD;
        }
        if (child->pid != 0 && now_ms >= child->deadline_ms)
            is_late(child, now_ms);
        if (child->pid == 0) {
            child->over_us = now_us;
            *at = child->next;
        } else {
            at = &child->next;
        }
    }
}

void child_progress(void)
{
    int64_t deadline_ms = CHILD_NO_DEADLINE;
    for (const struct child *child = expected; child != NULL; child = child->next)
        if (child->deadline_ms < deadline_ms)
            deadline_ms = child->deadline_ms;
    (void)child_wait_event(main_hooks, deadline_ms);
    child_update();
}

void child_finish(const struct child *child)
{
    while (child->pid != 0)
        child_progress();
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
    struct child child = {.pid = pid, .deadline_ms = deadline_ms, .spared = true};
    put_on_list(&child);
    child_update();
    child_finish(&child);
    if (child.result == 0)
        *status = child.status;
    /* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): off the list, as it is over */
    return child.result;
}

int child_begin(struct child *child, int (*function)(void *argument), void *argument,
                int64_t deadline_ms)
{
    pid_t pid = child_start(function, argument);
    if (pid < 0)
        return (int)pid;
    *child = (struct child){.pid = pid, .deadline_ms = deadline_ms};
    put_on_list(child);
    return 0;
}

int child_result(const struct child *child)
{
    if (child->result < 0)
        return child->result;
    return WIFEXITED(child->status) ? -WEXITSTATUS(child->status) : -EINTR;
}

int child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    struct child child;
    int result = child_begin(&child, function, argument, time_ms() + limit_ms);
    if (result < 0)
        return result;
    child_finish(&child);
    /* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape): off the list, as it is over */
    return child_result(&child);
}
