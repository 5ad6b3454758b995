/* SPDX-License-Identifier: MIT */
/* The VM's own account of its end: which file, from when, and which line of it. */
/* wrap: time_ms */
#include "erlinit/report.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

int64_t __wrap_time_ms(void);

/* The machine is up since an hour. */
int64_t __wrap_time_ms(void)
{
    return 3600000;
}

#define DUMP                                                                                       \
    "=erl_crash_dump:0.5\nFri Nov 27 22:00:25 2026\nSlogan: init terminating in do_boot (x)\n"     \
    "System version: Erlang/OTP 27\n"

static const char *dump_of(const char *first, const char *second)
{
    static char bytes[1024];
    struct word item[] = {{first, {"f", 1, 1}}, {second, {"f", 2, 1}}};
    const struct options options = {.env = {.item = item, .count = second != NULL ? 2 : 1}};
    struct text text = text_into(bytes, sizeof bytes);
    report_add_crash_dump(&text, &options);
    return bytes;
}

/* --env with one path below the scratch directory between two strings. */
static const char *setting(const char *before, const char *path, const char *after)
{
    static char settings[2][1024];
    static int next;
    char *at = settings[next++ % 2];
    (void)snprintf(at, sizeof settings[0], "%s%s%s", before, scratch_path(path), after);
    return at;
}

static const char *line_for(const char *path, const char *slogan)
{
    static char line[1024];
    (void)snprintf(line, sizeof line, "- crash dump %s: %s\n", scratch_path(path), slogan);
    return line;
}

static void set_age(const char *path, time_t seconds)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    now.tv_sec -= seconds;
    const struct timespec times[] = {now, now};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(path), times, 0), 0);
}

static void shows_the_slogan(void **state)
{
    (void)state;
    scratch_file("/dump", DUMP);
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/dump", ""), NULL),
                        line_for("/dump", "Slogan: init terminating in do_boot (x)"));
    assert_string_equal(dump_of(setting("A=b;ERL_CRASH_DUMP=", "/dump", ";C=d"), NULL),
                        line_for("/dump", "Slogan: init terminating in do_boot (x)"));
    scratch_file("/cut", "=erl_crash_dump:0.5\nSlogan: a\033[2Jb");
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/cut", ";"), NULL),
                        line_for("/cut", "Slogan: a\\x1b[2Jb"));
}

static void takes_the_last_setting(void **state)
{
    (void)state;
    scratch_file("/one", "x\nSlogan: one\n");
    scratch_file("/two", "x\nSlogan: two\n");
    assert_string_equal(
        dump_of(setting("ERL_CRASH_DUMP=", "/one", ""), setting("B=c;ERL_CRASH_DUMP=", "/two", "")),
        line_for("/two", "Slogan: two"));
    /* other names that begin or end alike */
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/one", ";ERL_CRASH_DUMP_SECONDS=5"),
                                setting("MY_ERL_CRASH_DUMP=", "/two", "")),
                        line_for("/one", "Slogan: one"));
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/one", ""), "ERL_CRASH_DUMP="), "");
}

static void shows_none_of_another_time(void **state)
{
    (void)state;
    scratch_file("/dump", DUMP);
    const char *env = setting("ERL_CRASH_DUMP=", "/dump", "");
    set_age("/dump", 3500);
    assert_string_not_equal(dump_of(env, NULL), "");
    set_age("/dump", 3700);
    assert_string_equal(dump_of(env, NULL), "");
    /* of an earlier run, when the clock was right */
    set_age("/dump", -3600);
    assert_string_equal(dump_of(env, NULL), "");
}

static void shows_nothing_where_there_is_none(void **state)
{
    (void)state;
    assert_string_equal(dump_of("", NULL), "");
    assert_string_equal(dump_of(";;A=b;", NULL), "");
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/nothing", ""), NULL), "");
    scratch_file("/silent", "=erl_crash_dump:0.5\nno slogan here\nXSlogan: a\n");
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/silent", ""), NULL), "");
    scratch_file("/empty", "");
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/empty", ""), NULL), "");
}

static void touches_nothing_but_files(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
    int fd = open(scratch_path("/fifo"), O_RDWR);
    assert_int_equal(write(fd, DUMP, strlen(DUMP)), strlen(DUMP));
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/fifo", ""), NULL), "");
    (void)close(fd);
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "", ""), NULL), "");
}

static void looks_at_the_start_only(void **state)
{
    (void)state;
    char large[9000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memcpy(large + 5000, "\nSlogan: far", 12);
    scratch_file("/large", large);
    assert_string_equal(dump_of(setting("ERL_CRASH_DUMP=", "/large", ""), NULL), "");
    memset(large, 'y', 1100);
    memcpy(large, "ERL_CRASH_DUMP=", 15);
    large[1100] = '\0';
    assert_string_equal(dump_of(large, NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_the_slogan, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(takes_the_last_setting, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(shows_none_of_another_time, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(shows_nothing_where_there_is_none, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(touches_nothing_but_files, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(looks_at_the_start_only, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
