/* SPDX-License-Identifier: MIT */
/* Records of /dev/kmsg as lines of dmesg: real ones, odd ones, and what read(2) says between. */
/* wrap: open read close */
#include "erlinit/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_close(int fd);

#define KMSG_FD 700

/* What read(2) answers: a record, or -1 with an errno. */
struct answer {
    const char *record;
    int error;
};

static const struct answer *answers;
static int open_error, closed;

int __wrap_open(const char *path, int flags, ...)
{
    assert_string_equal(path, "/dev/kmsg");
    assert_int_equal(flags, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    errno = open_error;
    return open_error != 0 ? -1 : KMSG_FD;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    const struct answer *answer = answers++;
    assert_int_equal(fd, KMSG_FD);
    assert_true(size >= 8192);
    errno = answer->error;
    if (answer->record == NULL)
        return answer->error == 0 ? 0 : -1;
    memcpy(buffer, answer->record, strlen(answer->record));
    return (ssize_t)strlen(answer->record);
}

int __wrap_close(int fd)
{
    assert_int_equal(fd, KMSG_FD);
    closed++;
    return 0;
}

static char line[256], killed[256];

static bool record(const char *from)
{
    char copy[512];
    struct text text = text_into(line, sizeof line);
    struct text oom = text_into(killed, sizeof killed);
    (void)snprintf(copy, sizeof copy, "%s", from);
    return report_add_record(&text, copy, &oom);
}

static void shows_records_as_dmesg_does(void **state)
{
    (void)state;
    assert_true(record("6,339,5140900,-;NET: Registered PF_INET6\n"));
    assert_string_equal(line, "[    5.140900] NET: Registered PF_INET6\n");
    assert_true(record("6,340,12345678901,-,caller=T1;pci 0000:00:1f.2: [8086:2922]\n"
                       " SUBSYSTEM=pci\n DEVICE=+pci:0000:00:1f.2\n"));
    assert_string_equal(line, "[12345.678901] pci 0000:00:1f.2: [8086:2922]\n");
    assert_true(record("12,1,7,c;erlinit: a; b, c"));
    assert_string_equal(line, "[    0.000007] erlinit: a; b, c\n");
    assert_true(record("4,2,0,-;\n"));
    assert_string_equal(line, "[    0.000000] \n");
    assert_string_equal(killed, "");
}

static void bears_odd_records(void **state)
{
    (void)state;
    static const char *const none[] = {
        "", "6", "6,339,5140900,-", "6,339", "6;a,b,c", "6,3;a,b", ";", ";,,", "\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(record(none[i]));
        assert_string_equal(line, "");
    }
    assert_true(record("6,1,x,-;text"));
    assert_string_equal(line, "[    0.000000] text\n");
    assert_true(record("6,1,99999999999999999999999,-;text"));
    assert_non_null(strstr(line, "] text\n"));
}

static void finds_who_was_killed_for_memory(void **state)
{
    (void)state;
    assert_true(record("3,900,1,-;Out of memory: Killed process 77 (beam.smp) total-vm:1kB\n"));
    assert_string_equal(killed, "- Out of memory: Killed process 77 (beam.smp) total-vm:1kB\n");
    assert_true(record("6,901,1,-;oom-kill:constraint=CONSTRAINT_NONE,task=beam.smp\n"));
    assert_string_equal(killed, "- oom-kill:constraint=CONSTRAINT_NONE,task=beam.smp\n");
    /* only the message counts, not what describes it */
    assert_true(record("6,901,1,-;harmless\n NOTE=Out of memory: Killed\n"));
    assert_string_equal(killed, "");
}

static const char *whole_log(const struct answer *script)
{
    static char bytes[1024];
    struct text text = text_into(bytes, sizeof bytes);
    struct text oom = text_into(killed, sizeof killed);
    answers = script;
    closed = 0;
    report_add_kernel_log(&text, &oom);
    return bytes;
}

#define BEFORE "\n## dmesg\n\n```\n"
#define AFTER  "```\n"

static void reads_to_the_end(void **state)
{
    (void)state;
    const struct answer script[] = {{"6,1,1,-;one\n", 0},
                                    {NULL, EPIPE},
                                    {"6,7,2,-;two longer\n X=y\n", 0},
                                    {NULL, EINTR},
                                    {"nonsense", 0},
                                    {NULL, EINVAL},
                                    {"3,8,3,-;Out of memory: Killed process 5 (x)\n", 0},
                                    {NULL, EAGAIN}};
    assert_string_equal(whole_log(script),
                        BEFORE "[    0.000001] one\n[    0.000002] two longer\n"
                               "[    0.000003] Out of memory: Killed process 5 (x)\n" AFTER);
    assert_string_equal(killed, "- Out of memory: Killed process 5 (x)\n");
    assert_ptr_equal(answers, script + 8);
    assert_int_equal(closed, 1);
}

static void ends_with_what_it_got(void **state)
{
    (void)state;
    assert_string_equal(whole_log((const struct answer[]){{"6,1,1,-;one\n", 0}, {NULL, EIO}}),
                        BEFORE "[    0.000001] one\n" AFTER);
    assert_string_equal(whole_log((const struct answer[]){{NULL, 0}}), BEFORE AFTER);
    open_error = ENOENT;
    assert_string_equal(whole_log(NULL), BEFORE AFTER);
    assert_int_equal(closed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_records_as_dmesg_does),     cmocka_unit_test(bears_odd_records),
        cmocka_unit_test(finds_who_was_killed_for_memory), cmocka_unit_test(reads_to_the_end),
        cmocka_unit_test(ends_with_what_it_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
