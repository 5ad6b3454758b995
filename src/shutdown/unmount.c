/* SPDX-License-Identifier: MIT */
/*
 * The unmounting as PID 1 sees it: a child that works off the mounts (filesystems.c). Should it
 * hang in one of them, that one is given up, and another child goes on with the rest.
 */
#include "filesystems.h"

#include "erlinit/child.h"
#include "erlinit/log.h"
#include "erlinit/times.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Left for what comes after the unmounting. */
#define RESERVE_MS 200

static const struct mount_entry before_mounts = {.device = FILESYSTEMS_BEFORE, .target = "swap"};

static int64_t time_left_ms(const struct shutdown *self)
{
    return shutdown_time_left(self, INT64_MAX) - RESERVE_MS;
}

/* The child hangs in one mount: leave it there. False when there is no room to note another. */
static bool give_up_mount(struct shutdown *self, pid_t pid)
{
    struct shutdown_notes *notes = self->notes;
    (void)kill(pid, SIGKILL);
    log_error("%s: unmounting it hangs. Going on without it", notes->current_target);
    shutdown_note(self, "- %s: hangs, not clean", notes->current_target);
    if (notes->hung_count >= SHUTDOWN_MAX_HUNG)
        return false;
    notes->hung_child[notes->hung_count] = pid;
    notes->hung[notes->hung_count++] = notes->current_device;
    return true;
}

static int write_back(void *argument)
{
    (void)argument;
    sync();
    return 0;
}

/* No list of mounts, or no process to work it off, and then none to write back either: what can be
 * had without both. PID 1 itself must not call sync(2), which may never return. */
static void end_by_force(const struct shutdown *self, int reason)
{
    errno = -reason;
    log_error("Can't unmount: %m. Read-only by force instead");
    int result = shutdown_force_read_only(time_left_ms(self));
    if (result == 0)
        return;
    errno = -result;
    log_error("Not all is read-only: %m. It may need a repair");
    (void)child_call(write_back, NULL, time_left_ms(self));
}

/*
 * The first that hangs may be a slow disk with much to write: it gets half of what is left. After
 * that each gets its share, so that there is always something left for the others.
 */
static int64_t patience_ms(const struct shutdown *self)
{
    const struct shutdown_notes *notes = self->notes;
    int64_t left_ms = time_left_ms(self);
    return left_ms /
           (notes->hung_count == 0 || notes->mounts_to_go == 0 ? 2 : notes->mounts_to_go + 1);
}

/* One child after the other, until one comes to its end. 0, -errno if that is impossible, or
 * -ETIMEDOUT. */
static int run_guarded(struct shutdown *self, int (*function)(void *))
{
    for (;;) {
        filesystems_begin(self, &before_mounts, (size_t)self->notes->mounts_to_go);
        pid_t pid = child_start(function, self);
        if (pid < 0)
            return (int)pid;
        int status = 0;
        int result = child_wait(pid, time_ms() + patience_ms(self), &status);
        /* a reason: it has not hung, and won't do better the next time */
        if (result == 0 && WIFEXITED(status))
            return -WEXITSTATUS(status);
        if (!give_up_mount(self, pid) || time_left_ms(self) <= 0)
            return -ETIMEDOUT;
    }
}

static bool some_hang(const struct shutdown_notes *notes)
{
    for (int i = 0; i < notes->hung_count; i++)
        if (notes->hung_child[i] != 0)
            return true;
    return false;
}

/* What hung was perhaps only slow: with the others safe, it may have all the rest of the time. */
static void try_hung_again(struct shutdown *self)
{
    int64_t until = time_ms() + time_left_ms(self);
    while (!child_reap(&self->hooks) && some_hang(self->notes))
        if (!child_wait_event(&self->hooks, until))
            return;
    self->notes->hung_count = 0;
    if (run_guarded(self, filesystems_end_all) == 0 && self->notes->hung_count == 0)
        log_milestone("Nothing hangs any more");
}

void shutdown_unmount_others(struct shutdown *self)
{
    /* without a report there is nothing to keep a file system for: all is one job. What can't be
     * done here can't be done there either, and is told there. */
    if (self->options->shutdown_report.text != NULL)
        (void)run_guarded(self, filesystems_end_others);
}

void shutdown_unmount(struct shutdown *self)
{
    int result = run_guarded(self, filesystems_end_all);
    if (result == 0 && self->notes->hung_count > 0)
        try_hung_again(self);
    else if (result < 0 && result != -ETIMEDOUT)
        end_by_force(self, result);
}
