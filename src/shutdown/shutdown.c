/* SPDX-License-Identifier: MIT */
/* The table of the shutdown, the loop that runs it, and its small steps. */
#include "erlinit/shutdown.h"

#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/seed.h"
#include "erlinit/supervisor.h"
#include "erlinit/terminal.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOTE_BYTES 1024

const struct shutdown_step shutdown_steps[] = {
    {"run-on-exit", shutdown_run_on_exit, false},
    {"quiet", shutdown_quiet, false},
    {"terminate", shutdown_terminate, false},
    {"kill", shutdown_kill, false},
    {"breadcrumbs", shutdown_breadcrumbs, false},
    {"seed", shutdown_save_seed, false},
    {"unmount-others", shutdown_unmount_others, true},
    {"report", shutdown_report, false},
    {"unmount", shutdown_unmount, true},
    {"pause", shutdown_pause, false},
    {NULL, NULL, false},
};

#define SHUTDOWN_STEPS (sizeof shutdown_steps / sizeof shutdown_steps[0] - 1)
_Static_assert(SHUTDOWN_STEPS <= SHUTDOWN_MAX_STEPS, "struct shutdown has a row for every step");

/* .bss: after boot PID 1 takes no memory. */
static struct shutdown shutdown_state;
static struct shutdown_notes notes_without_sharing;

const char *shutdown_action_name(enum action action)
{
    static const char *const names[] = {"restart", "halt", "power off"};
    return names[action];
}

int64_t shutdown_time_left(const struct shutdown *shutdown, int64_t limit_ms)
{
    int64_t left = shutdown->deadline_ms - time_ms();
    left = left < limit_ms ? left : limit_ms;
    return left < 1 ? 1 : left;
}

int64_t shutdown_step_limit_ms(const struct shutdown *shutdown)
{
    return shutdown_time_left(shutdown, shutdown->options->step_timeout_ms);
}

static void on_reaped(void *context, pid_t pid, int status)
{
    struct shutdown *self = context;
    if (pid == self->machine->vm_pid && !self->machine->life.vm_gone) {
        self->machine->life.vm_gone = true;
        self->machine->vm_status = status;
    }
    struct shutdown_notes *notes = self->notes;
    for (int i = 0; i < notes->hung_count && i < SHUTDOWN_MAX_HUNG; i++)
        if (notes->hung_child[i] == pid)
            notes->hung_child[i] = 0;
    for (int i = 0; i < notes->catcher_count; i++)
        if (notes->catchers[i] == pid)
            notes->catchers[i] = notes->catchers[--notes->catcher_count];
}

/* Requests win at any moment: one that comes now decides how the machine ends, a second one ends
 * all grace. */
static void on_signal(void *context, const siginfo_t *signal)
{
    struct shutdown *self = context;
    struct lifecycle_settings settings = {0};
    unsigned int actions = 0;
    enum action action = ACTION_REBOOT;
    if (!supervisor_request_of(signal->si_signo, &action))
        return;
    if (self->machine->requester.signal == 0)
        self->machine->requester = (struct requester){
            .signal = signal->si_signo, .pid = signal->si_pid, .uid = signal->si_uid};
    log_milestone("Asked to %s while shutting down: signal %d from process %d",
                  shutdown_action_name(action), signal->si_signo, (int)signal->si_pid);
    self->machine->life =
        lifecycle_next(&self->machine->life, &settings, EVENT_REQUEST, action, time_ms(), &actions);
}

static int run_on_exit(void *argument)
{
    struct shutdown *self = argument;
    struct command run = {.line = self->options->run_on_exit.text,
                          .limit_ms = self->options->command_timeout_ms,
                          .foreground = true};
    self->notes->run_on_exit_result = command_run(&run);
    return 0;
}

/* Waits for a child, but not when somebody asks for the machine's end meanwhile. */
static void wait_unless_asked(struct shutdown *self, pid_t pid)
{
    int status = 0;
    while (!self->machine->life.requested && child_wait(pid, 0, &status) == -ETIMEDOUT)
        (void)child_wait_event(&self->hooks, CHILD_NO_DEADLINE);
}

void shutdown_run_on_exit(struct shutdown *self)
{
    const struct word *command = &self->options->run_on_exit;
    if (self->machine->life.requested || self->machine->life.fatal || command->text == NULL)
        return;
    pid_t pid = child_start(run_on_exit, self);
    if (pid > 0)
        wait_unless_asked(self, pid);
    int result = pid > 0 ? self->notes->run_on_exit_result : (int)pid;
    errno = -result;
    if (result == SHUTDOWN_NOT_RUN)
        log_at(LOG_WARNING, &command->origin, "--run-on-exit %s: left. Shutting down now",
               command->text);
    else if (result < 0)
        log_at(LOG_WARNING, &command->origin, "--run-on-exit %s: %m. Shutting down now",
               command->text);
    else if (result > 0)
        log_at(LOG_WARNING, &command->origin, "--run-on-exit %s: ended with %d. Shutting down now",
               command->text, result);
    /* it had a limit of its own; the budget starts now */
    self->deadline_ms = time_ms() + self->options->shutdown_timeout_ms;
}

void shutdown_quiet(struct shutdown *self)
{
    (void)self;
    /* Otherwise the kernel starts processes by itself while we count on there being none. Both
     * files may be missing. */
    (void)file_set("/proc/sys/kernel/core_pattern", "|/bin/false");
    (void)file_set("/sys/kernel/uevent_helper", "\n");
}

static int save_state(void *argument)
{
    const struct shutdown *self = argument;
    TEXT_ON_STACK(directory, 4096);
    text_format(&directory, "%s/seedrng", self->options->state_directory.text);
    int result = directory.cut ? ENAMETOOLONG : -seed_refresh(directory.at);
    shutdown_record_end(self);
    return result;
}

void shutdown_save_seed(struct shutdown *self)
{
    int result = child_call(save_state, self, shutdown_step_limit_ms(self));
    if (result == -ETIMEDOUT || result == -EINTR)
        log_warning("Saving the random seed and the record of this end took too long or failed. "
                    "Going on without it");
}

/* For a person in front of the screen; a request ends it. */
void shutdown_pause(struct shutdown *self)
{
    struct lifecycle *life = &self->machine->life;
    int64_t pause_ms = self->options->exit_pause_ms;
    if (life->requested || life->action == ACTION_REBOOT || pause_ms <= 0)
        return;
    log_notice("Waiting %lld ms before %s", (long long)pause_ms,
               shutdown_action_name(life->action));
    int64_t until = time_ms() + pause_ms;
    while (!life->requested && child_wait_event(&self->hooks, until))
        (void)child_reap(&self->hooks);
}

/* The old program paused never; a device that can't boot must not wear itself out with reboots. */
static void space_reboots(struct shutdown *self)
{
    struct lifecycle *life = &self->machine->life;
    if (!life->fatal || life->requested || life->action != ACTION_REBOOT)
        return;
    int64_t until = self->options->reboot_min_uptime_ms;
    if (time_ms() >= until)
        return;
    log_notice("Rebooting at an uptime of %lld ms", (long long)until);
    while (!life->requested && child_wait_event(&self->hooks, until))
        (void)child_reap(&self->hooks);
}

/* /run is not unmounted before it is read: it is a tmpfs. */
void shutdown_read_reboot_argument(struct shutdown *self)
{
    if (self->machine->life.requested)
        (void)file_read_line("/run/reboot-param", self->reboot_argument,
                             sizeof self->reboot_argument);
}

static struct shutdown_notes *share_notes(void)
{
    void *page = mmap(NULL, sizeof(struct shutdown_notes), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? &notes_without_sharing : page;
}

void shutdown_note(struct shutdown *self, const char *format, ...)
{
    struct shutdown_notes *notes = self->notes;
    struct text text = {
        .at = notes->lines, .size = sizeof notes->lines, .length = notes->length, .cut = false};
    TEXT_ON_STACK(line, NOTE_BYTES);
    va_list arguments;
    va_start(arguments, format);
    (void)text_vformat(&line, format, arguments);
    va_end(arguments);
    /* names of processes and mount points are theirs who made them */
    text_add_printable(&text, line.at, line.length);
    if (text_add(&text, "\n"))
        notes->length = text.length;
    notes->lines[notes->length] = '\0';
}

/* After a crash: on behind the step that crashed, or once more with it. */
static size_t first_step(struct machine *machine)
{
    size_t begun = machine->shutdown_begun;
    if (begun == 0 || begun > SHUTDOWN_STEPS || !shutdown_steps[begun - 1].again ||
        machine->shutdown_repeated > 0)
        return begun;
    machine->shutdown_repeated++;
    return begun - 1;
}

static void run_steps(struct shutdown *self)
{
    for (size_t i = first_step(self->machine); i < SHUTDOWN_STEPS; i++) {
        self->machine->shutdown_begun = (uint32_t)i + 1;
        self->machine->shutdown_deadline_ms = self->deadline_ms;
        uint64_t start = time_us();
        shutdown_steps[i].run(self);
        uint64_t duration = time_us() - start;
        self->steps[i] =
            (struct step_time){.start_us = start, .duration_us = (uint32_t)duration, .ran = 1};
        if (self->options->print_timing)
            log_notice("shutdown, %s: %lu us", shutdown_steps[i].name, (unsigned long)duration);
    }
}

void shut_down(const struct options *options, struct machine *machine)
{
    struct shutdown *self = &shutdown_state;
    *self = (struct shutdown){.options = options,
                              .machine = machine,
                              .notes = share_notes(),
                              .deadline_ms = time_ms() + options->shutdown_timeout_ms};
    self->notes->run_on_exit_result = SHUTDOWN_NOT_RUN;
    /* after a crash the budget goes on; during the first step, run-on-exit, it had not begun */
    if (machine->shutdown_begun > 1)
        self->deadline_ms = machine->shutdown_deadline_ms;
    self->hooks = (struct child_hooks){.reaped = on_reaped,
                                       .signalled = on_signal,
                                       .context = self,
                                       .signals = supervisor_request_signals()};
    child_set_hooks(&self->hooks);
    run_steps(self);
    /* again: the request may have come late */
    shutdown_read_reboot_argument(self);
    space_reboots(self);
    terminal_let_out(shutdown_step_limit_ms(self));
    /* some USB gadget drivers hang in reboot(2) while their terminal is open */
    for (int fd = 0; fd < 3; fd++)
        (void)close(fd);
    shutdown_reboot(machine->life.action, self->reboot_argument, options->reboot_timeout_ms);
}
