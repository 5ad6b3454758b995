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
#include <sys/stat.h>
#include <unistd.h>

#define STAT_BYTES    1024
#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD, include/linux/sched.h */

/* Fields of /proc/PID/stat (proc(5)), counted from the state, which follows the name. The masks of
 * signals have the first 31, SIGTERM among them. status has the same, and costs four times as much:
 * it prints the masks of all processors, too. */
enum field {
    FIELD_STATE = 0,
    FIELD_FLAGS = 6,
    FIELD_BLOCKED = 29,
    FIELD_IGNORED = 30,
    FIELD_CAUGHT = 31
};

/* NULL if there are not so many. */
static const char *stat_field(const char *stat, enum field field)
{
    /* a name may hold anything */
    const char *at = strrchr(stat, ')');
    for (int i = 0; i <= (int)field && at != NULL; i++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    return at;
}

static bool stat_bit(const char *stat, enum field field, unsigned long long bit)
{
    const char *at = stat_field(stat, field);
    unsigned long long number = 0;
    if (at != NULL)
        (void)text_read_digits(at, 10, &number);
    return (number & bit) != 0;
}

enum term_answer process_answer_to_term(const char *stat)
{
    const unsigned long long term = 1ULL << (SIGTERM - 1);
    if (stat_field(stat, FIELD_CAUGHT) == NULL || stat_bit(stat, FIELD_CAUGHT, term))
        return TERM_CATCHES;
    if (stat_bit(stat, FIELD_IGNORED, term) || stat_bit(stat, FIELD_BLOCKED, term))
        return TERM_IGNORES;
    return TERM_DIES;
}

bool process_is_live(const char *stat)
{
    const char *state = stat_field(stat, FIELD_STATE);
    return state != NULL && strchr("ZX", *state) == NULL &&
           !stat_bit(stat, FIELD_FLAGS, KERNEL_THREAD);
}

/* Who is written down, for the report. */
enum record { RECORD_NOBODY, RECORD_IGNORERS, RECORD_CATCHERS, RECORD_ALL };

struct census {
    struct shutdown *shutdown;
    enum record record;
    const char *fate; /* of those written down */
    int signal;       /* 0, or sent to each that is not spared */
};

static void read_about(const char *pid, const char *name, char *buffer, size_t size)
{
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/%s", pid, name);
    if (file_read(path.at, buffer, size) < 0)
        buffer[0] = '\0';
}

static void write_down(const struct census *census, const char *pid, const char *stat)
{
    const char *comm = strchr(stat, '(');
    const char *end = strrchr(stat, ')');
    char state = *stat_field(stat, FIELD_STATE);
    char wchan[64] = "";
    if (state == 'D')
        read_about(pid, "wchan", wchan, sizeof wchan);
    TEXT_ON_STACK(line, 256);
    text_format(&line, "%s: process %s (", census->fate, pid);
    if (comm != NULL && end > comm)
        text_add_printable(&line, comm + 1, (size_t)(end - comm) - 1);
    text_format(&line, "), state %c%s%s", state, wchan[0] != '\0' ? ", in " : "", wchan);
    shutdown_note(census->shutdown, "- %s", line.at);
    if (state == 'D')
        log_error("%s", line.at);
}

/* Storage daemons are root's, as these files are then: whoever else calls himself so is not spared.
 */
static bool is_storage_daemon(const char *pid)
{
    char command[2] = "";
    struct stat owner;
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/cmdline", pid);
    if (stat(path.at, &owner) == 0 && owner.st_uid == 0)
        read_about(pid, "cmdline", command, sizeof command);
    return command[0] == '@';
}

static void count_process(const struct census *census, const char *pid)
{
    struct shutdown_notes *notes = census->shutdown->notes;
    char stat[STAT_BYTES];
    unsigned long long digits = 0;
    (void)text_read_digits(pid, 10, &digits);
    pid_t number = (pid_t)digits;
    if (number == 1 || number == getpid())
        return;
    read_about(pid, "stat", stat, sizeof stat);
    if (!process_is_live(stat))
        return;
    if (is_storage_daemon(pid)) {
        notes->spared++;
        return;
    }
    notes->others++;
    enum term_answer answer = process_answer_to_term(stat);
    if (census->record == RECORD_ALL ||
        (census->record == RECORD_IGNORERS && answer == TERM_IGNORES) ||
        (census->record == RECORD_CATCHERS && answer == TERM_CATCHES))
        write_down(census, pid, stat);
    /* those that there is no room for are found when these have gone, by the census that follows */
    if (notes->catcher_count < SHUTDOWN_MAX_CATCHERS && answer == TERM_CATCHES)
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

/* Who is there? In a child: /proc/PID/cmdline can hang with the process; once is enough. False if
 * that could not be found out. */
static bool census(struct shutdown *self, enum record record, const char *fate, int signal)
{
    struct census job = {.shutdown = self, .record = record, .fate = fate, .signal = signal};
    struct shutdown_notes *notes = self->notes;
    notes->counted = false;
    notes->spared = notes->others = notes->catcher_count = 0;
    int result =
        self->proc_hangs ? -ETIMEDOUT : child_call(take_census, &job, shutdown_step_limit_ms(self));
    if (result == 0 && notes->counted)
        return true;
    errno = -result;
    if (!self->proc_hangs)
        log_warning(
            "Can't look at the processes that are left: %m. All of them get signal and grace");
    self->proc_hangs = self->proc_hangs || result == -ETIMEDOUT;
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
        (void)census(self, RECORD_NOBODY, NULL, signal);
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
    return self->notes->spared > 0 && census(self, RECORD_NOBODY, NULL, 0) &&
           self->notes->others == 0;
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
    bool known = census(self, RECORD_IGNORERS, "killed", 0);
    if (self->alone || (known && self->notes->others == 0))
        return;
    signal_all(self, SIGTERM);
    signal_all(self, SIGCONT);
    /* nobody has a use for grace */
    if (known && self->notes->catcher_count == 0)
        return;
    int64_t until = time_ms() + share_of_budget(self, self->options->term_grace_ms);
    while (!drained(self) && !self->machine->life.hurry) {
        /* the last of the catchers that we know has gone: is there another by now? */
        if (known && self->notes->catcher_count == 0 &&
            (!census(self, RECORD_NOBODY, NULL, 0) || self->notes->catcher_count == 0))
            return;
        if (!child_wait_event(&self->hooks, until))
            return;
    }
}

/* Those that had their grace; of the others it has been written down. */
static void write_down_the_late(struct shutdown *self)
{
    if (!self->notes->counted)
        (void)census(self, RECORD_ALL, "killed", 0);
    else if (self->notes->catcher_count > 0)
        (void)census(self, RECORD_CATCHERS, "killed", 0);
}

void shutdown_kill(struct shutdown *self)
{
    if (drained(self))
        return;
    write_down_the_late(self);
    int64_t until = time_ms() + share_of_budget(self, self->options->kill_timeout_ms);
    signal_all(self, SIGKILL);
    while (!drained(self) && !only_spared_left(self)) {
        if (self->notes->spared > 0)
            signal_all(self, SIGKILL);
        if (!child_wait_event(&self->hooks, until)) {
            (void)census(self, RECORD_ALL, "can't be killed", 0);
            return;
        }
    }
}
