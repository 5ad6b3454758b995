/* SPDX-License-Identifier: MIT */
/* Clocks. Everything that waits uses the monotonic one, so that setting the time of day changes no
 * deadline. */
#ifndef ERLINIT_TIMES_H
#define ERLINIT_TIMES_H

#include <stdint.h>
#include <time.h>

struct text;

/* CLOCK_MONOTONIC: since the kernel started, suspend not included. */
uint64_t time_us(void);
int64_t time_ms(void);

/* Appends "2025-12-04T00:01:34.200744+00:00" (UTC). Years 0..9999; no libc time zone code. */
void time_add_iso8601(struct text *text, const struct timespec *when);

#endif
