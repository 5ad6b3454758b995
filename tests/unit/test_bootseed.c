/* SPDX-License-Identifier: MIT */
/* A disk that does not answer costs the seed, not the boot. */
/* wrap: child_call seed_refresh */
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/seed.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
int __wrap_seed_refresh(const char *directory);

static int refresh_result, call_error;

int __wrap_seed_refresh(const char *directory)
{
    assert_string_equal(directory, "/data/seedrng");
    return refresh_result;
}

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    assert_int_equal(limit_ms, 4321);
    return call_error != 0 ? call_error : -function(argument);
}

static enum step_result run(int result, int error)
{
    const struct options options = {.state_directory.text = "/data", .seed_timeout_ms = 4321};
    struct boot boot = {.options = &options};
    refresh_result = result;
    call_error = error;
    log_spy_reset();
    return boot_entropy(&boot);
}

static void says_how_it_went(void **state)
{
    (void)state;
    assert_int_equal(run(0, 0), STEP_DONE);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    /* who failed has said so */
    assert_int_equal(run(-EROFS, 0), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void does_not_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(run(0, -ETIMEDOUT), STEP_WARNED);
    assert_true(log_spy_contains("entropy seed in /data/seedrng: "));
    assert_int_equal(run(0, -EINTR), STEP_WARNED);
    assert_true(log_spy_contains("goes on without it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_how_it_went),
        cmocka_unit_test(does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
