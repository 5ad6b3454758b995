/* SPDX-License-Identifier: MIT */
/* Everything read-only without a process: what the kernel is told, and how its answer is waited
 * for. */
/* wrap: open close lseek read poll file_set time_ms */
#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "erlinit/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
off_t __wrap_lseek(int fd, off_t offset, int whence);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_file_set(const char *path, const char *text);
int64_t __wrap_time_ms(void);

#define KMSG_FD  700
#define START_MS 5000
#define DONE     "4,512,7000000,-;Emergency Remount complete\n"

/* What comes into the kernel's log after so many milliseconds; NULL: no more. */
struct news {
    int after_ms;
    const char *record;
    int error; /* of read(2), instead of a record */
};

static const struct news *news;
static int64_t now_ms;
static int open_error, set_error, poll_error, interruptions, closed;
static bool at_end, told;

int __wrap_open(const char *path, int flags, ...)
{
    assert_string_equal(path, "/dev/kmsg");
    assert_int_equal(flags, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    errno = open_error;
    return open_error != 0 ? -1 : KMSG_FD;
}

int __wrap_close(int fd)
{
    closed += fd == KMSG_FD ? 1 : 0;
    return 0;
}

/* What was said before is no answer. */
off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    at_end = fd == KMSG_FD && offset == 0 && whence == SEEK_END;
    return 0;
}

int __wrap_file_set(const char *path, const char *text)
{
    assert_string_equal(path, "/proc/sysrq-trigger");
    assert_string_equal(text, "u");
    assert_true(at_end || open_error != 0);
    told = true;
    return set_error;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    assert_true(told);
    assert_int_equal(count, 1);
    assert_int_equal(fds->events, POLLIN);
    assert_true(timeout_ms > 0);
    if (interruptions > 0 && fds->fd >= 0) {
        errno = interruptions-- > 1 ? EINTR : poll_error;
        return -1;
    }
    if (fds->fd < 0 || news->after_ms > timeout_ms) {
        now_ms += timeout_ms;
        return 0;
    }
    now_ms += news->after_ms;
    return 1;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    if (fd < 0 || news->after_ms > 100) {
        errno = fd < 0 ? EBADF : EAGAIN;
        return -1;
    }
    const struct news *now = news++;
    errno = now->error;
    if (now->record == NULL)
        return -1;
    assert_true(strlen(now->record) <= size);
    memcpy(buffer, now->record, strlen(now->record));
    return (ssize_t)strlen(now->record);
}

int64_t __wrap_time_ms(void)
{
    return now_ms;
}

static int force(const struct news *list)
{
    news = list;
    now_ms = START_MS;
    open_error = set_error = closed = 0;
    at_end = told = false;
    return shutdown_force_read_only(1000);
}

#define FORCE(...) force((const struct news[]){__VA_ARGS__, {.after_ms = 100000}})

static void waits_until_the_kernel_has_done_it(void **state)
{
    (void)state;
    assert_int_equal(
        FORCE({1, "6,510,6900000,-;sysrq: Emergency Remount R/O\n", 0},
              {20, "6,511,6900000,-;EXT4-fs (vda1): re-mounted. Quota mode: none.\n", 0},
              {30, DONE, 0}),
        0);
    assert_int_equal(now_ms, START_MS + 51);
    assert_int_equal(closed, 1);
}

/* Records that were overwritten, or are too long, are none. */
static void bears_gaps(void **state)
{
    (void)state;
    assert_int_equal(FORCE({1, NULL, EPIPE}, {1, NULL, EINVAL}, {1, NULL, EINTR}, {1, DONE, 0}), 0);
    assert_int_equal(now_ms, START_MS + 4);
}

static void believes_nobody_else(void **state)
{
    (void)state;
    assert_int_equal(FORCE({1, "12,511,6900000,-;app: Emergency Remount complete\n", 0}),
                     -ETIMEDOUT);
}

static void waits_no_longer_than_it_may(void **state)
{
    (void)state;
    assert_int_equal(FORCE({90, "6,1,1,-;x\n", 0}), -ETIMEDOUT);
    assert_int_equal(now_ms, START_MS + 1000);
    assert_int_equal(closed, 1);
    now_ms = START_MS;
    at_end = told = false;
    assert_int_equal(shutdown_force_read_only(-5), -ETIMEDOUT);
    assert_int_equal(now_ms, START_MS);
    assert_true(told);
}

static void bears_interruptions(void **state)
{
    (void)state;
    interruptions = 3;
    poll_error = EINTR;
    assert_int_equal(FORCE({30, DONE, 0}), 0);
    /* and doesn't go round and round */
    interruptions = 1;
    poll_error = ENOMEM;
    assert_int_equal(FORCE({30, DONE, 0}), -ETIMEDOUT);
    assert_int_equal(now_ms, START_MS);
}

/* No log: the time is waited for, which is what the kernel has for its work. */
static void needs_no_log(void **state)
{
    (void)state;
    (void)FORCE({1, DONE, 0});
    now_ms = START_MS;
    open_error = ENOENT;
    told = false;
    assert_int_equal(shutdown_force_read_only(1000), -ETIMEDOUT);
    assert_int_equal(now_ms, START_MS + 1000);
    assert_true(told);
    /* nor one that can't be read */
    assert_int_equal(FORCE({1, NULL, EIO}, {1, DONE, 0}), -ETIMEDOUT);
    assert_int_equal(now_ms, START_MS + 1000);
    assert_int_equal(closed, 1);
}

static void says_that_the_kernel_cannot(void **state)
{
    (void)state;
    (void)FORCE({1, DONE, 0});
    now_ms = START_MS;
    set_error = -ENOENT;
    assert_int_equal(shutdown_force_read_only(1000), -ENOENT);
    assert_int_equal(now_ms, START_MS);
    assert_int_equal(closed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_until_the_kernel_has_done_it),
        cmocka_unit_test(bears_gaps),
        cmocka_unit_test(believes_nobody_else),
        cmocka_unit_test(waits_no_longer_than_it_may),
        cmocka_unit_test(bears_interruptions),
        cmocka_unit_test(needs_no_log),
        cmocka_unit_test(says_that_the_kernel_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
