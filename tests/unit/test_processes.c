/* SPDX-License-Identifier: MIT */
/* Ending every process: who is asked, who is waited for, who is named. On a made-up /proc. */
/* wrap: directory_list file_read kill stat */
/* wrap: child_call child_reap child_wait_event */
#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "erlinit/times.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names);
ssize_t __wrap_file_read(const char *path, char *buffer, size_t size);
int __wrap_stat(const char *path, struct stat *status);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
bool __wrap_child_reap(const struct child_hooks *hooks);
bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms);

enum nature {
    DIES,    /* of SIGTERM */
    IGNORES, /* SIGTERM */
    CATCHES, /* SIGTERM, and ends at the next wait */
    WORKS,   /* catches SIGTERM, and doesn't end */
    HANGS,   /* in state D: nothing ends it */
    IS_GONE,
};

struct process {
    pid_t pid;
    enum nature nature;
    const char *comm;
    const char *rest;    /* of its stat up to the flags, NULL: an ordinary one */
    bool theirs;         /* not root's */
    const char *command; /* line, NULL: "x" */
    bool ending;
};

#define MAX_PROCESSES 100
static struct process processes[MAX_PROCESSES];
static size_t process_count;
static char signals[512]; /* that were sent */
static int calls, waits, call_error;
static bool times_out;          /* the next wait finds no event */
static struct process *arrives; /* at the next wait */
static int64_t waited_until;
static struct shutdown_notes notes;
static struct machine machine;
static struct shutdown self;
static const struct options options = {
    .term_grace_ms = 1000, .kill_timeout_ms = 2000, .step_timeout_ms = 500};

static struct process *find(pid_t pid)
{
    for (size_t i = 0; i < process_count; i++)
        if (processes[i].pid == pid)
            return &processes[i];
    /* PID 1 and the child that looks are there too */
    static struct process own = {.nature = WORKS, .comm = "erlinit"};
    return pid == 1 || pid == getpid() ? &own : NULL;
}

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names)
{
    assert_string_equal(path, "/proc");
    assert_ptr_equal(wanted, directory_entry_is_process);
    assert_int_equal(strings_add(names, "1"), 0);
    assert_int_equal(strings_add(names, arena_format("%d", (int)getpid())), 0);
    for (size_t i = 0; i < process_count; i++)
        assert_int_equal(strings_add(names, arena_format("%d", (int)processes[i].pid)), 0);
    return 0;
}

static int stat_of(const struct process *process, char *buffer, size_t size)
{
    const unsigned int term = 1U << (SIGTERM - 1);
    bool catches = process->nature == CATCHES || process->nature == WORKS;
    const char *rest = process->rest;
    if (rest == NULL)
        rest = process->nature == HANGS ? "D 1 7 7 0 -1 4194560" : "S 1 7 7 0 -1 4194560";
    return snprintf(buffer, size,
                    "%d (%s) %s 1 0 0 0 0 0 0 0 20 0 1 0 6 7 8 9 1 1 0 0 0 0 0 %u %u 0 0\n",
                    (int)process->pid, process->comm, rest, process->nature == IGNORES ? term : 0,
                    catches ? term : 0);
}

int __wrap_stat(const char *path, struct stat *status)
{
    const struct process *process = find((pid_t)strtol(path + strlen("/proc/"), NULL, 10));
    *status = (struct stat){.st_uid = process != NULL && process->theirs ? 1000 : 0};
    return 0;
}

ssize_t __wrap_file_read(const char *path, char *buffer, size_t size)
{
    char *name = NULL;
    const struct process *process = find((pid_t)strtol(path + strlen("/proc/"), &name, 10));
    if (process == NULL || process->nature == IS_GONE)
        return -ENOENT;
    if (strcmp(name, "/stat") == 0)
        return stat_of(process, buffer, size);
    if (strcmp(name, "/wchan") == 0)
        return process->nature == HANGS ? snprintf(buffer, size, "io_schedule") : -EACCES;
    assert_string_equal(name, "/cmdline");
    return snprintf(buffer, size, "%s", process->command != NULL ? process->command : "x");
}

static void strike(struct process *process, int signal)
{
    if (process->nature == HANGS || process->nature == IS_GONE)
        return;
    if (signal == SIGKILL || (signal == SIGTERM && process->nature == DIES))
        process->nature = IS_GONE;
    if (signal == SIGTERM && process->nature == CATCHES)
        process->ending = true;
}

int __wrap_kill(pid_t pid, int signal)
{
    /* without wrapping this doesn't link: nobody on this machine must get these signals */
    assert_ptr_not_equal(__real_kill, __wrap_kill);
    size_t length = strlen(signals);
    (void)snprintf(signals + length, sizeof signals - length, "%d:%d ", (int)pid, signal);
    for (size_t i = 0; i < process_count; i++)
        if (pid == -1 || processes[i].pid == pid)
            strike(&processes[i], signal);
    return 0;
}

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    assert_in_range(limit_ms, 1, options.step_timeout_ms);
    calls++;
    return call_error != 0 ? call_error : -function(argument);
}

/* True as in child.c: nobody is there any more. Kernel threads are nobody's children. */
bool __wrap_child_reap(const struct child_hooks *hooks)
{
    assert_ptr_equal(hooks, &self.hooks);
    bool alone = true;
    for (size_t i = 0; i < process_count; i++)
        alone = alone && (processes[i].nature == IS_GONE || processes[i].rest != NULL);
    return alone;
}

bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms)
{
    assert_ptr_equal(hooks, &self.hooks);
    assert_true(++waits < 20);
    waited_until = deadline_ms;
    if (times_out)
        return false;
    for (size_t i = 0; i < process_count; i++) {
        if (!processes[i].ending)
            continue;
        processes[i].ending = false;
        processes[i].nature = IS_GONE;
        for (int j = 0; j < notes.catcher_count; j++)
            if (notes.catchers[j] == processes[i].pid)
                notes.catchers[j] = notes.catchers[--notes.catcher_count];
    }
    if (arrives != NULL)
        processes[process_count++] = *arrives;
    arrives = NULL;
    return true;
}

static int setup(void **state)
{
    (void)state;
    log_spy_reset();
    signals[0] = '\0';
    calls = waits = call_error = 0;
    times_out = false;
    arrives = NULL;
    notes = (struct shutdown_notes){0};
    machine = (struct machine){0};
    self = (struct shutdown){.options = &options,
                             .machine = &machine,
                             .notes = &notes,
                             .deadline_ms = time_ms() + 100000};
    return 0;
}

static void have(size_t count, const struct process *list)
{
    (void)setup(NULL);
    process_count = count;
    memcpy(processes, list, count * sizeof *list);
}

#define HAVE(...)                                                                                  \
    have(sizeof((struct process[]){__VA_ARGS__}) / sizeof(struct process),                         \
         (struct process[]){__VA_ARGS__})

/* The first fields are of a real process. */
static enum term_answer answer(const char *blocked, const char *ignored, const char *caught)
{
    char stat[512];
    (void)snprintf(stat, sizeof stat,
                   "7 (x) S 1 7 7 0 -1 4194560 137 0 0 0 0 0 0 0 20 0 1 0 60 2637824 240 "
                   "18446744073709551615 1 1 0 0 0 0 %s %s %s 0 0 0 17 0 0 0 0 0 0\n",
                   blocked, ignored, caught);
    return process_answer_to_term(stat);
}

static void knows_answers(void **state)
{
    (void)state;
    assert_int_equal(answer("65536", "4096", "18946"), TERM_CATCHES);     /* beam.smp */
    assert_int_equal(answer("0", "3686404", "1266761467"), TERM_IGNORES); /* an interactive shell */
    assert_int_equal(answer("0", "0", "0"), TERM_DIES);
    assert_int_equal(answer("0", "20480", "2146483967"), TERM_IGNORES); /* nohup */
    /* both can't be; the handler is what would run */
    assert_int_equal(answer("0", "16384", "16384"), TERM_CATCHES);
    assert_int_equal(answer("0", "18446744073709551615", "0"), TERM_IGNORES);
    /* it would wait for ever */
    assert_int_equal(answer("16384", "0", "0"), TERM_IGNORES);
    assert_int_equal(answer("16384", "0", "16384"), TERM_CATCHES);
}

static void bears_odd_answers(void **state)
{
    (void)state;
    /* it doesn't say: grace, to be safe */
    static const char *const silent[] = {
        "",
        "\n",
        "7",
        "7 (x",
        "7 (x)",
        "7 (x) ",
        "7 (x) S 1 7 7 0 -1 4194560 1",
        ") 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        assert_int_equal(process_answer_to_term(silent[i]), TERM_CATCHES);
        assert_false(process_is_live("7 (x) "));
    }
    assert_int_equal(answer("x", "y", "z"), TERM_DIES);
    assert_false(process_is_live(""));
    assert_false(process_is_live("7 (x)"));
    assert_false(process_is_live("7 (x) Z 1 7 7 0 -1 4194560 1"));
    assert_false(process_is_live("7 (x) X"));
    assert_true(process_is_live("7 (x) S"));
    assert_false(process_is_live("7 (x) I 2 0 0 0 -1 69238880 0"));
}

static void has_nothing_to_do_alone(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = IS_GONE, .comm = "x"});
    shutdown_terminate(&self);
    shutdown_kill(&self);
    assert_true(self.alone);
    assert_int_equal(calls + waits, 0);
    assert_string_equal(signals, "");
}

static void counts_live_processes_only(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = DIES, .comm = "sh"},
         {.pid = 2, .nature = IGNORES, .comm = "kthreadd", .rest = "S 0 0 0 0 -1 2129984"},
         {.pid = 9, .nature = IGNORES, .comm = "a) S 1 1 1 0 -1 0", .rest = "Z 1 1 1 0 -1 0"},
         {.pid = 10, .nature = IGNORES, .comm = "b", .rest = "X 1 1 1 0 -1 0"},
         {.pid = 12, .nature = IS_GONE, .comm = "d"});
    shutdown_kill(&self);
    assert_string_equal(signals, "-1:9 ");
    assert_string_equal(notes.lines, "- killed: process 7 (sh), state S\n");
}

static void reads_any_name(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = DIES, .comm = "x) Z 1 1 1 0 -1 2097152 ("},
         {.pid = 8, .nature = DIES, .comm = "a\033[2J b)"}, {.pid = 9, .nature = DIES, .comm = ""});
    shutdown_kill(&self);
    assert_string_equal(notes.lines, "- killed: process 7 (x) Z 1 1 1 0 -1 2097152 (), state S\n"
                                     "- killed: process 8 (a\\x1b[2J b)), state S\n"
                                     "- killed: process 9 (), state S\n");
}

static void waits_for_nobody_who_has_no_use_for_it(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = DIES, .comm = "a"});
    shutdown_terminate(&self);
    assert_string_equal(signals, "-1:15 -1:18 ");
    HAVE({.pid = 7, .nature = DIES, .comm = "a"}, {.pid = 8, .nature = IGNORES, .comm = "b"});
    shutdown_terminate(&self);
    assert_string_equal(signals, "-1:15 -1:18 ");
    shutdown_kill(&self);
    assert_string_equal(signals, "-1:15 -1:18 -1:9 ");
    assert_int_equal(waits, 0);
    assert_true(self.alone);
    /* one look was enough */
    assert_int_equal(calls, 1);
    assert_string_equal(notes.lines, "- killed: process 8 (b), state S\n");
}

static void gives_grace_to_catchers(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = CATCHES, .comm = "a"}, {.pid = 8, .nature = IGNORES, .comm = "b"});
    int64_t now = time_ms();
    shutdown_terminate(&self);
    assert_int_equal(waits, 1);
    assert_in_range(waited_until, now + 1000, now + 1500);
    assert_int_equal(find(7)->nature, IS_GONE);
    assert_false(self.alone);
}

static void grace_has_an_end(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = WORKS, .comm = "a"});
    times_out = true;
    self.deadline_ms = time_ms() + 50;
    int64_t latest = self.deadline_ms + 10;
    shutdown_terminate(&self);
    assert_int_equal(waits, 1);
    assert_true(waited_until <= latest);
    assert_string_equal(signals, "-1:15 -1:18 ");
}

static void names_those_that_had_their_grace(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = WORKS, .comm = "a"}, {.pid = 8, .nature = IGNORES, .comm = "b"});
    times_out = true;
    shutdown_terminate(&self);
    shutdown_kill(&self);
    assert_string_equal(notes.lines, "- killed: process 8 (b), state S\n"
                                     "- killed: process 7 (a), state S\n");
}

static void sees_who_comes_late(void **state)
{
    (void)state;
    struct process late = {.pid = 9, .nature = WORKS, .comm = "late", .ending = true};
    HAVE({.pid = 7, .nature = CATCHES, .comm = "a"}, {.pid = 8, .nature = IGNORES, .comm = "b"});
    arrives = &late;
    shutdown_terminate(&self);
    assert_int_equal(waits, 2);
    assert_int_equal(find(9)->nature, IS_GONE);
}

static void hurries(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = WORKS, .comm = "a"});
    machine.life.hurry = true;
    shutdown_terminate(&self);
    assert_int_equal(waits, 0);
    assert_string_equal(signals, "-1:15 -1:18 ");
}

/* More than there is room for, and some that ignore it: no wait when all catchers have gone. */
static void forgets_no_catcher(void **state)
{
    (void)state;
    struct process many[SHUTDOWN_MAX_CATCHERS + 20];
    const size_t count = sizeof many / sizeof many[0];
    for (size_t i = 0; i < count; i++)
        many[i] = (struct process){.pid = (pid_t)(5000000 + i), .nature = CATCHES, .comm = "x"};
    many[3].nature = IGNORES;
    have(count, many);
    shutdown_terminate(&self);
    assert_int_equal(waits, 1);
    assert_int_equal(notes.catcher_count, 0);
    have(count, many);
    shutdown_kill(&self);
    assert_in_range(notes.catcher_count, 0, SHUTDOWN_MAX_CATCHERS);
}

static void needs_no_census(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = CATCHES, .comm = "a"});
    call_error = -ETIMEDOUT;
    shutdown_terminate(&self);
    assert_true(log_spy_contains("Can't look at the processes that are left: Connection timed"));
    assert_string_equal(signals, "-1:15 -1:18 ");
    assert_int_equal(waits, 1);
    assert_true(self.alone);
    /* what has hung once is left alone */
    int before = calls;
    shutdown_kill(&self);
    HAVE({.pid = 7, .nature = IGNORES, .comm = "a"});
    self.proc_hangs = true;
    shutdown_kill(&self);
    assert_int_equal(calls, before - 1);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_true(self.alone);
    HAVE({.pid = 7, .nature = IGNORES, .comm = "a"});
    call_error = -EAGAIN;
    shutdown_kill(&self);
    assert_string_equal(signals, "-1:9 ");
    assert_true(self.alone);
}

static void kills_what_stays(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = IGNORES, .comm = "a"}, {.pid = 8, .nature = WORKS, .comm = "b c"});
    shutdown_kill(&self);
    assert_string_equal(signals, "-1:9 ");
    assert_int_equal(waits, 0);
    assert_true(self.alone);
    assert_string_equal(notes.lines, "- killed: process 7 (a), state S\n"
                                     "- killed: process 8 (b c), state S\n");
    assert_int_equal(log_spy_count(LOG_ERROR), 0);
}

static void names_what_cannot_be_killed(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = HANGS, .comm = "dd"}, {.pid = 8, .nature = IGNORES, .comm = "b"});
    times_out = true;
    int64_t now = time_ms();
    shutdown_kill(&self);
    assert_in_range(waited_until, now + 2000, now + 2500);
    assert_false(self.alone);
    assert_string_equal(notes.lines,
                        "- killed: process 7 (dd), state D, in io_schedule\n"
                        "- killed: process 8 (b), state S\n"
                        "- can't be killed: process 7 (dd), state D, in io_schedule\n");
    assert_true(log_spy_contains("can't be killed: process 7 (dd), state D, in io_schedule"));
}

static void spares_nobody_for_his_name_alone(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = DIES, .comm = "x", .command = "@x", .theirs = true});
    shutdown_terminate(&self);
    shutdown_kill(&self);
    assert_string_equal(signals, "-1:15 -1:18 ");
    assert_int_equal(notes.spared, 0);
}

static void spares_storage_daemons(void **state)
{
    (void)state;
    HAVE({.pid = 7, .nature = DIES, .comm = "nbd", .command = "@nbd-client"});
    shutdown_terminate(&self);
    shutdown_kill(&self);
    assert_string_equal(signals, "");
    assert_int_equal(waits, 0);
    assert_string_equal(notes.lines, "");

    HAVE({.pid = 7, .nature = DIES, .comm = "nbd", .command = "@nbd-client"},
         {.pid = 8, .nature = CATCHES, .comm = "b"}, {.pid = 9, .nature = IGNORES, .comm = "c"});
    shutdown_terminate(&self);
    assert_string_equal(signals, "8:15 9:15 8:18 9:18 ");
    signals[0] = '\0';
    shutdown_kill(&self);
    assert_string_equal(signals, "9:9 ");
    assert_int_equal(find(7)->nature, DIES);
}

/* Killed one by one: what is forked meanwhile is killed in the next round. */
static void outruns_forks_beside_storage_daemons(void **state)
{
    (void)state;
    struct process late = {.pid = 20, .nature = IGNORES, .comm = "fork"};
    HAVE({.pid = 7, .nature = DIES, .comm = "nbd", .command = "@nbd-client"},
         {.pid = 8, .nature = HANGS, .comm = "b", .ending = true});
    arrives = &late;
    shutdown_kill(&self);
    assert_int_equal(find(20)->nature, IS_GONE);
    assert_int_equal(find(7)->nature, DIES);
    assert_null(strstr(signals, "-1:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_answers),
        cmocka_unit_test(bears_odd_answers),
        cmocka_unit_test(has_nothing_to_do_alone),
        cmocka_unit_test(counts_live_processes_only),
        cmocka_unit_test(reads_any_name),
        cmocka_unit_test(waits_for_nobody_who_has_no_use_for_it),
        cmocka_unit_test(gives_grace_to_catchers),
        cmocka_unit_test(grace_has_an_end),
        cmocka_unit_test(names_those_that_had_their_grace),
        cmocka_unit_test(sees_who_comes_late),
        cmocka_unit_test(hurries),
        cmocka_unit_test(forgets_no_catcher),
        cmocka_unit_test(needs_no_census),
        cmocka_unit_test(kills_what_stays),
        cmocka_unit_test(names_what_cannot_be_killed),
        cmocka_unit_test(spares_nobody_for_his_name_alone),
        cmocka_unit_test(spares_storage_daemons),
        cmocka_unit_test(outruns_forks_beside_storage_daemons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
