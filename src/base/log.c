/* SPDX-License-Identifier: MIT */
#include "erlinit/log.h"

#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FACILITY_DAEMON (3 << 3)
/* The kernel takes at most 1024 bytes a record, prefix included (kernel/printk: LOG_LINE_MAX). */
#define LINE_BYTES 1000
/* pstore has no such limit: the time in front must not cost the message its end. */
#define PMSG_LINE_BYTES (LINE_BYTES + 64)
/* Lines before /dev/kmsg is there: a few warnings about options or the overlay. */
#define EARLY_BYTES 2000

/* The kernel lets ten lines in five seconds through each descriptor (printk.devkmsg=ratelimit, the
 * default), and drops the rest silently. To open one costs as much as writing ten lines does. */
#define KMSG_LINES 10

static int kmsg_fd = -1;
static unsigned int kmsg_left; /* lines that the kernel surely takes from kmsg_fd */
static int pmsg_fd = -1;
static enum log_severity level = LOG_WARNING;
static void (*log_sink)(enum log_severity severity, const struct origin *origin,
                        const char *message);

/* Early lines, each with its NUL. */
static char early[EARLY_BYTES];
static size_t early_length;

static void write_line(int fd, const char *line, size_t length)
{
    /* There is nobody to tell when the log can't be written. EINTR: one more try. */
    if (write(fd, line, length) < 0 && errno == EINTR)
        (void)!write(fd, line, length);
}

static int open_kmsg(void)
{
    return open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
}

/* The used up descriptor serves on if /dev is gone. */
static void write_kmsg(const char *line, size_t length)
{
    int fd = kmsg_left > 0 ? -1 : open_kmsg();
    if (fd >= 0) {
        (void)close(kmsg_fd);
        kmsg_fd = fd;
        kmsg_left = KMSG_LINES;
    }
    if (kmsg_left > 0)
        kmsg_left--;
    write_line(kmsg_fd, line, length);
}

void log_hand_over(void)
{
    kmsg_left = 0;
}

static void flush_early(void)
{
    for (size_t at = 0; at < early_length; at += strlen(early + at) + 1)
        write_kmsg(early + at, strlen(early + at));
    early_length = 0;
}

bool log_open(void)
{
    if (kmsg_fd < 0) {
        kmsg_fd = open_kmsg();
        if (kmsg_fd < 0)
            return false;
        kmsg_left = KMSG_LINES;
        flush_early();
    }
    if (pmsg_fd < 0)
        pmsg_fd = open("/dev/pmsg0", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    return true;
}

void log_set_level(enum log_severity most)
{
    level = most;
}

void log_set_sink(void (*sink)(enum log_severity severity, const struct origin *origin,
                               const char *message))
{
    log_sink = sink;
}

enum log_severity log_level(void)
{
    return level;
}

static void to_kmsg(const char *line, size_t length)
{
    if (kmsg_fd >= 0) {
        write_kmsg(line, length);
        return;
    }
    if (early_length + length + 1 <= sizeof early) {
        memcpy(early + early_length, line, length);
        early[early_length + length] = '\0';
        early_length += length + 1;
    }
    /* a terminal that is ready has room for a line; one that takes nothing would keep us */
    struct pollfd console = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&console, 1, 0) > 0 && (console.revents & POLLOUT) != 0) {
        const char *text = strchr(line, '>') + 1;
        write_line(STDERR_FILENO, text, length - (size_t)(text - line));
    }
}

/* In `line`, which is large enough, and whatever was in it before. */
static void to_pmsg(const char *message, struct text *line)
{
    struct timespec now = {0};
    *line = text_into(line->at, line->size);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    time_add_iso8601(line, &now);
    text_format(line, " erlinit %s\n", message);
    line->at[line->length - 1] = '\n';
    write_line(pmsg_fd, line->at, line->length);
}

__attribute__((format(printf, 4, 0))) static void build(struct text *text,
                                                        const struct origin *origin,
                                                        int saved_errno, const char *format,
                                                        va_list arguments)
{
    if (log_sink != NULL)
        ;
    else if (origin != NULL && origin->file != NULL)
        text_format(text, "%s:%u:%u: ", origin->file, origin->line, origin->column);
    else if (origin != NULL && origin->column != 0)
        text_format(text, "kernel command line, argument %u: ", origin->column);
    /* what %m means: whoever builds the line may have called something since */
    errno = saved_errno;
    text_vformat(text, format, arguments);
}

__attribute__((format(printf, 5, 0))) static void emit(int severity, bool pmsg,
                                                       const struct origin *origin, int saved_errno,
                                                       const char *format, va_list arguments)
{
    /* no more than two buffers: PID 1's stack shall stay in one page */
    TEXT_ON_STACK(text, PMSG_LINE_BYTES);
    build(&text, origin, saved_errno, format, arguments);
    TEXT_ON_STACK(line, LINE_BYTES);
    text_format(&line, "<%d>erlinit: ", FACILITY_DAEMON + severity);
    const char *message = line.at + line.length;
    /* what came from outside must not draw on the terminal that shows the log, nor make up lines of
     * its own */
    text_add_printable(&line, text.at, text.length);
    if (log_sink != NULL) {
        log_sink((enum log_severity)severity, origin, message);
    } else {
        if (pmsg && pmsg_fd >= 0)
            to_pmsg(message, &text);
        /* With a newline, in the place of the NUL: the kernel keeps a record without one open, and
         * shows it to nobody, until the next comes. */
        line.at[line.length] = '\n';
        to_kmsg(line.at, line.length + 1);
    }
    errno = saved_errno;
}

void log_line(enum log_severity severity, const char *format, ...)
{
    if (severity > level)
        return;
    va_list arguments;
    va_start(arguments, format);
    emit((int)severity, severity <= LOG_ERROR, NULL, errno, format, arguments);
    va_end(arguments);
}

void log_at(enum log_severity severity, const struct origin *origin, const char *format, ...)
{
    if (severity > level)
        return;
    va_list arguments;
    va_start(arguments, format);
    emit((int)severity, severity <= LOG_ERROR, origin, errno, format, arguments);
    va_end(arguments);
}

void log_milestone(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    emit(LOG_NOTICE, true, NULL, errno, format, arguments);
    va_end(arguments);
}

void log_notice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    emit(LOG_NOTICE, false, NULL, errno, format, arguments);
    va_end(arguments);
}
