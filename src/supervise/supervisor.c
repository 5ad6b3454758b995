/* SPDX-License-Identifier: MIT */
#include "erlinit/supervisor.h"

#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/late.h"
#include "erlinit/log.h"
#include "erlinit/survive.h"
#include "erlinit/text.h"
#include "erlinit/times.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <uev/uev.h>
#include <unistd.h>

struct supervisor {
    const struct options *options;
    struct machine *machine;
    struct lifecycle_settings settings;
    bool unreaped; /* a SIGCHLD came */
    int signal_fd; /* -1: none */
    bool loop_made;
    bool looping; /* libuev runs: timers are its */
    uev_ctx_t loop;
    uev_t signals;
    uev_t timer;
    uev_t boot;
};

/* In .bss, not on the stack: libuev keeps pointers into it. */
static struct supervisor supervisor;

static const struct {
    int signal;
    enum action action;
} requests[] = {
    {SIGTERM, ACTION_REBOOT}, {SIGINT, ACTION_REBOOT}, /* ctrl-alt-del */
    {SIGUSR1, ACTION_HALT},   {SIGPWR, ACTION_HALT},   {SIGUSR2, ACTION_POWEROFF},
};

#define REQUEST_COUNT (sizeof requests / sizeof requests[0])

sigset_t supervisor_request_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < REQUEST_COUNT; i++)
        sigaddset(&set, requests[i].signal);
    return set;
}

bool supervisor_request_of(int signal, enum action *action)
{
    for (size_t i = 0; i < REQUEST_COUNT; i++) {
        if (requests[i].signal == signal) {
            *action = requests[i].action;
            return true;
        }
    }
    return false;
}

void supervisor_take_signals(void)
{
    /* who started us, an initramfs perhaps, may have ignored it: then no child could be waited for
     * (wait(2)) */
    (void)signal(SIGCHLD, SIG_DFL);
    sigset_t set = supervisor_request_signals();
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (reboot(RB_DISABLE_CAD) < 0)
        log_info("Ctrl-alt-del stays an immediate reset: %m");
}

/* Also of a loop that could be made only in part. */
static void stop_loop(struct supervisor *self)
{
    if (self->loop_made) {
        (void)uev_exit(&self->loop);
        /* libuev keeps a timer that epoll did not let go */
        if (self->timer.fd > STDERR_FILENO)
            (void)close(self->timer.fd);
        self->timer.fd = -1;
    }
    self->loop_made = false;
}

static void set_timer(struct supervisor *self)
{
    int64_t deadline = self->machine->life.deadline_ms;
    if (!self->looping)
        return;
    int64_t left = 0;
    if (deadline != LIFECYCLE_NO_DEADLINE) {
        left = deadline - time_ms();
        left = left < 1 ? 1 : left > INT_MAX ? INT_MAX : left;
    }
    /* periodic: libuev closes the descriptor of a timer that fires once, and might not get another
     */
    if (uev_timer_set(&self->timer, (int)left, (int)left) != 0) {
        log_error("Can't set the timer: %m. Going on without the event loop");
        stop_loop(self);
    }
}

static int ask_vm(void *argument)
{
    const struct machine *machine = argument;
    vm_ask_to_stop(machine->vm_pid);
    return 0;
}

/* Not syncfs(2), which tells of errors once: they are for the shutdown, and its report. */
static int flush(void *argument)
{
    (void)argument;
    sync();
    return 0;
}

/* Started and not waited for: what it does takes as long as it takes, its end is reaped like any
 * orphan's. */
static void start_helper(int (*function)(void *), void *argument, const char *what)
{
    if (child_start(function, argument) < 0)
        log_warning("Can't start a process to %s: %m. Going on without", what);
}

static void happen(struct supervisor *self, enum lifecycle_event event, enum action asked_for)
{
    unsigned int actions = 0;
    int64_t before = self->machine->life.deadline_ms;
    self->machine->life = lifecycle_next(&self->machine->life, &self->settings, event, asked_for,
                                         time_ms(), &actions);
    if ((actions & ACT_FLUSH) != 0)
        start_helper(flush, NULL, "write dirty pages back");
    if ((actions & ACT_ASK_VM) != 0) {
        log_info("Asking the VM to stop");
        start_helper(ask_vm, self->machine, "ask the VM to stop");
    }
    if ((actions & ACT_LATE) != 0)
        late_start(self->options, self->machine);
    if ((actions & ACT_SHUT_DOWN) != 0)
        stop_loop(self);
    else if (self->machine->life.deadline_ms != before)
        set_timer(self);
}

static void note_requester(struct machine *machine, int signal, pid_t pid, uid_t uid)
{
    struct requester *who = &machine->requester;
    if (who->signal != 0)
        return;
    *who = (struct requester){.signal = signal, .pid = pid, .uid = uid};
    TEXT_ON_STACK(path, 32);
    text_format(&path, "/proc/%d/comm", (int)pid);
    if (pid > 0)
        (void)file_read_line(path.at, who->name, sizeof who->name);
}

static void on_signal(struct supervisor *self, int signal, pid_t pid, uid_t uid)
{
    static const char *const names[] = {"reboot", "halt", "power off"};
    enum action action = ACTION_REBOOT;
    if (signal == SIGCHLD) {
        self->unreaped = true;
    } else if (supervisor_request_of(signal, &action)) {
        note_requester(self->machine, signal, pid, uid);
        log_milestone("Asked to %s: signal %d from process %d (%s)", names[action], signal,
                      (int)pid, pid > 0 ? self->machine->requester.name : "kernel");
        happen(self, EVENT_REQUEST, action);
    }
}

static void take_record(struct supervisor *self, const struct boot_record *record)
{
    struct machine *machine = self->machine;
    if (record->index == BOOT_SEED)
        memcpy(machine->seed_chain, record->seed_chain, sizeof machine->seed_chain);
    else if (record->index < MACHINE_MAX_STEPS) {
        machine->steps[record->index] = record->time;
        if (record->time.result == STEP_FATAL)
            happen(self, EVENT_FATAL, ACTION_REBOOT);
    }
}

/* Records of the boot child, then its end: it has become the VM (or died, which SIGCHLD tells). */
static void read_boot_events(struct supervisor *self)
{
    struct boot_record record;
    ssize_t got = 0;
    while (self->machine->boot_events_fd >= 0 &&
           (got = read(self->machine->boot_events_fd, &record, sizeof record)) ==
               (ssize_t)sizeof record)
        take_record(self, &record);
    if (self->machine->boot_events_fd < 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    if (self->looping)
        (void)uev_io_stop(&self->boot);
    (void)close(self->machine->boot_events_fd);
    self->machine->boot_events_fd = -1;
    happen(self, EVENT_VM_STARTED, ACTION_REBOOT);
}

static void on_reaped(void *context, pid_t pid, int status)
{
    struct supervisor *self = context;
    if (pid != self->machine->vm_pid || self->machine->life.vm_gone)
        return;
    self->machine->vm_status = status;
    /* what it said before it died comes first */
    read_boot_events(self);
    happen(self, EVENT_VM_ENDED, ACTION_REBOOT);
}

/* After all signals that were there: a request that came together with the VM's end has been seen
 * by now, and wins. */
static void reap_if_needed(struct supervisor *self)
{
    struct child_hooks hooks = {.reaped = on_reaped, .context = self};
    if (!self->unreaped)
        return;
    self->unreaped = false;
    (void)child_reap(&hooks);
}

static void on_plain_signal(void *context, const siginfo_t *signal)
{
    on_signal(context, signal->si_signo, signal->si_pid, signal->si_uid);
}

static struct child_hooks plain_hooks(struct supervisor *self)
{
    return (struct child_hooks){.reaped = on_reaped,
                                .signalled = on_plain_signal,
                                .context = self,
                                .signals = supervisor_request_signals()};
}

static void signals_ready(uev_t *watcher, void *argument, int events)
{
    struct supervisor *self = argument;
    struct signalfd_siginfo info;
    (void)events;
    ssize_t got = 0;
    while ((got = read(watcher->fd, &info, sizeof info)) == (ssize_t)sizeof info)
        on_signal(self, (int)info.ssi_signo, (pid_t)info.ssi_pid, (uid_t)info.ssi_uid);
    if (got >= 0 || (errno != EAGAIN && errno != EINTR)) {
        /* it would be called again at once, for ever */
        log_error("Can't read signals: %m. Waiting for them without the event loop");
        stop_loop(self);
    }
    reap_if_needed(self);
}

static void timer_ready(uev_t *watcher, void *argument, int events)
{
    (void)watcher;
    (void)events;
    struct supervisor *self = argument;
    happen(self, EVENT_DEADLINE, ACTION_REBOOT);
    set_timer(self);
}

static void boot_ready(uev_t *watcher, void *argument, int events)
{
    (void)watcher;
    (void)events;
    read_boot_events(argument);
}

static void watch_signals(struct supervisor *self)
{
    sigset_t set = supervisor_request_signals();
    sigaddset(&set, SIGCHLD);
    self->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Until the VM has started, or something else happens, the processor is the boot's, and PID 1 does
 * not even prepare its loop. When it is woken by the VM's start, it doesn't take the processor from
 * the VM either, if there is but one: sched(7), SCHED_BATCH, which no child inherits.
 */
static void wait_for_boot(struct supervisor *self)
{
    /* of the pipe only its end: there is no need to read each record when it comes */
    struct pollfd watched[] = {{.fd = self->signal_fd, .events = POLLIN},
                               {.fd = self->machine->boot_events_fd}};
    const struct sched_param none = {.sched_priority = 0};
    (void)sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none);
    if (watched[0].fd >= 0 && watched[1].fd >= 0)
        (void)poll(watched, 2, -1);
}

/* All descriptors that the loop needs besides the signals' are made here, once. */
static int start_loop(struct supervisor *self)
{
    /* one event at a time: a callback may stop another watcher whose event has been fetched already
     */
    if (uev_init1(&self->loop, 1) < 0)
        return -errno;
    self->loop_made = true;
    if (self->signal_fd < 0 || uev_io_init(&self->loop, &self->signals, signals_ready, self,
                                           self->signal_fd, UEV_READ) < 0)
        return -errno;
    if (uev_timer_init(&self->loop, &self->timer, timer_ready, self, 0, 0) < 0)
        return -errno;
    if (self->machine->boot_events_fd >= 0 &&
        uev_io_init(&self->loop, &self->boot, boot_ready, self, self->machine->boot_events_fd,
                    UEV_READ) < 0)
        return -errno;
    return 0;
}

/* The net under libuev: one system call, which needs no descriptor. */
static void plain_loop(struct supervisor *self)
{
    struct child_hooks hooks = plain_hooks(self);
    self->looping = false;
    stop_loop(self);
    if (self->signal_fd >= 0)
        (void)close(self->signal_fd);
    while (self->machine->life.phase != PHASE_ENDING) {
        read_boot_events(self);
        child_take_signals(&hooks);
        (void)child_reap(&hooks);
        if (self->machine->life.phase == PHASE_ENDING)
            break;
        if (!child_wait_event(&hooks, self->machine->life.deadline_ms))
            happen(self, EVENT_DEADLINE, ACTION_REBOOT);
    }
}

/*
 * What only configure and boot needed goes from the page tables (clean pages of the program file;
 * the kernel brings back what is touched again). See src/layout.ld. Linker symbols: end(3), and
 * __executable_start of ld's script.
 */
static void shed_boot_pages(void)
{
    /* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): ld's */
    extern const char __executable_start[];
    extern const char etext[];
    uintptr_t page = (uintptr_t)getpagesize() - 1;
    uintptr_t start = ((uintptr_t)__executable_start + page) & ~page;
    uintptr_t end = (uintptr_t)etext & ~page;
    if (end > start)
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): rounded to pages */
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
}

void supervise(const struct options *options, struct machine *machine)
{
    struct supervisor *self = &supervisor;
    *self = (struct supervisor){
        .options = options,
        .machine = machine,
        .signal_fd = -1,
        .settings = {.stop_grace_ms = options->stop_grace_ms,
                     .graceful_ms = options->graceful_shutdown_timeout_ms,
                     .on_exit = options->on_exit,
                     .on_fatal = options->on_fatal},
    };
    if (survive_is_broken(machine))
        happen(self, EVENT_BROKEN, ACTION_REBOOT);
    if (machine->life.phase == PHASE_ENDING)
        return;
    watch_signals(self);
    wait_for_boot(self);
    survive_find_program();
    if (start_loop(self) == 0) {
        self->looping = true;
        /* what ended or was decided before the loop was there */
        struct child_hooks hooks = plain_hooks(self);
        child_take_signals(&hooks);
        self->unreaped = true;
        reap_if_needed(self);
        shed_boot_pages();
        /* with a stop under way already: libuev sets timers when it begins, and does not say if
         * that fails */
        if (self->loop_made && machine->life.deadline_ms == LIFECYCLE_NO_DEADLINE)
            (void)uev_run(&self->loop, 0);
    } else {
        log_error("No event loop: %m. Waiting for signals without it");
    }
    plain_loop(self);
}
