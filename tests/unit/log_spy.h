/* SPDX-License-Identifier: MIT */
/*
 * Stands in for src/base/log.c in unit tests: lines are kept, so that a test can ask for them. What
 * the level would drop is kept too, but counts and answers are per severity.
 */
#ifndef LOG_SPY_H
#define LOG_SPY_H

#include "erlinit/log.h"

#include <stdbool.h>
#include <stddef.h>

/* Forgets all lines, level back to LOG_WARNING. */
void log_spy_reset(void);

/* Lines since the last reset that are at least as bad as `most` (LOG_WARNING: warnings, errors...).
 */
size_t log_spy_count(enum log_severity most);

/* The last line that is a warning or worse, "" if none. */
const char *log_spy_last(void);

/* The last line of any severity, "" if none. */
const char *log_spy_last_any(void);

/* Whether any line contains this text. */
bool log_spy_contains(const char *text);

/* How often a process has left its descriptor of the log to its child, ever. */
size_t log_spy_hand_overs(void);

/* Prints the lines to stdout: to find out why a test fails. */
void log_spy_print(void);

#endif
