/* SPDX-License-Identifier: MIT */
/*
 * Read-only without a process of ours (kernel doc admin-guide/sysrq, key u): writing the key only
 * starts the kernel's own worker, which writes back and remounts whatever is on a disk, and says
 * when it has done (fs/super.c, do_emergency_remount()). The file works whatever kernel.sysrq is.
 */
#include "erlinit/shutdown.h"

#include "erlinit/files.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* Longer ones are not the one that is waited for. */
#define RECORD_BYTES 256

/* The next one. What was overwritten meanwhile (EPIPE) or is longer (EINVAL) is skipped; a log that
 * can't be read is none. */
static void read_record(int *kmsg, char *record)
{
    ssize_t length = read(*kmsg, record, RECORD_BYTES - 1);
    record[length < 0 ? 0 : length] = '\0';
    if (length < 0 && errno != EPIPE && errno != EINVAL && errno != EINTR) {
        (void)close(*kmsg);
        *kmsg = -1;
    }
}

int shutdown_force_read_only(int64_t limit_ms)
{
    char record[RECORD_BYTES] = "";
    int64_t until = time_ms() + limit_ms;
    /* without it poll(2) waits all the time there is, and that is as good as it gets */
    struct pollfd kmsg = {.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC),
                          .events = POLLIN};
    if (kmsg.fd >= 0)
        (void)lseek(kmsg.fd, 0, SEEK_END);
    int result = file_set("/proc/sysrq-trigger", "u");
    while (result == 0 && text_find(record, ";Emergency Remount complete") == NULL) {
        int64_t left_ms = until - time_ms();
        int ready = left_ms <= 0 ? 0 : poll(&kmsg, 1, (int)left_ms);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            result = -ETIMEDOUT;
        if (ready > 0)
            read_record(&kmsg.fd, record);
    }
    (void)close(kmsg.fd);
    return result;
}
