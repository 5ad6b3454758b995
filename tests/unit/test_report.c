/* SPDX-License-Identifier: MIT */
/* The shutdown report, which tools parse: every line of its head, its sections, its files. */
/* wrap: child_call clock_gettime time_us report_add_kernel_log report_add_crash_dump */
/* wrap: filesystems_note_left filesystems_note_holders */
#include "../../src/shutdown/filesystems.h"

#include "erlinit/report.h"
#include "erlinit/shutdown.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
int __wrap_filesystems_note_left(void *argument);
int __wrap_filesystems_note_holders(void *argument);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
uint64_t __wrap_time_us(void);
void __wrap_report_add_kernel_log(struct text *text, struct text *oom);
void __wrap_report_add_crash_dump(struct text *text, const struct options *options);

static int call_error, holders_error;
static uint64_t uptime_us;
static const char *dump, *killed, *left;
static struct shutdown_notes notes;
static struct machine machine;
static struct options options;
static struct shutdown self;

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    bool apart = function == filesystems_note_holders;
    assert_in_range(limit_ms, 1, apart ? 250 : 2000);
    if (apart && holders_error != 0)
        return holders_error;
    return call_error != 0 ? call_error : -function(argument);
}

int __wrap_filesystems_note_left(void *argument)
{
    assert_ptr_equal(argument, &self);
    shutdown_note(&self, "%s", left);
    return 0;
}

int __wrap_filesystems_note_holders(void *argument)
{
    assert_ptr_equal(argument, &self);
    shutdown_note(&self, "- holders");
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){.tv_sec = 1700000000};
    return 0;
}

uint64_t __wrap_time_us(void)
{
    return uptime_us;
}

void __wrap_report_add_kernel_log(struct text *text, struct text *oom)
{
    text_add(text, "\n## dmesg\n\n```\n```\n");
    text_add(oom, killed);
}

void __wrap_report_add_crash_dump(struct text *text, const struct options *given)
{
    assert_ptr_equal(given, &options);
    text_add(text, dump);
}

static int setup(void **state)
{
    log_spy_reset();
    call_error = holders_error = 0;
    uptime_us = 90061000000ULL; /* a day, an hour, a minute, a second */
    dump = killed = "";
    left = "- left";
    notes = (struct shutdown_notes){.run_on_exit_result = SHUTDOWN_NOT_RUN};
    machine = (struct machine){.vm_pid = 200, .life = {.vm_gone = true, .ended_at_ms = 5000}};
    options = (struct options){.step_timeout_ms = 2000};
    self = (struct shutdown){.options = &options,
                             .machine = &machine,
                             .notes = &notes,
                             .deadline_ms = INT64_MAX,
                             .alone = true};
    return scratch_make(state);
}

static const char *content(const char *path)
{
    static char bytes[16384];
    FILE *file = fopen(scratch_path(path), "r");
    if (file == NULL)
        return "(none)";
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    (void)fclose(file);
    return bytes;
}

static const char *report(void)
{
    options.shutdown_report = (struct word){scratch_path("/report.md"), {"f", 3, 1}};
    shutdown_report(&self);
    return content("/report.md");
}

#define TIMES "Uptime: 1 days, 1:01:01\nCurrent time: 2023-11-14T22:13:20.000000+00:00\n"

static void begins_as_tools_expect(void **state)
{
    (void)state;
    assert_string_equal(report(), "# Erlinit shutdown report\n\n" TIMES "Intentional exit: no\n"
                                  "Graceful shutdown succeeded: no\n"
                                  "Graceful shutdown time: N/A\n"
                                  "Erlang exit status: 0\n"
                                  "Shutdown action: restart\n"
                                  "\n## dmesg\n\n```\n```\n"
                                  "\n## Shutdown\n\n- left\n");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    uptime_us = 999999;
    assert_non_null(strstr(report(), "Uptime: 0 days, 0:00:00\n"));
}

static void says_that_the_end_was_wanted(void **state)
{
    (void)state;
    machine.life.requested = machine.life.stopped = true;
    machine.life.requested_at_ms = 2926;
    machine.life.action = ACTION_POWEROFF;
    machine.vm_status = 3 << 8;
    assert_non_null(strstr(report(), TIMES "Intentional exit: yes\n"
                                           "Graceful shutdown succeeded: yes\n"
                                           "Graceful shutdown time: 2.074 seconds\n"
                                           "Erlang exit status: 3\n"
                                           "Shutdown action: power off\n\n## dmesg"));
    machine.life.action = ACTION_HALT;
    machine.life.requested_at_ms = 4993;
    assert_non_null(strstr(report(), "Graceful shutdown time: 0.007 seconds\n"));
    assert_non_null(strstr(report(), "Shutdown action: halt\n"));
}

static void knows_what_was_not_graceful(void **state)
{
    (void)state;
    const struct machine graceful = {
        .vm_pid = 200,
        .life = {.requested = true, .vm_gone = true, .stopped = true, .ended_at_ms = 5000}};
    machine = graceful;
    assert_non_null(strstr(report(), "succeeded: yes\n"));
    machine.life.hurry = true;
    assert_non_null(strstr(report(), "succeeded: no\nGraceful shutdown time: N/A\n"));
    machine = graceful;
    machine.vm_status = SIGKILL;
    assert_non_null(strstr(report(), "succeeded: no\n"));
    machine.vm_status = SIGTERM;
    assert_non_null(strstr(report(), "succeeded: yes\n"));
    /* asked only when the VM had ended already */
    machine = graceful;
    machine.life.stopped = false;
    assert_non_null(strstr(report(), "succeeded: no\n"));
}

static void says_how_the_vm_ended(void **state)
{
    (void)state;
    machine.vm_status = SIGSEGV;
    assert_non_null(strstr(report(), "\nErlang exited due to signal: 11\n"));
    machine.vm_status = 255 << 8;
    assert_non_null(strstr(report(), "\nErlang exit status: 255\n"));
    machine.life.vm_gone = false;
    assert_non_null(strstr(report(), "\nErlang exit status: still running\n"));
    machine.vm_pid = 0;
    assert_non_null(strstr(report(), "\nErlang exit status: not started\n"));
}

static void tells_the_reboot_arguments(void **state)
{
    (void)state;
    assert_null(strstr(report(), "Reboot args"));
    (void)strcpy(self.reboot_argument, "0 tryboot");
    assert_non_null(strstr(report(), "Shutdown action: restart\nReboot args: 0 tryboot\n\n##"));
}

static void tells_details(void **state)
{
    (void)state;
    machine.requester = (struct requester){.signal = 15, .pid = 321, .uid = 7, .name = "my app"};
    machine.life.fatal = true;
    machine.crashes = 2;
    notes.run_on_exit_result = -2;
    self.steps[1] = (struct step_time){.start_us = 12034, .duration_us = 1002, .ran = 1};
    shutdown_note(&self, "- %s: unmounted", "/data");
    killed = "- oom-kill: x\n";
    dump = "- crash dump\n";
    assert_non_null(strstr(report(), "\n## Shutdown\n\n"
                                     "- asked by signal 15 from process 321 (my app), uid 7\n"
                                     "- fatal error of erlinit\n"
                                     "- crashes of PID 1: 2\n"
                                     "- run-on-exit result: -2\n"
                                     "- quiet: started at 12.034 ms, took 1.002 ms\n"
                                     "- /data: unmounted\n"
                                     "- left\n"
                                     "- oom-kill: x\n"
                                     "- crash dump\n"));
    machine.requester = (struct requester){.signal = SIGINT};
    assert_non_null(strstr(report(), "- asked by signal 2 from process 0 (kernel), uid 0\n"));
}

/* Looking for them may hang, which must not cost the report. */
static void names_who_keeps_file_systems_busy(void **state)
{
    (void)state;
    self.alone = false;
    assert_non_null(strstr(report(), "\n- holders\n- left\n"));
    notes.length = 0;
    holders_error = -ETIMEDOUT;
    assert_non_null(strstr(report(), "\n## Shutdown\n\n- left\n"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void says_all_in_one_line_too(void **state)
{
    (void)state;
    shutdown_breadcrumbs(&self);
    assert_string_equal(log_spy_last_any(), "Erlang exit status: 0. Intentional: no. Now: restart");
    machine.life.requested = machine.life.fatal = true;
    machine.life.action = ACTION_HALT;
    machine.vm_status = SIGKILL;
    (void)strcpy(self.reboot_argument, "x y");
    shutdown_breadcrumbs(&self);
    assert_string_equal(log_spy_last_any(), "Erlang exited due to signal: 9. Intentional: yes, "
                                            "fatal error. Now: halt x y");
}

static void writes_none_unless_told(void **state)
{
    (void)state;
    call_error = -EIO;
    shutdown_report(&self);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void replaces_or_rotates(void **state)
{
    (void)state;
    scratch_file("/report.md", "old");
    assert_non_null(strstr(report(), "# Erlinit"));
    assert_string_equal(content("/report.md.1"), "(none)");
    scratch_file("/report.md", "new");
    scratch_file("/report.md.1", "older");
    scratch_file("/report.md.2", "oldest");
    scratch_file("/report.md.3", "not ours");
    options.report_keep = 2;
    assert_non_null(strstr(report(), "# Erlinit"));
    assert_string_equal(content("/report.md.1"), "new");
    assert_string_equal(content("/report.md.2"), "older");
    assert_string_equal(content("/report.md.3"), "not ours");
    /* gaps and the first time of all */
    assert_int_equal(remove(scratch_path("/report.md")), 0);
    assert_int_equal(remove(scratch_path("/report.md.2")), 0);
    assert_non_null(strstr(report(), "# Erlinit"));
    assert_string_equal(content("/report.md.2"), "new");
}

/* What an application has put there is replaced, and what it points to is left alone. */
static void follows_no_link(void **state)
{
    (void)state;
    scratch_file("/precious", "precious");
    scratch_link(scratch_path("/precious"), "/report.md");
    assert_non_null(strstr(report(), "# Erlinit"));
    assert_string_equal(content("/precious"), "precious");
    struct stat status;
    assert_int_equal(lstat(scratch_path("/report.md"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0644);
}

static void directories_may_be_links(void **state)
{
    (void)state;
    scratch_directory("/real");
    scratch_link(scratch_path("/real"), "/link");
    options.shutdown_report = (struct word){scratch_path("/link/r"), {"f", 3, 1}};
    shutdown_report(&self);
    assert_non_null(strstr(content("/real/r"), "# Erlinit"));
}

static void says_why_there_is_none(void **state)
{
    (void)state;
    options.shutdown_report = (struct word){"/nonexistent/report", {"f", 3, 1}};
    shutdown_report(&self);
    assert_string_equal(log_spy_last(),
                        "f:3:1: --shutdown-report /nonexistent/report: No such file "
                        "or directory. No report of this shutdown");
    call_error = -ETIMEDOUT;
    (void)report();
    assert_non_null(strstr(log_spy_last(), "Connection timed out. No report"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begins_as_tools_expect),
        TEST(says_that_the_end_was_wanted),
        TEST(knows_what_was_not_graceful),
        TEST(says_how_the_vm_ended),
        TEST(tells_the_reboot_arguments),
        TEST(tells_details),
        TEST(says_all_in_one_line_too),
        TEST(writes_none_unless_told),
        TEST(replaces_or_rotates),
        TEST(follows_no_link),
        TEST(names_who_keeps_file_systems_busy),
        TEST(directories_may_be_links),
        TEST(says_why_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
