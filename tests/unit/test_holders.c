/* SPDX-License-Identifier: MIT */
/* Naming who keeps a file system busy, on a made-up /proc. */
/* wrap: directory_list file_read_line stat */
#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names);
ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);
int __wrap_stat(const char *path, struct stat *status);

#define BUSY  7
#define OTHER 8

static const char *used;   /* this path in /proc is on the busy file system */
static const char *no_fds; /* this directory can't be read */
static int stats;
static bool nameless, no_program, no_proc, for_report = true;

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names)
{
    bool processes = strcmp(path, "/proc") == 0;
    assert_ptr_equal(wanted, processes ? directory_entry_is_process : NULL);
    if ((processes && no_proc) || (no_fds != NULL && strcmp(path, no_fds) == 0))
        return -EACCES;
    static const char *const pids[] = {"1", "42", "43", NULL};
    static const char *const fds[] = {"0", "17", NULL};
    for (const char *const *name = processes ? pids : fds; *name != NULL; name++)
        assert_int_equal(strings_add(names, *name), 0);
    return 0;
}

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    if (nameless)
        return -ESRCH;
    assert_non_null(strstr(path, "/comm"));
    return snprintf(buffer, size, "my (daemon)");
}

int __wrap_stat(const char *path, struct stat *status)
{
    stats++;
    if (strstr(path, "/exe") != NULL && no_program) {
        errno = ENOENT; /* a kernel thread, or one that is about to go */
        return -1;
    }
    *status = (struct stat){.st_dev = used != NULL && strcmp(path, used) == 0 ? BUSY : OTHER};
    return 0;
}

static struct shutdown_notes notes;

static const char *holders_with(const char *path, bool alone)
{
    struct shutdown shutdown = {.notes = &notes, .alone = alone};
    const struct mount_entry entry = {.target = "/data", .device = BUSY};
    notes = (struct shutdown_notes){0};
    used = path;
    log_spy_reset();
    shutdown_name_holders(&shutdown, &entry, for_report);
    return notes.lines;
}

static void names_each_use(void **state)
{
    (void)state;
    no_fds = NULL;
    nameless = no_proc = false;
    assert_string_equal(holders_with("/proc/42/cwd", false),
                        "- /data is kept busy by process 42 (my (daemon)), cwd\n");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_non_null(strstr(holders_with("/proc/43/root", false), "process 43 (my (daemon)), root"));
    assert_non_null(strstr(holders_with("/proc/42/exe", false), "process 42 (my (daemon)), exe"));
    assert_string_equal(holders_with("/proc/43/fd/17", false),
                        "- /data is kept busy by process 43 (my (daemon)), descriptor 17\n");
}

static void names_it_in_the_log(void **state)
{
    (void)state;
    for_report = nameless = no_proc = false;
    assert_string_equal(holders_with("/proc/42/cwd", false), "");
    assert_string_equal(log_spy_last(), "/data is kept busy by process 42 (my (daemon)), cwd");
    for_report = true;
}

static void names_nobody_else(void **state)
{
    (void)state;
    assert_string_equal(holders_with(NULL, false), "");
    assert_string_equal(holders_with("/proc/1/fd/17", false), "");
    assert_string_equal(holders_with("/proc/42/cwd", true), "");
    /* kernel threads are asked once each */
    no_program = true;
    stats = 0;
    assert_string_equal(holders_with("/proc/42/cwd", false), "");
    assert_int_equal(stats, 2);
    no_program = false;
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void bears_what_it_cannot_read(void **state)
{
    (void)state;
    nameless = true;
    no_fds = "/proc/42/fd";
    assert_string_equal(holders_with("/proc/43/fd/0", false),
                        "- /data is kept busy by process 43 (?), descriptor 0\n");
    no_proc = true;
    assert_string_equal(holders_with("/proc/43/fd/0", false), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_use),
        cmocka_unit_test(names_it_in_the_log),
        cmocka_unit_test(names_nobody_else),
        cmocka_unit_test(bears_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
