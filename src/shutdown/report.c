/* SPDX-License-Identifier: MIT */
/* Why the machine ended: one line for kmsg and pmsg, and the shutdown report, which tools parse:
 * what is there keeps its form. */
#include "filesystems.h"

#include "erlinit/report.h"
#include "erlinit/shutdown.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_MODE 0644
/* Address space only. The kernel's log is 128 KB to 1 MB usually; what does not fit is left out. */
#define REPORT_BYTES ((size_t)4 * 1024 * 1024)

bool shutdown_was_graceful(const struct machine *machine)
{
    const struct lifecycle *life = &machine->life;
    return life->stopped && !life->hurry &&
           !(WIFSIGNALED(machine->vm_status) && WTERMSIG(machine->vm_status) == SIGKILL);
}

static void add_vm_status(struct text *text, const struct machine *machine)
{
    if (!machine->life.vm_gone)
        text_add(text, machine->vm_pid == 0 ? "Erlang exit status: not started"
                                            : "Erlang exit status: still running");
    else if (WIFSIGNALED(machine->vm_status))
        text_format(text, "Erlang exited due to signal: %d", WTERMSIG(machine->vm_status));
    else
        text_format(text, "Erlang exit status: %d", WEXITSTATUS(machine->vm_status));
}

void shutdown_breadcrumbs(struct shutdown *self)
{
    const struct machine *machine = self->machine;
    shutdown_read_reboot_argument(self);
    TEXT_ON_STACK(status, 64);
    add_vm_status(&status, machine);
    log_milestone(
        "%s. Intentional: %s%s. Now: %s%s%s", status.at, machine->life.requested ? "yes" : "no",
        machine->life.fatal ? ", fatal error" : "", shutdown_action_name(machine->life.action),
        self->reboot_argument[0] != '\0' ? " " : "", self->reboot_argument);
}

static void add_head(struct text *text, const struct shutdown *self)
{
    const struct machine *machine = self->machine;
    const struct lifecycle *life = &machine->life;
    unsigned long uptime_s = (unsigned long)(time_us() / 1000000);
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    text_add(text, "# Erlinit shutdown report\n\n");
    text_format(text, "Uptime: %lu days, %lu:%02lu:%02lu\n", uptime_s / 86400, uptime_s / 3600 % 24,
                uptime_s / 60 % 60, uptime_s % 60);
    text_add(text, "Current time: ");
    time_add_iso8601(text, &now);
    text_format(text, "\nIntentional exit: %s\n", life->requested ? "yes" : "no");
    bool graceful = shutdown_was_graceful(machine);
    text_format(text, "Graceful shutdown succeeded: %s\n", graceful ? "yes" : "no");
    if (graceful) {
        int64_t took_ms = life->ended_at_ms - life->requested_at_ms;
        text_format(text, "Graceful shutdown time: %ld.%03ld seconds\n", (long)(took_ms / 1000),
                    (long)(took_ms % 1000));
    } else {
        text_add(text, "Graceful shutdown time: N/A\n");
    }
    add_vm_status(text, machine);
    text_format(text, "\nShutdown action: %s\n", shutdown_action_name(life->action));
    if (self->reboot_argument[0] != '\0')
        text_format(text, "Reboot args: %s\n", self->reboot_argument);
}

static void add_details(struct text *text, const struct shutdown *self)
{
    const struct requester *who = &self->machine->requester;
    text_add(text, "\n## Shutdown\n\n");
    if (who->signal != 0)
        text_format(text, "- asked by signal %d from process %d (%s), uid %u\n", who->signal,
                    (int)who->pid, who->pid == 0 ? "kernel" : who->name, (unsigned int)who->uid);
    if (self->machine->life.fatal)
        text_add(text, "- fatal error of erlinit\n");
    if (self->machine->crashes > 0)
        text_format(text, "- crashes of PID 1: %u\n", self->machine->crashes);
    if (self->notes->run_on_exit_result != SHUTDOWN_NOT_RUN)
        text_format(text, "- run-on-exit result: %d\n", self->notes->run_on_exit_result);
    for (size_t i = 0; shutdown_steps[i].run != NULL; i++)
        if (self->steps[i].ran != 0)
            text_format(text, "- %s: started at %llu.%03llu ms, took %u.%03u ms\n",
                        shutdown_steps[i].name, (unsigned long long)self->steps[i].start_us / 1000,
                        (unsigned long long)self->steps[i].start_us % 1000,
                        self->steps[i].duration_us / 1000, self->steps[i].duration_us % 1000);
    text_add_bytes(text, self->notes->lines, self->notes->length);
}

/* report -> report.1 -> report.2 ... */
static void rotate(const char *path, long long keep)
{
    for (long long i = keep; i > 0; i--) {
        char *from = i == 1 ? arena_string(path) : arena_format("%s.%lld", path, i - 1);
        char *to = arena_format("%s.%lld", path, i);
        if (from != NULL && to != NULL)
            (void)rename(from, to);
    }
}

static int write_report(void *argument)
{
    struct shutdown *self = argument;
    const char *path = self->options->shutdown_report.text;
    char *buffer = arena_alloc(REPORT_BYTES);
    if (buffer == NULL)
        return ENOMEM;
    struct text text = text_into(buffer, REPORT_BYTES);
    TEXT_ON_STACK(oom, 1024);
    add_head(&text, self);
    report_add_kernel_log(&text, &oom);
    (void)filesystems_note_left(self);
    add_details(&text, self);
    text_add_bytes(&text, oom.at, oom.length);
    report_add_crash_dump(&text, self->options);
    rotate(path, self->options->report_keep);
    return -file_replace(AT_FDCWD, path, REPORT_MODE, text.at, text.length);
}

void shutdown_report(struct shutdown *self)
{
    const struct word *path = &self->options->shutdown_report;
    if (path->text == NULL)
        return;
    /* apart, and not for long: it looks at descriptors of processes that hang */
    if (!self->alone)
        (void)child_call(filesystems_note_holders, self, shutdown_step_limit_ms(self) / 8);
    int result = child_call(write_report, self, shutdown_step_limit_ms(self));
    errno = -result;
    if (result < 0)
        log_at(LOG_WARNING, &path->origin, "--shutdown-report %s: %m. No report of this shutdown",
               path->text);
}
