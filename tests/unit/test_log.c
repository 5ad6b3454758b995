/* SPDX-License-Identifier: MIT */
/* The log itself. It opens its outputs once, so the tests are one story, in this order. */
/* wrap: open write clock_gettime poll */
#include "erlinit/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int __wrap_open(const char *path, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

#define KMSG_FD 2000
#define PMSG_FD 2001

struct output {
    int writes;
    char last[2048], all[8192];
};

int __wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms);

static bool kmsg_there, pmsg_there, console_stuck;
static int interruptions, write_error, opens;
static struct output kmsg, pmsg, console;

int __wrap_open(const char *path, int flags)
{
    assert_int_equal(flags, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    opens++;
    errno = ENOENT;
    if (strcmp(path, "/dev/kmsg") == 0)
        return kmsg_there ? KMSG_FD : -1;
    assert_string_equal(path, "/dev/pmsg0");
    return pmsg_there ? PMSG_FD : -1;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    struct output *output = fd == KMSG_FD   ? &kmsg
                            : fd == PMSG_FD ? &pmsg
                            : fd == 2       ? &console
                                            : NULL;
    if (output == NULL)
        return __real_write(fd, bytes, length);
    output->writes++;
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    errno = write_error;
    if (write_error)
        return -1;
    assert_true(length < sizeof output->last);
    memcpy(output->last, bytes, length);
    output->last[length] = '\0';
    size_t before = strlen(output->all);
    (void)snprintf(output->all + before, sizeof output->all - before, "%s", output->last);
    return (ssize_t)length;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    *now = (struct timespec){.tv_sec = 1764806494, .tv_nsec = 200744000};
    return 0;
}

int __wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms)
{
    assert_int_equal(count, 1);
    assert_int_equal(watched->fd, STDERR_FILENO);
    assert_int_equal(timeout_ms, 0);
    watched->revents = console_stuck ? 0 : POLLOUT;
    return console_stuck ? 0 : 1;
}

static int setup(void **state)
{
    (void)state;
    memset(&kmsg, 0, sizeof kmsg);
    memset(&pmsg, 0, sizeof pmsg);
    memset(&console, 0, sizeof console);
    interruptions = write_error = opens = 0;
    log_set_level(LOG_WARNING);
    return 0;
}

static void says_it_on_the_console_until_there_is_a_log(void **state)
{
    (void)state;
    assert_false(log_open());
    assert_int_equal(opens, 1);
    log_warning("early %d", 1);
    log_milestone("version");
    assert_string_equal(console.all, "erlinit: early 1\nerlinit: version\n");
    assert_int_equal(console.writes, 2);
    assert_int_equal(kmsg.writes + pmsg.writes, 0);
}

/* It would keep who writes. The line comes when there is a kernel's log. */
static void does_not_write_to_a_console_that_takes_nothing(void **state)
{
    (void)state;
    console_stuck = true;
    log_warning("stuck");
    assert_int_equal(console.writes, 0);
    console_stuck = false;
}

static void keeps_a_few_early_lines(void **state)
{
    (void)state;
    char word[401];
    memset(word, 'w', 400);
    word[400] = '\0';
    for (int i = 0; i < 10; i++)
        log_warning("%s", word);
    assert_int_equal(console.writes, 10);
    log_warning("short enough");
    kmsg_there = true;
    assert_true(log_open());
    /* the three of the tests before, four long ones, the short one */
    assert_int_equal(kmsg.writes, 8);
    assert_non_null(strstr(kmsg.all, "<28>erlinit: stuck"));
    assert_non_null(strstr(kmsg.all, "<28>erlinit: early 1"));
    assert_non_null(strstr(kmsg.all, "<29>erlinit: version"));
    assert_non_null(strstr(kmsg.last, "<28>erlinit: short enough"));
}

static void opens_what_is_missing_and_says_nothing_twice(void **state)
{
    (void)state;
    pmsg_there = true;
    assert_true(log_open());
    assert_int_equal(opens, 1);
    assert_true(log_open());
    assert_int_equal(opens, 1);
    assert_int_equal(kmsg.writes, 0);
}

/* What the kernel takes from one descriptor within five seconds. */
static void opens_another_after_ten_lines(void **state)
{
    (void)state;
    log_hand_over();
    for (int i = 0; i < 25; i++)
        log_warning("line");
    assert_int_equal(kmsg.writes, 25);
    assert_int_equal(opens, 3);
}

static void leaves_the_descriptor_to_a_child(void **state)
{
    (void)state;
    log_hand_over();
    log_warning("one");
    log_warning("two");
    assert_int_equal(opens, 1);
    log_hand_over();
    assert_int_equal(opens, 1);
    log_warning("three");
    assert_int_equal(opens, 2);
}

static void says_it_though_devices_are_gone(void **state)
{
    (void)state;
    kmsg_there = false;
    log_hand_over();
    log_warning("one");
    log_warning("two");
    assert_int_equal(opens, 2);
    assert_int_equal(kmsg.writes, 2);
    assert_int_equal(console.writes, 0);
    kmsg_there = true;
}

static void writes_one_line_at_a_time(void **state)
{
    (void)state;
    log_warning("careful: %s", "this");
    assert_int_equal(kmsg.writes, 1);
    assert_memory_equal(kmsg.last, "<28>erlinit: careful: this", 26);
    assert_int_equal(pmsg.writes, 0);
    assert_int_equal(console.writes, 0);
}

static void errors_go_to_persistent_memory(void **state)
{
    (void)state;
    log_error("bad");
    assert_memory_equal(kmsg.last, "<27>erlinit: bad", 16);
    assert_string_equal(pmsg.last, "2025-12-04T00:01:34.200744+00:00 erlinit bad\n");
    log_line(LOG_EMERGENCY, "worse");
    assert_memory_equal(kmsg.last, "<24>erlinit: worse", 18);
    assert_int_equal(pmsg.writes, 2);
}

static void milestones_and_notices_are_always_written(void **state)
{
    (void)state;
    log_set_level(LOG_EMERGENCY);
    log_milestone("up");
    log_notice("took %d us", 7);
    assert_int_equal(kmsg.writes, 2);
    assert_memory_equal(kmsg.last, "<29>erlinit: took 7 us", 22);
    assert_int_equal(pmsg.writes, 1);
}

static void the_level_decides(void **state)
{
    (void)state;
    static const enum log_severity all[] = {LOG_EMERGENCY, LOG_ERROR, LOG_WARNING,
                                            LOG_NOTICE,    LOG_INFO,  LOG_DEBUG};
    struct origin origin = {"f", 1, 1};
    for (size_t level = 0; level < sizeof all / sizeof all[0]; level++)
        for (size_t line = 0; line < sizeof all / sizeof all[0]; line++) {
            log_set_level(all[level]);
            assert_int_equal(log_level(), all[level]);
            kmsg.writes = 0;
            log_line(all[line], "x");
            log_at(all[line], &origin, "x");
            assert_int_equal(kmsg.writes, line <= level ? 2 : 0);
        }
}

static void says_where_it_was_written(void **state)
{
    (void)state;
    struct origin file = {"/etc/erlinit.config", 12, 34};
    struct origin argument = {NULL, 0, 5};
    struct origin fallback = {NULL, 0, 0};
    log_at(LOG_WARNING, &file, "odd");
    assert_non_null(strstr(kmsg.last, "<28>erlinit: /etc/erlinit.config:12:34: odd"));
    log_at(LOG_WARNING, &argument, "odd");
    assert_non_null(strstr(kmsg.last, "<28>erlinit: kernel command line, argument 5: odd"));
    log_at(LOG_WARNING, &fallback, "odd");
    assert_non_null(strstr(kmsg.last, "<28>erlinit: odd"));
    log_at(LOG_ERROR, NULL, "odd");
    assert_non_null(strstr(pmsg.last, " erlinit odd"));
}

static void keeps_errno_and_tells_it(void **state)
{
    (void)state;
    struct origin origin = {"f", 1, 1};
    errno = ENOSPC;
    log_warning("a: %m");
    assert_int_equal(errno, ENOSPC);
    assert_non_null(strstr(kmsg.last, "a: No space left on device"));
    log_at(LOG_ERROR, &origin, "b: %m");
    assert_int_equal(errno, ENOSPC);
    log_milestone("c: %m");
    assert_int_equal(errno, ENOSPC);
    log_notice("d: %m");
    assert_non_null(strstr(kmsg.last, "d: No space left on device"));
    write_error = EIO;
    log_error("e: %m");
    assert_int_equal(errno, ENOSPC);
}

static void tries_again_once(void **state)
{
    (void)state;
    interruptions = 1;
    log_warning("again");
    assert_int_equal(kmsg.writes, 2);
    assert_non_null(strstr(kmsg.last, "again"));
    interruptions = 100;
    log_warning("never");
    assert_int_equal(kmsg.writes, 4);
}

/* The kernel takes 1024 bytes a record; a line that is cut still ends like one. */
static void cuts_what_is_too_long(void **state)
{
    (void)state;
    static char word[5000];
    memset(word, 'w', sizeof word - 1);
    log_error("%s", word);
    assert_in_range(strlen(kmsg.last), 900, 1023);
    assert_non_null(strstr(kmsg.last, "<27>erlinit: www"));
    assert_non_null(strstr(kmsg.last, "...\n"));
    /* the same message in both: the time in front takes no room from it, nor cuts it mid-character
     */
    assert_string_equal(strstr(pmsg.last, " www"), strstr(kmsg.last, " www"));
}

static void draws_on_no_terminal(void **state)
{
    (void)state;
    log_warning("name %s", "\x1b[2J\nerlinit: forged");
    assert_null(strchr(kmsg.last, '\x1b'));
    const char *newline = strchr(kmsg.last, '\n');
    assert_true(newline == NULL || newline[1] == '\0');
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_it_on_the_console_until_there_is_a_log),
        TEST(does_not_write_to_a_console_that_takes_nothing),
        TEST(keeps_a_few_early_lines),
        TEST(opens_what_is_missing_and_says_nothing_twice),
        TEST(opens_another_after_ten_lines),
        TEST(leaves_the_descriptor_to_a_child),
        TEST(says_it_though_devices_are_gone),
        TEST(writes_one_line_at_a_time),
        TEST(errors_go_to_persistent_memory),
        TEST(milestones_and_notices_are_always_written),
        TEST(the_level_decides),
        TEST(says_where_it_was_written),
        TEST(keeps_errno_and_tells_it),
        TEST(tries_again_once),
        TEST(cuts_what_is_too_long),
        TEST(draws_on_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
