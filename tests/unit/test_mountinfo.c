/* SPDX-License-Identifier: MIT */
/* What is mounted: /proc/self/mountinfo as the kernel writes it, and as it never should. */
/* wrap: open read close */
#include "erlinit/mounts.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int __wrap_open(const char *path, int flags);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
int __wrap_close(int fd);

#define TABLE_FD 1000

static const char *table_text;
static size_t table_at, piece;
static int open_error, read_error, open_count;

int __wrap_open(const char *path, int flags)
{
    (void)flags;
    assert_string_equal(path, "/proc/self/mountinfo");
    table_at = 0;
    errno = open_error;
    open_count += open_error ? 0 : 1;
    return open_error ? -1 : TABLE_FD;
}

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    assert_int_equal(fd, TABLE_FD);
    if (read_error && table_at > 0) {
        errno = read_error;
        return -1;
    }
    size_t left = strlen(table_text) - table_at;
    size_t got = left < length ? left : length;
    got = got < piece ? got : piece;
    memcpy(bytes, table_text + table_at, got);
    table_at += got;
    return (ssize_t)got;
}

int __wrap_close(int fd)
{
    (void)fd;
    open_count--;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    open_error = read_error = open_count = 0;
    piece = SIZE_MAX;
    log_spy_reset();
    return 0;
}

static struct mount_table parse(const char *text)
{
    static char buffer[4096];
    struct mount_table table = {0};
    memcpy(buffer, text, strlen(text) + 1);
    assert_int_equal(mounts_parse(buffer, &table), 0);
    return table;
}

static void reads_a_line(void **state)
{
    (void)state;
    struct mount_table table =
        parse("36 35 98:3 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=x\n");
    assert_int_equal(table.count, 1);
    const struct mount_entry *entry = &table.item[0];
    assert_int_equal(entry->id, 36);
    assert_int_equal(entry->parent, 35);
    assert_true(entry->device == makedev(98, 3));
    assert_string_equal(entry->target, "/mnt2");
    assert_string_equal(entry->type, "ext3");
    assert_string_equal(entry->source, "/dev/root");
    assert_string_equal(entry->super_options, "rw,errors=x");
    assert_false(entry->super_read_only);
    assert_true(mount_is_block(entry));
}

static void knows_what_is_read_only(void **state)
{
    (void)state;
    struct mount_table table = parse("1 0 8:1 / /a ro,nodev - ext4 /dev/a rw\n"
                                     "2 0 8:2 / /b rw - ext4 /dev/b rw,ro\n"
                                     "3 0 8:3 / /c nodev,rom,xro - ext4 /dev/c errors=ro,ro2\n"
                                     "4 0 8:4 / /d rw - ext4 /dev/d\n"
                                     "5 0 8:5 / /e rw - ext4 /dev/e rw\n"
                                     "ro,of,no,line");
    assert_int_equal(table.count, 5);
    assert_false(table.item[4].super_read_only);
    assert_false(table.item[0].super_read_only);
    assert_true(table.item[1].super_read_only);
    assert_false(table.item[2].super_read_only);
    assert_string_equal(table.item[3].super_options, "");
}

static void resolves_escapes(void **state)
{
    (void)state;
    struct mount_table table =
        parse("1 0 0:5 / /a\\040b\\011c\\012\\134 rw - tmpfs no\\040disk rw\n"
              "2 0 0:5 / /\\04x\\9\\\\377\\ rw - tmpfs \\377 rw\n");
    assert_int_equal(table.count, 2);
    assert_string_equal(table.item[0].target, "/a b\tc\n\\");
    assert_string_equal(table.item[0].source, "no disk");
    assert_string_equal(table.item[1].target, "/\\04x\\9\\\377\\");
    assert_string_equal(table.item[1].source, "\377");
}

static void leaves_out_what_it_does_not_understand(void **state)
{
    (void)state;
    struct mount_table table = parse("\n"
                                     "1\n"
                                     "1 0 8:1 / /x rw\n"
                                     "1 0 8:1 / /x rw shared:1\n"
                                     "1 0 8:1 / /x rw -\n"
                                     "1 0 8:1 / /x rw - ext4\n"
                                     "x 0 8:1 / /x rw - ext4 /dev/x rw\n"
                                     "1 x 8:1 / /x rw - ext4 /dev/x rw\n"
                                     "1 0 8 / /x rw - ext4 /dev/x rw\n"
                                     "1 0 x:1 / /x rw - ext4 /dev/x rw\n"
                                     "1 0 8:x / /x rw - ext4 /dev/x rw\n"
                                     "1 0 4096:1 / /x rw - ext4 /dev/x rw\n"
                                     "-1 0 8:1 / /x rw - ext4 /dev/x rw\n"
                                     "7 0 8:1 / /good rw - ext4 /dev/x rw");
    assert_int_equal(table.count, 1);
    assert_string_equal(table.item[0].target, "/good");
    assert_int_equal(parse("").count, 0);
}

static void knows_block_devices(void **state)
{
    (void)state;
    struct mount_table table = parse("1 0 0:5 / /a rw - tmpfs tmpfs rw\n"
                                     "2 0 0:6 / /b rw - btrfs /dev/sda1 rw\n"
                                     "3 0 259:1 / /c rw - ext4 /dev/root rw\n");
    assert_false(mount_is_block(&table.item[0]));
    assert_true(mount_is_block(&table.item[1]));
    assert_true(mount_is_block(&table.item[2]));
}

static void loads_a_table_of_any_size(void **state)
{
    (void)state;
    static char large[300000];
    size_t length = 0;
    size_t lines = 0;
    while (length < sizeof large - 200) {
        length += (size_t)snprintf(large + length, sizeof large - length,
                                   "%zu 0 8:%zu / /mnt/%0100zu rw - ext4 /dev/x rw\n", lines, lines,
                                   lines);
        lines++;
    }
    table_text = large;
    static const size_t pieces[] = {SIZE_MAX, 1000, 16383, 16384};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct mount_table table = {0};
        piece = pieces[i];
        assert_int_equal(mounts_load(&table), 0);
        assert_int_equal(table.count, lines);
        assert_int_equal(table.item[lines - 1].id, lines - 1);
        assert_int_equal(open_count, 0);
    }
}

static void says_why_it_cannot_load(void **state)
{
    (void)state;
    struct mount_table table = {.count = 4711};
    table_text = "1 0 8:1 / /x rw - ext4 /dev/x rw\n";
    open_error = ENOENT;
    assert_int_equal(mounts_load(&table), -ENOENT);
    open_error = 0;
    read_error = EIO;
    assert_int_equal(mounts_load(&table), -EIO);
    assert_int_equal(table.count, 4711);
    assert_int_equal(open_count, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_line),
        TEST(knows_what_is_read_only),
        TEST(resolves_escapes),
        TEST(leaves_out_what_it_does_not_understand),
        TEST(knows_block_devices),
        TEST(loads_a_table_of_any_size),
        TEST(says_why_it_cannot_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
