/* SPDX-License-Identifier: MIT */
/*
 * Ending every process. PID 1 is the parent of last resort: when waitpid(2) says ECHILD, nobody is
 * left, and that is the certificate the unmounting needs. Until then: SIGTERM, grace only for those
 * that have a use for it (SigCgt in proc(5)), SIGKILL.
 */
#include "erlinit/shutdown.h"

#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* For those that catch SIGTERM: as long as the old program gave to everybody. */
#define TERM_GRACE_MS 1000
/* A killed process frees its memory before it is gone: 90 ms for 1 GB were measured. */
#define KILL_LIMIT_MS 2000
/* The census only reads /proc; more time means that /proc hangs. */
#define CENSUS_LIMIT_MS 500

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD, include/linux/sched.h */

/* The mask of signals on a line of /proc/PID/status. */
static unsigned long long signal_mask(const char *status, const char *name)
{
    const char *line = text_find(status, name);
    unsigned long long mask = 0;
    if (line != NULL)
        (void)text_read_digits(line + strlen(name), 16, &mask);
    return mask;
}

enum term_answer process_answer_to_term(const char *status)
{
    const unsigned long long term = 1ULL << (SIGTERM - 1);
    if ((signal_mask(status, "\nSigCgt:\t") & term) != 0)
        return TERM_CATCHES;
    if ((signal_mask(status, "\nSigIgn:\t") & term) != 0)
        return TERM_IGNORES;
    return TERM_DIES;
}

struct census {
    struct shutdown *shutdown;
    const char *record; /* NULL, or why each process is written down */
    int signal;         /* 0, or sent to each that is not spared */
};

/* State letter and flags from /proc/PID/stat; false for what is not a live process of user space.
 */
static bool is_live_process(const char *pid, char *state)
{
    char stat[512];
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/stat", pid);
    if (file_read(path.at, stat, sizeof stat) < 0)
        return false;
    const char *at = strrchr(stat, ')');
    if (at == NULL || strlen(at) < 4)
        return false;
    *state = at[2];
    /* state ppid pgrp session tty tpgid flags: the sixth space after the state */
    at += 2;
    for (int field = 0; field < 6 && at != NULL; field++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    unsigned long long flags = 0;
    if (at != NULL)
        (void)text_read_digits(at, 10, &flags);
    return *state != 'Z' && *state != 'X' && (flags & KERNEL_THREAD) == 0;
}

static void read_about(const char *pid, const char *name, char *buffer, size_t size)
{
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/%s", pid, name);
    if (file_read(path.at, buffer, size) < 0)
        buffer[0] = '\0';
}

static void write_down(const struct census *census, const char *pid, char state)
{
    char comm[64];
    char wchan[64];
    read_about(pid, "comm", comm, sizeof comm);
    read_about(pid, "wchan", wchan, sizeof wchan);
    TEXT_ON_STACK(name, 64);
    text_add_printable(&name, comm, strcspn(comm, "\n"));
    shutdown_note(census->shutdown, "- %s: process %s (%s), state %c, in %s", census->record, pid,
                  name.at, state, wchan[0] != '\0' ? wchan : "?");
    if (state == 'D')
        log_error("%s: process %s (%s), state %c, in %s", census->record, pid, name.at, state,
                  wchan[0] != '\0' ? wchan : "?");
}

static void count_process(const struct census *census, const char *pid)
{
    struct shutdown_notes *notes = census->shutdown->notes;
    char status[2048];
    char command[2];
    char state = '?';
    unsigned long long digits = 0;
    (void)text_read_digits(pid, 10, &digits);
    pid_t number = (pid_t)digits;
    if (number == 1 || number == getpid() || !is_live_process(pid, &state))
        return;
    read_about(pid, "cmdline", command, sizeof command);
    if (command[0] == '@') {
        notes->spared++;
        return;
    }
    notes->others++;
    if (census->record != NULL)
        write_down(census, pid, state);
    read_about(pid, "status", status, sizeof status);
    /* those that there is no room for are found when these have gone, by the census that follows */
    if (notes->catcher_count < SHUTDOWN_MAX_CATCHERS &&
        process_answer_to_term(status) == TERM_CATCHES)
        notes->catchers[notes->catcher_count++] = number;
    if (census->signal != 0)
        (void)kill(number, census->signal);
}

static int take_census(void *argument)
{
    const struct census *census = argument;
    struct strings pids = {0};
    int result = directory_list("/proc", directory_entry_is_process, &pids);
    if (result < 0)
        return -result;
    for (size_t i = 0; i < pids.count; i++)
        count_process(census, pids.item[i]);
    census->shutdown->notes->counted = true;
    return 0;
}

/* Who is there? In a child: /proc/PID/cmdline can hang with the process. False if that could not be
 * found out. */
static bool census(struct shutdown *self, const char *record, int signal)
{
    struct census job = {.shutdown = self, .record = record, .signal = signal};
    struct shutdown_notes *notes = self->notes;
    notes->counted = false;
    notes->spared = notes->others = notes->catcher_count = 0;
    int result = child_call(take_census, &job, shutdown_time_left(self, CENSUS_LIMIT_MS));
    if (result == 0 && notes->counted)
        return true;
    errno = -result;
    log_warning("Can't look at the processes that are left: %m. All of them get signal and grace");
    notes->spared = notes->catcher_count = 0;
    notes->others = 1;
    return false;
}

/* kill(2), -1: all but PID 1, in one call that no fork can outrun. With storage daemons: one by
 * one, over and over. */
static void signal_all(struct shutdown *self, int signal)
{
    if (self->notes->spared == 0)
        (void)kill(-1, signal);
    else
        (void)census(self, NULL, signal);
}

/* True when all that should end has ended. */
static bool drained(struct shutdown *self)
{
    if (child_reap(&self->hooks))
        self->alone = true;
    return self->alone;
}

/* Nobody left but storage daemons? They keep us from ever seeing ECHILD. */
static bool only_spared_left(struct shutdown *self)
{
    return self->notes->spared > 0 && census(self, NULL, 0) && self->notes->others == 0;
}

/* At most half of what is left: a process that never goes must not cost the disks their end. */
static int64_t share_of_budget(const struct shutdown *self, int64_t limit_ms)
{
    int64_t half_ms = shutdown_time_left(self, INT64_MAX) / 2;
    return half_ms < limit_ms ? half_ms : limit_ms;
}

void shutdown_terminate(struct shutdown *self)
{
    if (drained(self))
        return;
    bool known = census(self, NULL, 0);
    if (self->alone || (known && self->notes->others == 0))
        return;
    signal_all(self, SIGTERM);
    signal_all(self, SIGCONT);
    int64_t until = time_ms() + share_of_budget(self, TERM_GRACE_MS);
    while (!drained(self) && !self->machine->life.hurry) {
        /* the last of the catchers that we know has gone: is there another by now? */
        if (known && self->notes->catcher_count == 0 &&
            (!census(self, NULL, 0) || self->notes->catcher_count == 0))
            return;
        if (!child_wait_event(&self->hooks, until))
            return;
    }
}

void shutdown_kill(struct shutdown *self)
{
    if (drained(self))
        return;
    (void)census(self, "killed", 0);
    if (drained(self) || self->notes->others == 0)
        return;
    int64_t until = time_ms() + share_of_budget(self, KILL_LIMIT_MS);
    signal_all(self, SIGKILL);
    while (!drained(self) && !only_spared_left(self)) {
        if (self->notes->spared > 0)
            signal_all(self, SIGKILL);
        if (!child_wait_event(&self->hooks, until)) {
            (void)census(self, "can't be killed", 0);
            return;
        }
    }
}
