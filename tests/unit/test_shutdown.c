/* SPDX-License-Identifier: MIT */
/* The table of the shutdown and the loop over it; its small steps; requests at any moment. Time is
 * made up. */
/* wrap: shutdown_terminate shutdown_kill shutdown_breadcrumbs shutdown_unmount_others */
/* wrap: shutdown_report shutdown_unmount shutdown_reboot time_ms close mmap */
/* wrap: child_start child_wait child_wait_event child_reap child_call child_set_hooks */
/* wrap: command_run seed_refresh shutdown_record_end file_set file_read_line */
#include "erlinit/files.h"
#include "erlinit/seed.h"
#include "erlinit/shutdown.h"
#include "erlinit/supervisor.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

void __wrap_shutdown_terminate(struct shutdown *shutdown);
void __wrap_shutdown_kill(struct shutdown *shutdown);
void __wrap_shutdown_breadcrumbs(struct shutdown *shutdown);
void __wrap_shutdown_unmount_others(struct shutdown *shutdown);
void __wrap_shutdown_report(struct shutdown *shutdown);
void __wrap_shutdown_unmount(struct shutdown *shutdown);
__attribute__((noreturn)) void __wrap_shutdown_reboot(enum action action, const char *argument);
int64_t __wrap_time_ms(void);
int __wrap_close(int fd);
void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
pid_t __wrap_child_start(int (*function)(void *argument), void *argument);
int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status);
bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms);
bool __wrap_child_reap(const struct child_hooks *hooks);
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
void __wrap_child_set_hooks(const struct child_hooks *hooks);
int __wrap_command_run(const struct command *command);
int __wrap_seed_refresh(const char *directory);
void __wrap_shutdown_record_end(const struct shutdown *shutdown);
int __real_file_set(const char *path, const char *text);
int __wrap_file_set(const char *path, const char *text);
ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);

#define RUNS     77 /* process of --run-on-exit */
#define START_MS 1000
#define ENDS     (-1) /* an event: the child has ended */

static jmp_buf end;
static char calls[1024];
static int64_t now_ms, took_ms;
static const int *events; /* signals that come while it waits, ended by 0 */
static int (*job)(void *argument);
static void *job_argument;
static bool job_done, no_shared_memory;
static int start_error, command_result, seed_result, call_result, records;
static const char *reboot_parameter;
static struct shutdown *self; /* as the steps get it */
static void (*meanwhile)(void);
static const struct child_hooks *main_hooks;
static struct options options;
static struct machine machine;

static void note(const char *format, long long number)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s", format);
    if (number < 0)
        return;
    length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%lld;", number);
}

static void step(const char *name, struct shutdown *shutdown)
{
    self = shutdown;
    note(name, -1);
    now_ms += took_ms;
    if (meanwhile != NULL)
        meanwhile();
    meanwhile = NULL;
}

void __wrap_shutdown_terminate(struct shutdown *shutdown)
{
    step("terminate;", shutdown);
}

void __wrap_shutdown_kill(struct shutdown *shutdown)
{
    step("kill;", shutdown);
}

void __wrap_shutdown_breadcrumbs(struct shutdown *shutdown)
{
    step("breadcrumbs;", shutdown);
}

void __wrap_shutdown_unmount_others(struct shutdown *shutdown)
{
    step("unmount-others;", shutdown);
}

void __wrap_shutdown_report(struct shutdown *shutdown)
{
    step("report;", shutdown);
}

void __wrap_shutdown_unmount(struct shutdown *shutdown)
{
    step("unmount;", shutdown);
}

void __wrap_shutdown_reboot(enum action action, const char *argument)
{
    note(shutdown_action_name(action), -1);
    note(argument[0] != '\0' ? " " : "", -1);
    note(argument, -1);
    longjmp(end, 1);
}

int64_t __wrap_time_ms(void)
{
    return now_ms;
}

int __wrap_close(int fd)
{
    note("close ", fd);
    return 0;
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    if (no_shared_memory && (flags & MAP_SHARED) != 0)
        return MAP_FAILED;
    return __real_mmap(at, length, protection, flags, fd, offset);
}

pid_t __wrap_child_start(int (*function)(void *argument), void *argument)
{
    assert_false(machine.life.requested);
    job = function;
    job_argument = argument;
    job_done = false;
    return start_error != 0 ? start_error : RUNS;
}

int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status)
{
    assert_int_equal(pid, RUNS);
    (void)deadline_ms;
    if (!job_done)
        return -ETIMEDOUT;
    *status = job(job_argument) << 8;
    return 0;
}

bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms)
{
    assert_ptr_equal(hooks, main_hooks);
    int event = *events;
    if (event == 0) {
        assert_true(deadline_ms != CHILD_NO_DEADLINE);
        note("waited ", deadline_ms - now_ms);
        now_ms = deadline_ms;
        return false;
    }
    events++;
    now_ms++;
    if (event == ENDS)
        job_done = true;
    else
        hooks->signalled(hooks->context,
                         &(siginfo_t){.si_signo = event, .si_pid = 321, .si_uid = 5});
    return true;
}

bool __wrap_child_reap(const struct child_hooks *hooks)
{
    assert_ptr_equal(hooks, main_hooks);
    return false;
}

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    assert_in_range(limit_ms, 1, 2000);
    note("seed;", -1);
    return call_result != 0 ? call_result : -function(argument);
}

void __wrap_child_set_hooks(const struct child_hooks *hooks)
{
    main_hooks = hooks;
}

int __wrap_command_run(const struct command *command)
{
    assert_true(command->foreground);
    assert_int_equal(command->limit_ms, 60000);
    note(command->line, -1);
    note(";", -1);
    return command_result;
}

int __wrap_seed_refresh(const char *directory)
{
    assert_string_equal(directory, "/state/seedrng");
    return seed_result;
}

/* In the same child, whatever came of the seed. */
void __wrap_shutdown_record_end(const struct shutdown *shutdown)
{
    assert_ptr_equal(shutdown->machine, &machine);
    records++;
}

int __wrap_file_set(const char *path, const char *text)
{
    /* without wrapping this doesn't link: this machine's settings must stay */
    assert_ptr_not_equal(__real_file_set, __wrap_file_set);
    note(path, -1);
    note("=", -1);
    note(text, -1);
    note(";", -1);
    return -ENOENT;
}

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    assert_string_equal(path, "/run/reboot-param");
    return reboot_parameter == NULL ? -ENOENT : snprintf(buffer, size, "%s", reboot_parameter);
}

static int setup(void **state)
{
    static const int none[] = {0};
    (void)state;
    log_spy_reset();
    calls[0] = '\0';
    now_ms = START_MS;
    took_ms = 0;
    events = none;
    start_error = command_result = seed_result = call_result = 0;
    no_shared_memory = false;
    reboot_parameter = NULL;
    meanwhile = NULL;
    options = (struct options){.shutdown_timeout_ms = 8000,
                               .command_timeout_ms = 60000,
                               .state_directory = {"/state", {"f", 1, 1}}};
    machine = (struct machine){.vm_pid = 200, .life = {.phase = PHASE_ENDING, .vm_gone = true}};
    return 0;
}

static const char *run(void)
{
    calls[0] = '\0';
    if (setjmp(end) == 0)
        shut_down(&options, &machine);
    return calls;
}

static bool waits(void)
{
    return strstr(run(), "waited") != NULL || log_spy_contains("Waiting") ||
           log_spy_contains("Rebooting at");
}

#define QUIET                                                                                      \
    "/proc/sys/kernel/core_pattern=|/bin/false;/sys/kernel/uevent_helper=\n;terminate;kill;"
#define REST  "seed;unmount-others;report;unmount;"
#define CLOSE "close 0;close 1;close 2;"

static void goes_through_the_table(void **state)
{
    (void)state;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_true(self->deadline_ms == START_MS + 8000);
    size_t count = 0;
    for (size_t i = 0; shutdown_steps[i].name != NULL; i++, count++)
        assert_int_equal(self->steps[i].ran, 1);
    assert_int_equal(machine.shutdown_begun, count);
    assert_false(log_spy_contains("shutdown, kill"));
    options.print_timing = true;
    (void)setup(NULL);
    options.print_timing = true;
    no_shared_memory = true;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart");
    assert_true(log_spy_contains("shutdown, kill: "));
}

static uint32_t number_of(const char *name)
{
    uint32_t i = 0;
    while (strcmp(shutdown_steps[i].name, name) != 0)
        i++;
    return i + 1;
}

static void goes_on_behind_a_crash(void **state)
{
    (void)state;
    machine.shutdown_begun = number_of("terminate");
    machine.shutdown_deadline_ms = START_MS + 123;
    assert_string_equal(run(), "kill;breadcrumbs;" REST CLOSE "restart");
    /* the budget doesn't begin anew */
    assert_true(self->deadline_ms == START_MS + 123);
    assert_true(machine.shutdown_deadline_ms == START_MS + 123);
    machine.shutdown_begun = number_of("pause");
    assert_string_equal(run(), CLOSE "restart");
    machine.shutdown_begun = 99;
    assert_string_equal(run(), CLOSE "restart");
}

static void unmounting_is_worth_another_try(void **state)
{
    (void)state;
    machine.shutdown_begun = number_of("unmount");
    machine.shutdown_deadline_ms = START_MS + 123;
    assert_string_equal(run(), "unmount;" CLOSE "restart");
    /* one */
    machine.shutdown_begun = number_of("unmount");
    assert_string_equal(run(), CLOSE "restart");
    machine.shutdown_repeated = 0;
    machine.shutdown_begun = number_of("unmount-others");
    assert_string_equal(run(), "unmount-others;report;unmount;" CLOSE "restart");
}

/* What runs before the budget begins leaves all of it, also when PID 1 crashes there. */
static void budget_is_whole_after_a_crash_at_the_exit(void **state)
{
    (void)state;
    machine.shutdown_begun = number_of("run-on-exit");
    machine.shutdown_deadline_ms = START_MS - 50;
    (void)run();
    assert_true(self->deadline_ms == START_MS + 8000);
}

static void runs_a_command_at_the_exit(void **state)
{
    (void)state;
    options.run_on_exit = (struct word){"/bin/sh", {"f", 1, 1}};
    events = (const int[]){SIGHUP, SIGCHLD, ENDS, 0};
    assert_string_equal(run(), "/bin/sh;" QUIET "breadcrumbs;" REST CLOSE "restart");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_int_equal(self->notes->run_on_exit_result, 0);
    /* the budget begins behind it */
    assert_true(self->deadline_ms == START_MS + 3 + 8000);
}

static void says_how_the_command_failed(void **state)
{
    (void)state;
    options.run_on_exit = (struct word){"/bin/sh", {"f", 1, 1}};
    events = (const int[]){ENDS, 0};
    command_result = 7;
    (void)run();
    assert_string_equal(log_spy_last(),
                        "f:1:1: --run-on-exit /bin/sh: ended with 7. Shutting down now");
    machine.shutdown_begun = 0;
    events = (const int[]){ENDS, 0};
    command_result = -ENOENT;
    (void)run();
    assert_string_equal(
        log_spy_last(),
        "f:1:1: --run-on-exit /bin/sh: No such file or directory. Shutting down now");
    machine.shutdown_begun = 0;
    start_error = -EAGAIN;
    (void)run();
    assert_non_null(strstr(log_spy_last(), "Resource temporarily unavailable. Shutting"));
}

static void a_request_ends_the_command(void **state)
{
    (void)state;
    options.run_on_exit = (struct word){"/bin/sh", {"f", 1, 1}};
    events = (const int[]){SIGUSR2, ENDS, 0};
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "power off");
    assert_string_equal(log_spy_last(), "f:1:1: --run-on-exit /bin/sh: left. Shutting down now");
    assert_int_equal(machine.requester.signal, SIGUSR2);
    assert_int_equal(machine.requester.pid, 321);
    assert_int_equal(machine.requester.uid, 5);
}

static void runs_it_at_no_other_end(void **state)
{
    (void)state;
    options.run_on_exit = (struct word){"/bin/sh", {"f", 1, 1}};
    machine.life.requested = true;
    assert_null(strstr(run(), "/bin/sh"));
    (void)setup(NULL);
    options.run_on_exit = (struct word){"/bin/sh", {"f", 1, 1}};
    machine.life.fatal = true;
    assert_null(strstr(run(), "/bin/sh"));
}

static void send_signal(int signal)
{
    main_hooks->signalled(main_hooks->context, &(siginfo_t){.si_signo = signal, .si_pid = 9});
}

static void ask_to_halt(void)
{
    assert_false(machine.life.requested);
    send_signal(SIGUSR1);
    assert_true(machine.life.requested && !machine.life.hurry);
    assert_int_equal(machine.requester.signal, SIGUSR1);
    send_signal(SIGHUP);
    assert_true(machine.life.requested && !machine.life.hurry);
    assert_int_equal(machine.life.action, ACTION_HALT);
}

static void ask_three_times(void)
{
    ask_to_halt();
    send_signal(SIGUSR2);
    assert_true(machine.life.hurry);
    assert_int_equal(machine.requester.signal, SIGUSR1);
    send_signal(SIGTERM);
}

static void requests_decide_at_any_moment(void **state)
{
    (void)state;
    options.exit_pause_ms = 5000;
    meanwhile = ask_to_halt;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "halt");
    assert_true(log_spy_contains("Asked to halt while shutting down: signal 10 from process 9"));
    (void)setup(NULL);
    meanwhile = ask_three_times;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart");
}

static void end_children(void)
{
    struct shutdown_notes *notes = self->notes;
    notes->catcher_count = 3;
    notes->catchers[0] = 31;
    notes->catchers[1] = 32;
    notes->catchers[2] = 33;
    notes->hung_count = 2;
    notes->hung_child[0] = 30;
    notes->hung_child[1] = 31;
    main_hooks->reaped(main_hooks->context, 31, 0);
    assert_int_equal(notes->catcher_count, 2);
    assert_int_equal(notes->hung_child[0], 30);
    assert_int_equal(notes->hung_child[1], 0);
    main_hooks->reaped(main_hooks->context, 31, 0);
    main_hooks->reaped(main_hooks->context, 99, 0);
    assert_int_equal(notes->catcher_count, 2);
    main_hooks->reaped(main_hooks->context, 33, 0);
    assert_int_equal(notes->catcher_count, 1);
    assert_int_equal(notes->catchers[0], 32);
    assert_false(machine.life.vm_gone);
    main_hooks->reaped(main_hooks->context, 200, 9);
    main_hooks->reaped(main_hooks->context, 200, 4);
}

static void sees_who_ends(void **state)
{
    (void)state;
    machine.life.vm_gone = false;
    meanwhile = end_children;
    (void)run();
    assert_true(machine.life.vm_gone);
    assert_int_equal(machine.vm_status, 9);
}

static void passes_the_reboot_argument_on(void **state)
{
    (void)state;
    machine.life.requested = true;
    reboot_parameter = "0 tryboot";
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart 0 tryboot");
    /* nobody asked: it is left from something else */
    (void)setup(NULL);
    reboot_parameter = "0 tryboot";
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart");
}

static void pauses_before_the_screen_goes_dark(void **state)
{
    (void)state;
    options.exit_pause_ms = 5000;
    machine.life.action = ACTION_POWEROFF;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST "waited 5000;" CLOSE "power off");
    assert_true(log_spy_contains("Waiting 5000 ms before power off"));
    machine.shutdown_begun = 0;
    machine.life.action = ACTION_HALT;
    events = (const int[]){SIGHUP, SIGTERM, SIGCHLD, 0};
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "restart");
    assert_int_equal(*events, SIGCHLD);
}

static void pauses_for_nothing_else(void **state)
{
    (void)state;
    options.exit_pause_ms = 5000;
    assert_false(waits());
    (void)setup(NULL);
    options.exit_pause_ms = 5000;
    machine.life.action = ACTION_HALT;
    machine.life.requested = true;
    assert_false(waits());
    (void)setup(NULL);
    machine.life.action = ACTION_HALT;
    assert_false(waits());
}

static void spaces_failing_boots(void **state)
{
    (void)state;
    options.reboot_min_uptime_ms = 10000;
    machine.life.fatal = true;
    assert_string_equal(run(), QUIET "breadcrumbs;" REST "waited 9000;" CLOSE "restart");
    /* up long enough already */
    (void)setup(NULL);
    now_ms = options.reboot_min_uptime_ms = 10000;
    machine.life.fatal = true;
    assert_false(waits());
    (void)setup(NULL);
    options.reboot_min_uptime_ms = 10000;
    machine.life.fatal = true;
    events = (const int[]){SIGUSR2, SIGCHLD, 0};
    assert_string_equal(run(), QUIET "breadcrumbs;" REST CLOSE "power off");
    assert_int_equal(*events, SIGCHLD);
}

static void spaces_nothing_else(void **state)
{
    (void)state;
    options.reboot_min_uptime_ms = 10000;
    assert_false(waits());
    machine = (struct machine){.life = {.fatal = true, .action = ACTION_HALT}};
    assert_false(waits());
    machine = (struct machine){.life = {.fatal = true, .requested = true}};
    assert_false(waits());
}

static void saves_the_seed_if_it_can(void **state)
{
    (void)state;
    call_result = -ETIMEDOUT;
    (void)run();
    assert_true(log_spy_contains("Saving the random seed and the record of this end took too"));
    (void)setup(NULL);
    seed_result = -EROFS; /* said by the function itself */
    records = 0;
    (void)run();
    assert_int_equal(records, 1);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    options.state_directory.text = path;
    struct shutdown shutdown = {.options = &options, .machine = &machine};
    shutdown_save_seed(&shutdown);
}

static void counts_the_time_down(void **state)
{
    (void)state;
    const struct shutdown shutdown = {.deadline_ms = START_MS + 100};
    assert_true(shutdown_time_left(&shutdown, 50) == 50);
    assert_true(shutdown_time_left(&shutdown, 500) == 100);
    now_ms += 99;
    assert_true(shutdown_time_left(&shutdown, 500) == 1);
    now_ms += 99;
    assert_true(shutdown_time_left(&shutdown, 500) == 1);
}

static void notes_what_fits(void **state)
{
    (void)state;
    static struct shutdown_notes notes;
    struct shutdown shutdown = {.notes = &notes};
    char line[1000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 20; i++)
        shutdown_note(&shutdown, "%d%s", i % 10, line);
    assert_int_equal(notes.length, 8 * 1001);
    assert_int_equal(notes.lines[notes.length], '\0');
    shutdown_note(&shutdown, "short %d", 5);
    assert_string_equal(notes.lines + 8 * 1001, "short 5\n");
    for (int i = 0; i < SHUTDOWN_NOTES_BYTES; i++)
        shutdown_note(&shutdown, "%s", "");
    assert_int_equal(notes.length, SHUTDOWN_NOTES_BYTES - 1);
    assert_int_equal(strlen(notes.lines), SHUTDOWN_NOTES_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(goes_through_the_table, setup),
        cmocka_unit_test_setup(goes_on_behind_a_crash, setup),
        cmocka_unit_test_setup(unmounting_is_worth_another_try, setup),
        cmocka_unit_test_setup(budget_is_whole_after_a_crash_at_the_exit, setup),
        cmocka_unit_test_setup(runs_a_command_at_the_exit, setup),
        cmocka_unit_test_setup(says_how_the_command_failed, setup),
        cmocka_unit_test_setup(a_request_ends_the_command, setup),
        cmocka_unit_test_setup(runs_it_at_no_other_end, setup),
        cmocka_unit_test_setup(requests_decide_at_any_moment, setup),
        cmocka_unit_test_setup(sees_who_ends, setup),
        cmocka_unit_test_setup(passes_the_reboot_argument_on, setup),
        cmocka_unit_test_setup(pauses_before_the_screen_goes_dark, setup),
        cmocka_unit_test_setup(pauses_for_nothing_else, setup),
        cmocka_unit_test_setup(spaces_failing_boots, setup),
        cmocka_unit_test_setup(spaces_nothing_else, setup),
        cmocka_unit_test_setup(saves_the_seed_if_it_can, setup),
        cmocka_unit_test_setup(counts_the_time_down, setup),
        cmocka_unit_test_setup(notes_what_fits, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
