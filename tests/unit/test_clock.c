/* SPDX-License-Identifier: MIT */
/* --update-clock: the latest of what is known to be past. The build time is 1700000000 here. */
/* wrap: clock_settime time */
#include "erlinit/boot.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUILT_S 1700000000

int __wrap_clock_settime(clockid_t clock, const struct timespec *now);
time_t __wrap_time(time_t *result);

static char directory[64], search_path[256];
static time_t now_s, set_s;
static int settime_error;

int __wrap_clock_settime(clockid_t clock, const struct timespec *now)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    set_s = now->tv_sec;
    errno = settime_error;
    return settime_error ? -1 : 0;
}

time_t __wrap_time(time_t *result)
{
    (void)result;
    return now_s;
}

static void run(const char *command)
{
    char line[512];
    (void)snprintf(line, sizeof line, "cd '%s' && %s", directory, command);
    assert_int_equal(system(line), 0);
}

static int setup(void **state)
{
    (void)state;
    (void)strcpy(directory, "/tmp/test_clock.XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(search_path, sizeof search_path, "/no/such::%s/a:%s/b", directory, directory);
    now_s = 1000;
    set_s = 0;
    settime_error = 0;
    log_spy_reset();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run("rm -rf \"$PWD\"");
    return 0;
}

static enum step_result step(bool asked)
{
    const struct options options = {.update_clock = asked,
                                    .release_path = {.text = search_path},
                                    .state_directory = {.text = directory}};
    struct boot boot = {.options = &options};

    return boot_clock(&boot);
}

static void does_nothing_unasked(void **state)
{
    (void)state;
    assert_int_equal(step(false), STEP_SKIPPED);
    assert_int_equal(set_s, 0);
}

static void is_not_before_the_build(void **state)
{
    (void)state;
    assert_int_equal(step(true), STEP_DONE);
    assert_int_equal(set_s, BUILT_S);
}

static void leaves_a_right_clock_alone(void **state)
{
    (void)state;
    now_s = BUILT_S + 1;
    assert_int_equal(step(true), STEP_DONE);
    assert_int_equal(set_s, 0);
}

static void is_not_before_a_release(void **state)
{
    (void)state;
    run("mkdir -p b/releases && touch -d @1700000100 b/releases/start_erl.data");
    assert_int_equal(step(true), STEP_DONE);
    assert_int_equal(set_s, 1700000100);
}

static void is_not_before_a_release_one_level_down(void **state)
{
    (void)state;
    run("mkdir -p a/x/releases a/y/releases b/releases && "
        "touch -d @1700000300 a/y/releases/start_erl.data && "
        "touch -d @1700000200 a/x/releases/start_erl.data b/releases/start_erl.data");
    assert_int_equal(step(true), STEP_DONE);
    assert_int_equal(set_s, 1700000300);
}

static void is_not_before_the_last_seed(void **state)
{
    (void)state;
    run("mkdir seedrng && touch -d @1700000400 seedrng/seed.credit");
    assert_int_equal(step(true), STEP_DONE);
    assert_int_equal(set_s, 1700000400);
}

static void warns_if_it_cannot_be_set(void **state)
{
    (void)state;
    settime_error = EPERM;
    assert_int_equal(step(true), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(does_nothing_unasked, setup, teardown),
        cmocka_unit_test_setup_teardown(is_not_before_the_build, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_a_right_clock_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(is_not_before_a_release, setup, teardown),
        cmocka_unit_test_setup_teardown(is_not_before_a_release_one_level_down, setup, teardown),
        cmocka_unit_test_setup_teardown(is_not_before_the_last_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_if_it_cannot_be_set, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
