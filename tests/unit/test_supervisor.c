/* SPDX-License-Identifier: MIT */
/* The event loop with real signals, timers and pipes, and a child that stands for the VM. Each test
 * runs with the loop of libuev, and without it for want of each descriptor. */
/* wrap: epoll_create1 signalfd timerfd_create reboot madvise */
/* wrap: child_start late_start vm_ask_to_stop sync read timerfd_settime epoll_wait */
/* wrap: poll sched_setscheduler survive_find_program */
#include "erlinit/boot.h"
#include "erlinit/late.h"
#include "erlinit/supervisor.h"
#include "erlinit/vm.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters);
void __wrap_survive_find_program(void);
int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags);
int __real_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags);
int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __real_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value);
int __wrap_reboot(int command);
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_madvise(void *at, size_t length, int advice);
pid_t __wrap_child_start(int (*function)(void *argument), void *argument);
void __wrap_vm_ask_to_stop(pid_t leader);
void __wrap_sync(void);
void __wrap_late_start(const struct options *options, const struct machine *state);

static enum { WITH_LOOP, NO_EPOLL, NO_SIGNALFD, NO_TIMERFD, WAYS } way;

static int stay[2]; /* the VM runs until the other end is closed */
static pid_t vm;
static bool obedient; /* the VM stops when it is told to */
static int told, flushes, late_starts, cad_error, start_error, timers;
static struct machine machine;
static const struct options *current;

static int read_error; /* of signals */
static int epolls;

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    errno = read_error;
    if (read_error != 0 && size == sizeof(struct signalfd_siginfo))
        return -1;
    return __real_read(fd, buffer, size);
}

static int settime_error;
static bool ask_in_loop;

static int polls, policy_now, finds;
static bool ask_in_poll;

/* Only the end of the boot's pipe is waited for, and nothing has been prepared by then. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    assert_int_equal(count, 2);
    assert_int_equal(timeout, -1);
    assert_int_equal(fds[0].events, POLLIN);
    assert_int_equal(fds[1].events, 0);
    assert_int_equal(epolls, 0);
    polls++;
    if (ask_in_poll)
        (void)kill(getpid(), SIGUSR1);
    ask_in_poll = false;
    return __real_poll(fds, count, timeout);
}

int __wrap_sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters)
{
    assert_int_equal(pid, 0);
    assert_int_equal(parameters->sched_priority, 0);
    policy_now = policy;
    return 0;
}

/* Once, and not while the boot waits for the processor. */
void __wrap_survive_find_program(void)
{
    assert_int_equal(polls, machine.boot_events_fd >= 0 && way != NO_SIGNALFD);
    finds++;
}

/* The first time that the loop waits. */
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    if (ask_in_loop)
        (void)kill(getpid(), SIGUSR2);
    ask_in_loop = false;
    return __real_epoll_wait(epoll, events, count, timeout);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value)
{
    errno = settime_error;
    if (settime_error != 0 && new_value->it_value.tv_nsec != 0)
        return -1;
    return __real_timerfd_settime(fd, flags, new_value, old_value);
}

int __wrap_epoll_create1(int flags)
{
    epolls++;
    errno = EMFILE;
    return way == NO_EPOLL ? -1 : __real_epoll_create1(flags);
}

int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    errno = EMFILE;
    return way == NO_SIGNALFD ? -1 : __real_signalfd(fd, set, flags);
}

int __wrap_timerfd_create(int clock, int flags)
{
    timers++;
    errno = EMFILE;
    return way == NO_TIMERFD ? -1 : __real_timerfd_create(clock, flags);
}

int __wrap_reboot(int command)
{
    assert_int_equal(command, RB_DISABLE_CAD);
    errno = cad_error;
    return cad_error ? -1 : 0;
}

int __wrap_madvise(void *at, size_t length, int advice)
{
    (void)at;
    (void)length;
    (void)advice;
    return 0;
}

/* Here, and not in a child: the test wants to see it. */
pid_t __wrap_child_start(int (*function)(void *argument), void *argument)
{
    if (start_error) {
        errno = start_error;
        return -start_error;
    }
    assert_int_equal(function(argument), 0);
    return 1;
}

static void end_vm(void)
{
    (void)close(stay[1]);
    stay[1] = -1;
}

void __wrap_vm_ask_to_stop(pid_t leader)
{
    assert_int_equal(leader, vm);
    told++;
    if (obedient)
        end_vm();
}

void __wrap_late_start(const struct options *options, const struct machine *state)
{
    assert_ptr_equal(options, current);
    assert_ptr_equal(state, &machine);
    /* all that the time line needs is there */
    assert_true(machine.boot_events_fd == -1);
    late_starts++;
}

void __wrap_sync(void)
{
    flushes++;
}

static const struct options defaults = {.stop_grace_ms = 1,
                                        .graceful_shutdown_timeout_ms = 40,
                                        .on_exit = ACTION_REBOOT,
                                        .on_fatal = ACTION_HALT};

static void start_vm(int exit_status)
{
    assert_int_equal(pipe2(stay, O_CLOEXEC), 0);
    vm = fork();
    assert_true(vm >= 0);
    if (vm == 0) {
        char byte;
        (void)close(stay[1]);
        (void)!read(stay[0], &byte, 1);
        _exit(exit_status);
    }
    (void)close(stay[0]);
    told = flushes = late_starts = polls = epolls = policy_now = finds = 0;
    machine = (struct machine){
        .life = {.phase = PHASE_RUNNING, .deadline_ms = LIFECYCLE_NO_DEADLINE},
        .vm_pid = vm,
        .boot_events_fd = -1,
    };
}

/* What a test is: something is prepared with the VM there, the loop runs, the end is looked at. */
static void run(void)
{
    log_spy_reset();
    supervise(current, &machine);
    assert_int_equal(machine.life.phase, PHASE_ENDING);
    assert_int_equal(log_spy_contains("No event loop"), way != WITH_LOOP);
    assert_int_equal(finds, 1);
}

static void reset(void)
{
    sigset_t set = supervisor_request_signals();
    sigaddset(&set, SIGCHLD);
    supervisor_take_signals();
    while (sigtimedwait(&set, NULL, &(struct timespec){0}) > 0)
        continue;
    told = flushes = start_error = 0;
    obedient = true;
    current = &defaults;
}

static void clean(void)
{
    int status;
    if (stay[1] >= 0)
        end_vm();
    while (waitpid(-1, &status, 0) > 0)
        continue;
}

#define EVERY_WAY(body)                                                                            \
    (void)state;                                                                                   \
    for (int number = 0; number < WAYS; number++) {                                                \
        way = number;                                                                              \
        reset();                                                                                   \
        body;                                                                                      \
        clean();                                                                                   \
    }

static void vm_ends_by_itself(void)
{
    start_vm(3);
    end_vm();
    run();
    assert_true(machine.life.vm_gone && !machine.life.requested);
    assert_int_equal(machine.life.action, ACTION_REBOOT);
    assert_int_equal(WEXITSTATUS(machine.vm_status), 3);
    assert_int_equal(told + flushes, 0);
}

static void ends_with_the_vm(void **state)
{
    EVERY_WAY(vm_ends_by_itself())
}

/* Its SIGCHLD was taken by somebody who waited for another child. */
static void vm_ended_long_ago(void)
{
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    start_vm(4);
    end_vm();
    assert_int_equal(waitid(P_PID, (id_t)vm, &info, WEXITED | WNOWAIT), 0);
    (void)sigtimedwait(&set, NULL, &(struct timespec){0});
    run();
    assert_int_equal(WEXITSTATUS(machine.vm_status), 4);
}

static void notices_what_ended_before(void **state)
{
    EVERY_WAY(vm_ended_long_ago())
}

/* Both are there when PID 1 looks: the application asked, and left. */
static void asked_and_ended(int signal)
{
    siginfo_t info;
    start_vm(5);
    (void)kill(getpid(), signal);
    end_vm();
    assert_int_equal(waitid(P_PID, (id_t)vm, &info, WEXITED | WNOWAIT), 0);
    run();
    assert_true(machine.life.requested && machine.life.vm_gone);
    assert_int_equal(machine.life.action, ACTION_POWEROFF);
    assert_int_equal(WEXITSTATUS(machine.vm_status), 5);
}

static void request_wins_over_end(void **state)
{
    EVERY_WAY(asked_and_ended(SIGUSR2))
}

/* Signals that can't be read would be there for ever, and wake the loop for ever. */
static void signals_unreadable(void)
{
    start_vm(6);
    read_error = EIO;
    end_vm();
    supervise(current, &machine);
    read_error = 0;
    assert_int_equal(machine.life.phase, PHASE_ENDING);
    assert_int_equal(WEXITSTATUS(machine.vm_status), 6);
    assert_int_equal(log_spy_contains("Can't read signals: Input/output error"), way == WITH_LOOP);
}

static void goes_on_when_signals_cant_be_read(void **state)
{
    EVERY_WAY({
        log_spy_reset();
        signals_unreadable();
    })
}

/* The VM does not stop by itself, and no timer says when it is enough. */
static void timer_unsettable(void)
{
    start_vm(0);
    obedient = false;
    settime_error = EINVAL;
    ask_in_loop = way == WITH_LOOP;
    if (!ask_in_loop)
        (void)kill(getpid(), SIGUSR2);
    supervise(current, &machine);
    settime_error = 0;
    assert_int_equal(machine.life.phase, PHASE_ENDING);
    assert_true(machine.life.requested && !machine.life.vm_gone);
    assert_int_equal(log_spy_contains("Can't set the timer: Invalid argument"), way == WITH_LOOP);
}

static void keeps_deadlines_without_timers(void **state)
{
    EVERY_WAY({
        log_spy_reset();
        timer_unsettable();
    })
}

static void no_descriptor_more(void)
{
    int before = dup(0);
    start_vm(0);
    end_vm();
    run();
    int after = dup(0);
    assert_int_equal(after, before + 1);
    (void)close(after);
    (void)close(before);
}

static void leaves_no_descriptor(void **state)
{
    EVERY_WAY(no_descriptor_more())
}

static void asked_to(int signal, enum action action)
{
    start_vm(0);
    (void)kill(getpid(), signal);
    run();
    assert_true(machine.life.requested && machine.life.vm_gone);
    assert_int_equal(machine.life.action, action);
    assert_int_equal(told, 1);
    assert_int_equal(flushes, 1);
    assert_int_equal(machine.requester.signal, signal);
    assert_int_equal(machine.requester.pid, getpid());
    assert_true(machine.requester.name[0] != '\0');
    assert_int_equal(machine.vm_status, 0);
}

static void stops_when_asked(void **state)
{
    EVERY_WAY({
        asked_to(SIGTERM, ACTION_REBOOT);
        asked_to(SIGINT, ACTION_REBOOT);
        asked_to(SIGUSR1, ACTION_HALT);
        asked_to(SIGPWR, ACTION_HALT);
        asked_to(SIGUSR2, ACTION_POWEROFF);
    })
}

static void not_listened_to(void)
{
    start_vm(0);
    obedient = false;
    timers = 0;
    (void)kill(getpid(), SIGUSR2);
    run();
    /* made before it was needed, and kept */
    assert_in_range(timers, 0, 1);
    assert_int_equal(told, 1);
    assert_false(machine.life.vm_gone);
    assert_true(machine.life.ended_at_ms - machine.life.requested_at_ms >= 40);
    assert_int_equal(machine.life.action, ACTION_POWEROFF);
}

static void waits_no_longer_than_it_may(void **state)
{
    EVERY_WAY(not_listened_to())
}

static void asked_twice(void)
{
    static const struct options patient = {.stop_grace_ms = 3600000,
                                           .graceful_shutdown_timeout_ms = 7200000};
    current = &patient;
    start_vm(0);
    (void)kill(getpid(), SIGUSR1);
    (void)kill(getpid(), SIGUSR2);
    run();
    assert_true(machine.life.hurry);
    assert_int_equal(machine.life.action, ACTION_POWEROFF);
    assert_int_equal(machine.requester.signal, SIGUSR1);
    assert_int_equal(told, 0);
}

static void hurries_when_asked_twice(void **state)
{
    EVERY_WAY(asked_twice())
}

/* Both there before the loop is: whichever it sees first, there is one end. */
static void asked_while_the_vm_ends(void)
{
    siginfo_t info;
    start_vm(0);
    end_vm();
    assert_int_equal(waitid(P_PID, (id_t)vm, &info, WEXITED | WNOWAIT), 0);
    (void)kill(getpid(), SIGUSR2);
    run();
    assert_true(machine.life.vm_gone);
    assert_int_equal(machine.vm_status, 0);
}

static void ends_once_when_all_comes_together(void **state)
{
    EVERY_WAY(asked_while_the_vm_ends())
}

static void send(int fd, uint8_t index, uint8_t result)
{
    struct boot_record record = {
        .index = index, .time = {.start_us = 7, .duration_us = 7, .result = result, .ran = 1}};
    assert_int_equal(write(fd, &record, sizeof record), sizeof record);
}

static void boot_fails(void)
{
    int events[2];
    start_vm(0);
    assert_int_equal(pipe2(events, O_CLOEXEC | O_NONBLOCK), 0);
    machine.life.phase = PHASE_BOOTING;
    machine.boot_events_fd = events[0];
    send(events[1], 0, STEP_DONE);
    send(events[1], 255, STEP_FATAL);
    send(events[1], 2, STEP_FATAL);
    (void)close(events[1]);
    run();
    assert_true(machine.life.fatal);
    assert_int_equal(machine.life.action, ACTION_HALT);
    assert_int_equal(machine.steps[0].ran, 1);
    /* what comes behind the steps is as it was */
    assert_int_equal(machine.configured | machine.early_begun | machine.shutdown_begun, 0);
    assert_int_equal(machine.steps[2].result, STEP_FATAL);
    assert_int_equal(late_starts, 0);
    if (machine.boot_events_fd >= 0)
        (void)close(events[0]);
}

static void ends_when_the_boot_cannot_go_on(void **state)
{
    EVERY_WAY(boot_fails())
}

static void send_seed(int fd, const char *chain)
{
    struct boot_record seed = {.index = BOOT_SEED};
    memcpy(seed.seed_chain, chain, sizeof seed.seed_chain);
    assert_int_equal(write(fd, &seed, sizeof seed), sizeof seed);
}

/* The pipe closes with the exec: the VM is there. Then it ends, which is no failure of the boot. */
static void boot_becomes_vm(bool asked)
{
    static const char chain[] = "what is left of the old seeds...";
    int events[2];
    start_vm(5);
    assert_int_equal(pipe2(events, O_CLOEXEC | O_NONBLOCK), 0);
    machine.life.phase = PHASE_BOOTING;
    machine.boot_events_fd = events[0];
    send(events[1], 1, STEP_WARNED);
    send_seed(events[1], chain);
    (void)close(events[1]);
    if (asked)
        (void)kill(getpid(), SIGTERM);
    else
        end_vm();
    run();
    /* which of the two is seen first is up to the loop */
    assert_true(late_starts == 1 || (asked && late_starts == 0));
    assert_int_equal(machine.boot_events_fd, -1);
    assert_int_equal(machine.steps[1].result, STEP_WARNED);
    assert_memory_equal(machine.seed_chain, chain, sizeof machine.seed_chain);
    assert_int_equal(WEXITSTATUS(machine.vm_status), 5);
    assert_int_equal(polls, way == NO_SIGNALFD ? 0 : 1);
    assert_int_equal(policy_now, SCHED_BATCH | SCHED_RESET_ON_FORK);
    assert_false(machine.life.fatal);
}

static void follows_the_boot(void **state)
{
    EVERY_WAY({
        boot_becomes_vm(false);
        boot_becomes_vm(true);
    })
}

/* While the boot goes on, and nothing but signals is looked at. */
static void asked_while_booting(void)
{
    int events[2];
    start_vm(0);
    assert_int_equal(pipe2(events, O_CLOEXEC | O_NONBLOCK), 0);
    machine.life.phase = PHASE_BOOTING;
    machine.boot_events_fd = events[0];
    send(events[1], 0, STEP_DONE);
    if (way == NO_SIGNALFD)
        (void)kill(getpid(), SIGUSR1);
    else
        ask_in_poll = true;
    run();
    assert_int_equal(machine.life.action, ACTION_HALT);
    assert_true(machine.life.requested && !machine.life.fatal);
    assert_int_equal(told, 1);
    (void)close(events[1]);
    if (machine.boot_events_fd >= 0)
        (void)close(events[0]);
}

static void takes_requests_while_booting(void **state)
{
    EVERY_WAY(asked_while_booting())
}

static void other_child_ends(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(9);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    start_vm(0);
    (void)kill(getpid(), SIGUSR1);
    run();
    /* reaped, and not taken for the VM */
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    assert_int_equal(machine.vm_status, 0);
}

static void reaps_orphans(void **state)
{
    EVERY_WAY(other_child_ends())
}

static void without_helpers(void)
{
    start_vm(0);
    start_error = EAGAIN;
    (void)kill(getpid(), SIGUSR2);
    run();
    assert_true(log_spy_contains("Can't start a process to ask the VM to stop: Resource temp"));
    assert_int_equal(told, 0);
    assert_int_equal(machine.life.action, ACTION_POWEROFF);
}

static void goes_on_without_processes(void **state)
{
    EVERY_WAY(without_helpers())
}

static void has_nothing_to_do_at_the_end(void **state)
{
    (void)state;
    way = WITH_LOOP;
    reset();
    machine = (struct machine){.life = {.phase = PHASE_ENDING}, .boot_events_fd = -1};
    run();
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void says_when_ctrl_alt_del_stays(void **state)
{
    (void)state;
    log_spy_reset();
    cad_error = EPERM;
    supervisor_take_signals();
    cad_error = 0;
    assert_true(log_spy_contains("Ctrl-alt-del stays an immediate reset"));
}

static void knows_no_other_signals(void **state)
{
    (void)state;
    enum action action = ACTION_HALT;
    sigset_t set = supervisor_request_signals();
    int known = 0;
    for (int signal = 1; signal < _NSIG; signal++) {
        bool is_request = supervisor_request_of(signal, &action);
        assert_int_equal(is_request, sigismember(&set, signal) == 1);
        known += is_request;
    }
    assert_int_equal(known, 5);
    action = ACTION_HALT;
    assert_false(supervisor_request_of(SIGHUP, &action));
    assert_int_equal(action, ACTION_HALT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_the_vm),
        cmocka_unit_test(notices_what_ended_before),
        cmocka_unit_test(request_wins_over_end),
        cmocka_unit_test(goes_on_when_signals_cant_be_read),
        cmocka_unit_test(leaves_no_descriptor),
        cmocka_unit_test(keeps_deadlines_without_timers),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(waits_no_longer_than_it_may),
        cmocka_unit_test(hurries_when_asked_twice),
        cmocka_unit_test(ends_once_when_all_comes_together),
        cmocka_unit_test(ends_when_the_boot_cannot_go_on),
        cmocka_unit_test(follows_the_boot),
        cmocka_unit_test(takes_requests_while_booting),
        cmocka_unit_test(reaps_orphans),
        cmocka_unit_test(goes_on_without_processes),
        cmocka_unit_test(has_nothing_to_do_at_the_end),
        cmocka_unit_test(says_when_ctrl_alt_del_stays),
        cmocka_unit_test(knows_no_other_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
