/* SPDX-License-Identifier: MIT */
/* wrap: clock_gettime */
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static struct timespec monotonic;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    assert_int_equal(clock, CLOCK_MONOTONIC);
    *now = monotonic;
    return 0;
}

static void counts_from_the_kernels_start(void **state)
{
    (void)state;
    monotonic = (struct timespec){.tv_sec = 12, .tv_nsec = 345678901};
    assert_true(time_us() == 12345678);
    assert_true(time_ms() == 12345);
    monotonic = (struct timespec){.tv_sec = 0, .tv_nsec = 999999};
    assert_true(time_us() == 999);
    assert_true(time_ms() == 0);
    /* a century */
    monotonic = (struct timespec){.tv_sec = 3155760000, .tv_nsec = 0};
    assert_true(time_ms() == 3155760000000);
}

static const char *iso(time_t seconds, long nanoseconds)
{
    static char buffer[64];
    struct text text = text_into(buffer, sizeof buffer);
    struct timespec when = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    time_add_iso8601(&text, &when);
    return buffer;
}

static void writes_dates(void **state)
{
    (void)state;
    assert_string_equal(iso(0, 0), "1970-01-01T00:00:00.000000+00:00");
    assert_string_equal(iso(1764806494, 200744999), "2025-12-04T00:01:34.200744+00:00");
    assert_string_equal(iso(951782400, 0), "2000-02-29T00:00:00.000000+00:00");
    assert_string_equal(iso(4107542399, 0), "2100-02-28T23:59:59.000000+00:00");
    assert_string_equal(iso(4107542400, 0), "2100-03-01T00:00:00.000000+00:00");
    assert_string_equal(iso(-1, 0), "1969-12-31T23:59:59.000000+00:00");
    assert_string_equal(iso(2147483648, 1000), "2038-01-19T03:14:08.000001+00:00");
    assert_string_equal(iso(-62167219200, 0), "0000-01-01T00:00:00.000000+00:00");
    assert_string_equal(iso(253402300799, 999999999), "9999-12-31T23:59:59.999999+00:00");
}

/* First and last day of every month of 10000 years, counted one by one. */
static void agrees_with_a_calendar(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    time_t day = -719528; /* 0000-01-01 */
    char expected[64];
    for (int year = 0; year < 10000; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            int length = lengths[month - 1] + (month == 2 && leap ? 1 : 0);
            time_t first = day;
            (void)snprintf(expected, sizeof expected, "%04d-%02d-01T23:59:59.000000+00:00", year,
                           month);
            assert_string_equal(iso(first * 86400 + 86399, 0), expected);
            (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00.000000+00:00", year,
                           month, length);
            assert_string_equal(iso((first + length - 1) * 86400, 0), expected);
            day += length;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_from_the_kernels_start),
        cmocka_unit_test(writes_dates),
        cmocka_unit_test(agrees_with_a_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
