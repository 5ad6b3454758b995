/* SPDX-License-Identifier: MIT */
#include "erlinit/times.h"

#include "erlinit/text.h"

#define SECONDS_PER_DAY 86400

uint64_t time_us(void)
{
    struct timespec now = {0};
    /* can't fail: the clock exists everywhere and the pointer is good (clock_gettime(2)) */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t time_ms(void)
{
    return (int64_t)(time_us() / 1000);
}

/* Days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar: years start in
 * March, so that the leap day is the last of its year and month lengths follow (153 m + 2) / 5. */
static void date_of_day(long days, long *year, long *month, long *day)
{
    long shifted = days + 719468; /* days from 0000-03-01 */
    long era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    long day_of_era = shifted - era * 146097;
    long year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    long march_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

void time_add_iso8601(struct text *text, const struct timespec *when)
{
    long long seconds = when->tv_sec;
    long days = (long)(seconds / SECONDS_PER_DAY);
    long rest = (long)(seconds % SECONDS_PER_DAY);
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    long year, month, day;
    date_of_day(days, &year, &month, &day);
    text_format(text, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld.%06ld+00:00", year, month, day,
                rest / 3600, rest / 60 % 60, rest % 60, (long)when->tv_nsec / 1000);
}
