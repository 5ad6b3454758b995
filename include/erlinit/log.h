/* SPDX-License-Identifier: MIT */
/*
 * The log: /dev/kmsg (kernel doc: ABI/testing/dev-kmsg) with facility daemon, stderr only while
 * that can't be opened, and only while it takes something. Lines that must survive a dead machine
 * also go to /dev/pmsg0 (pstore). One call is one line and one write(2). Safe in children after
 * fork. Keeps errno.
 */
#ifndef ERLINIT_LOG_H
#define ERLINIT_LOG_H

#include <stdbool.h>

enum log_severity { /* numbers of syslog(3) */
                    LOG_EMERGENCY = 0,
                    LOG_ERROR = 3,
                    LOG_WARNING = 4,
                    LOG_NOTICE = 5,
                    LOG_INFO = 6,
                    LOG_DEBUG = 7,
};

/* Where in the configuration something was written. */
struct origin {
    const char *file;    /* NULL: the kernel command line */
    unsigned int line;   /* from 1; 0 on the kernel command line */
    unsigned int column; /* from 1, in bytes; on the kernel command line the number of the argument
                            of init */
};

/*
 * Opens the outputs, or what of them could not be opened before /dev was mounted; lines that came
 * before /dev/kmsg could be opened are kept (a few) and written then. False: no /dev/kmsg (yet).
 */
bool log_open(void);

/* After a fork, in the parent: the descriptor, which both have, is the child's, since the kernel
 * takes so many lines from it and no more. The parent opens another when it next has to say
 * something. */
void log_hand_over(void);

/* Lines above this severity number are dropped. Default LOG_WARNING. */
void log_set_level(enum log_severity most);
enum log_severity log_level(void);

/* Lines go there instead of to the outputs, without "file:line:column: " in front; the text is the
 * caller's for the time of the call. NULL: to the outputs again. For the desk. */
void log_set_sink(void (*sink)(enum log_severity severity, const struct origin *origin,
                               const char *message));

/* "<PRI>erlinit: text". %m works. Errors and worse go to pmsg too. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_severity severity, const char *format,
                                                    ...);

/* The same with "file:line:column: " (or "kernel command line, argument N: ") in front. */
__attribute__((format(printf, 3, 4))) void
log_at(enum log_severity severity, const struct origin *origin, const char *format, ...);

/* Always written whatever the level (at severity notice), to kmsg and pmsg: version line, launch
 * line, exit breadcrumbs. */
__attribute__((format(printf, 1, 2))) void log_milestone(const char *format, ...);

/* Always written whatever the level (at severity notice), to kmsg only: timing, messages before a
 * pause. */
__attribute__((format(printf, 1, 2))) void log_notice(const char *format, ...);

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
