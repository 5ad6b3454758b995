/* SPDX-License-Identifier: MIT */
/* The log of the targets whose subject it isn't: every line is built, by our text_vformat() and by
 * libc's, which must agree. */
#include "erlinit/log.h"

#include "erlinit/text.h"
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

#define LINE_BYTES 1000

static size_t lines;
static enum log_severity level = LOG_WARNING;
static void (*log_sink)(enum log_severity severity, const struct origin *origin,
                        const char *message);

size_t fuzz_log_lines(void)
{
    return lines;
}

void fuzz_log_reset(void)
{
    lines = 0;
}

void log_hand_over(void)
{
}

bool log_open(void)
{
    return true;
}

void log_set_level(enum log_severity most)
{
    level = most;
}

enum log_severity log_level(void)
{
    return level;
}

void log_set_sink(void (*sink)(enum log_severity severity, const struct origin *origin,
                               const char *message))
{
    log_sink = sink;
}

__attribute__((format(printf, 3, 0))) static void build(enum log_severity severity,
                                                        const struct origin *origin,
                                                        const char *format, va_list arguments)
{
    int error = errno;
    char theirs[LINE_BYTES];
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(theirs, sizeof theirs, format, again);
    va_end(again);
    TEXT_ON_STACK(ours, LINE_BYTES);
    errno = error;
    bool whole = text_vformat(&ours, format, arguments);
    FUZZ_CHECK(length >= 0 && whole == (length < LINE_BYTES));
    FUZZ_CHECK(strcmp(ours.at, theirs) == 0);
    lines++;
    if (log_sink != NULL)
        log_sink(severity, origin, ours.at);
    if (getenv("FUZZ_VERBOSE") != NULL)
        fprintf(stderr, "log: %s\n", ours.at);
    errno = error;
}

#define BUILD(severity, origin)                                                                    \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        build(severity, origin, format, arguments);                                                \
        va_end(arguments);                                                                         \
    } while (0)

void log_line(enum log_severity severity, const char *format, ...)
{
    BUILD(severity, NULL);
}

void log_at(enum log_severity severity, const struct origin *origin, const char *format, ...)
{
    FUZZ_CHECK(origin->file == NULL ? origin->line == 0 : origin->line > 0);
    FUZZ_CHECK(origin->column > 0);
    BUILD(severity, origin);
}

void log_milestone(const char *format, ...)
{
    BUILD(LOG_NOTICE, NULL);
}

void log_notice(const char *format, ...)
{
    BUILD(LOG_NOTICE, NULL);
}
