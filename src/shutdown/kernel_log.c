/* SPDX-License-Identifier: MIT */
#include "erlinit/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* kernel/printk: a record of /dev/kmsg is at most CONSOLE_EXT_LOG_MAX, 8192 bytes */
#define RECORD_BYTES 8193

/* "prio,seq,usec,flags;text\n KEY=value..." (kernel doc ABI/testing/dev-kmsg) as dmesg shows it. */
bool report_add_record(struct text *text, char *record, struct text *oom)
{
    char *message = strchr(record, ';');
    const char *time = strchr(record, ',');
    time = time == NULL ? NULL : strchr(time + 1, ',');
    if (message == NULL || time == NULL || time > message)
        return false;
    unsigned long long us = 0;
    (void)text_read_digits(time + 1, 10, &us);
    message++;
    message[strcspn(message, "\n")] = '\0';
    text_format(text, "[%5llu.%06llu] %s\n", us / 1000000, us % 1000000, message);
    if (text_find(message, "Out of memory: Killed") != NULL ||
        text_find(message, "oom-kill:") != NULL)
        text_format(oom, "- %s\n", message);
    return true;
}

void report_add_kernel_log(struct text *text, struct text *oom)
{
    static char record[RECORD_BYTES];
    text_add(text, "\n## dmesg\n\n```\n");
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    while (fd >= 0) {
        ssize_t length = read(fd, record, sizeof record - 1);
        /* EPIPE: records were overwritten before we came, the next read goes on behind the gap;
         * EINVAL: too long, skipped */
        if (length < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL))
            continue;
        if (length <= 0)
            break;
        record[length] = '\0';
        (void)report_add_record(text, record, oom);
    }
    if (fd >= 0)
        (void)close(fd);
    text_add(text, "```\n");
}
