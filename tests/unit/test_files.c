/* SPDX-License-Identifier: MIT */
/* Files, whole: with every system call failing in turn, and with reads and writes in pieces. */
/* wrap: open openat fstat read write close fchmod fsync renameat unlinkat mmap */
#include "erlinit/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "scratch.h"
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum call { OPEN, FSTAT, READ, WRITE, CLOSE, FCHMOD, FSYNC, RENAME, UNLINK, MMAP, CALLS };

static struct {
    enum call call;
    int number; /* which one fails, from 1; 0: none */
    int error;
    int seen[CALLS];
    int open_fds;
    size_t piece;    /* most bytes a read or a write takes; 0: all */
    bool interrupts; /* every other read and write: EINTR */
    char order[64];
    char last_opened[64]; /* by openat(2) */
} fault;

static int fails(enum call call)
{
    static const char letters[] = "osrwcmfnu";
    size_t length = strlen(fault.order);
    if (call != MMAP && length < sizeof fault.order - 1)
        fault.order[length] = letters[call];
    fault.seen[call]++;
    if (call != fault.call || fault.seen[call] != fault.number)
        return 0;
    errno = fault.error;
    return 1;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);
void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);

static int opened(int fd, int flags)
{
    assert_true((flags & O_CLOEXEC) != 0);
    fault.open_fds += fd >= 0 ? 1 : 0;
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    assert_false((flags & O_CREAT) != 0);
    return fails(OPEN) ? -1 : opened(__real_open(path, flags), flags);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
        assert_true((flags & O_EXCL) != 0 && (flags & O_NOFOLLOW) != 0);
        assert_int_equal(mode & 077, 0);
    }
    (void)snprintf(fault.last_opened, sizeof fault.last_opened, "%s", path);
    return fails(OPEN) ? -1 : opened(__real_openat(directory, path, flags, mode), flags);
}

int __wrap_fstat(int fd, struct stat *status)
{
    return fails(FSTAT) ? -1 : __real_fstat(fd, status);
}

static bool is_interrupted(enum call call)
{
    errno = EINTR;
    return fault.interrupts && fault.seen[call] % 2 == 1;
}

static size_t piece_of(size_t length)
{
    return fault.piece > 0 && fault.piece < length ? fault.piece : length;
}

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    return fails(READ) || is_interrupted(READ) ? -1 : __real_read(fd, bytes, piece_of(length));
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    return fails(WRITE) || is_interrupted(WRITE) ? -1 : __real_write(fd, bytes, piece_of(length));
}

int __wrap_close(int fd)
{
    int failed = fails(CLOSE);
    int error = errno;
    assert_int_equal(__real_close(fd), 0);
    fault.open_fds--;
    errno = error;
    return failed ? -1 : 0;
}

int __wrap_fchmod(int fd, mode_t mode)
{
    return fails(FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
    return fails(FSYNC) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return fails(RENAME) ? -1 : __real_renameat(from_directory, from, to_directory, to);
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
    return fails(UNLINK) ? -1 : __real_unlinkat(directory, name, flags);
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return fails(MMAP) ? MAP_FAILED : __real_mmap(at, length, protection, flags, fd, offset);
}

/* The next calls count from 1; the given one fails. */
static void arm(enum call call, int number, int error)
{
    memset(&fault, 0, sizeof fault);
    fault.call = call;
    fault.number = number;
    fault.error = error;
}

static int setup(void **state)
{
    arm(OPEN, 0, 0);
    int result = scratch_make(state);
    scratch_file("/file", "first\nsecond\n");
    arm(OPEN, 0, 0);
    return result;
}

static int teardown(void **state)
{
    int leaked = fault.open_fds;
    arm(OPEN, 0, 0);
    return scratch_remove(state) != 0 || leaked != 0;
}

/* ---- reading ---- */

static void reads_what_fits(void **state)
{
    (void)state;
    char buffer[32];
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), 13);
    assert_string_equal(buffer, "first\nsecond\n");
    assert_int_equal(file_read(scratch_path("/file"), buffer, 4), 3);
    assert_string_equal(buffer, "fir");
    assert_int_equal(file_read(scratch_path("/file"), buffer, 1), 0);
    assert_string_equal(buffer, "");
}

static void reads_in_pieces_and_through_interruptions(void **state)
{
    (void)state;
    char buffer[32];
    fault.piece = 2;
    fault.interrupts = true;
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), 13);
    assert_string_equal(buffer, "first\nsecond\n");
    char *content = NULL;
    size_t length = 0;
    assert_int_equal(file_load(scratch_path("/file"), 100, &content, &length), 0);
    assert_int_equal(length, 13);
    assert_string_equal(content, "first\nsecond\n");
}

static void says_why_it_cannot_read(void **state)
{
    (void)state;
    char buffer[32] = "kept";
    assert_int_equal(file_read(scratch_path("/none"), buffer, sizeof buffer), -ENOENT);
    assert_int_equal(file_read_line(scratch_path("/none"), buffer, sizeof buffer), -ENOENT);
    assert_int_equal(file_read(scratch_root, buffer, sizeof buffer), -EISDIR);
    arm(OPEN, 1, EMFILE);
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), -EMFILE);
    assert_string_equal(buffer, "kept");
    arm(READ, 2, EIO);
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), -EIO);
    assert_int_equal(fault.open_fds, 0);
}

static void a_fifo_holds_nobody_up(void **state)
{
    (void)state;
    char buffer[32];
    char *content = NULL;
    size_t length = 0;
    assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
    assert_int_equal(file_read(scratch_path("/fifo"), buffer, sizeof buffer), 0);
    assert_int_equal(file_load(scratch_path("/fifo"), 100, &content, &length), -ENODEV);
}

static void reads_a_line(void **state)
{
    (void)state;
    char buffer[32];
    scratch_file("/spaces", " \t a b \r\nnot this\n");
    scratch_file("/no-newline", "word");
    scratch_file("/empty", "");
    scratch_file("/newline", "\nword");
    arm(OPEN, 0, 0);
    assert_int_equal(file_read_line(scratch_path("/spaces"), buffer, sizeof buffer), 3);
    assert_string_equal(buffer, "a b");
    assert_int_equal(file_read_line(scratch_path("/no-newline"), buffer, sizeof buffer), 4);
    assert_string_equal(buffer, "word");
    assert_int_equal(file_read_line(scratch_path("/empty"), buffer, sizeof buffer), 0);
    assert_int_equal(file_read_line(scratch_path("/newline"), buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "");
    assert_int_equal(file_read_line(scratch_path("/spaces"), buffer, 5), 1);
    assert_string_equal(buffer, "a");
}

static void loads_whole_files(void **state)
{
    (void)state;
    char *content = NULL;
    size_t length = 4711;
    scratch_bytes("/nul", "a\0b", 3);
    scratch_file("/empty", "");
    arm(OPEN, 0, 0);
    assert_int_equal(file_load(scratch_path("/nul"), 3, &content, &length), 0);
    assert_int_equal(length, 3);
    assert_memory_equal(content, "a\0b\0", 4);
    assert_int_equal(file_load(scratch_path("/empty"), 0, &content, &length), 0);
    assert_int_equal(length, 0);
    assert_string_equal(content, "");
}

static void loads_all_or_nothing(void **state)
{
    (void)state;
    char *content = (char *)state;
    size_t length = 4711;
    static const struct {
        enum call call;
        int error;
    } faults[] = {{OPEN, EMFILE}, {FSTAT, EIO}, {READ, EIO}, {MMAP, ENOMEM}};
    assert_int_equal(file_load(scratch_path("/none"), 100, &content, &length), -ENOENT);
    assert_int_equal(file_load(scratch_root, 100, &content, &length), -EISDIR);
    assert_int_equal(file_load("/dev/null", 100, &content, &length), -ENODEV);
    assert_int_equal(file_load(scratch_path("/file"), 12, &content, &length), -EFBIG);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].call == MMAP) { /* what is left of a block would do */
            arm(MMAP, 1, ENOMEM);
            while (arena_alloc(8) != NULL)
                continue;
        }
        arm(faults[i].call, 1, faults[i].error);
        int result = file_load(scratch_path("/file"), 100, &content, &length);
        assert_int_equal(result, -faults[i].error);
        assert_int_equal(fault.open_fds, 0);
    }
    assert_ptr_equal(content, state);
    assert_int_equal(length, 4711);
}

/* ---- writing ---- */

static void sets_what_exists(void **state)
{
    (void)state;
    char buffer[32];
    assert_int_equal(file_set(scratch_path("/file"), "FIRST"), 0);
    assert_int_equal(fault.seen[WRITE], 1);
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), 13);
    assert_string_equal(buffer, "FIRST\nsecond\n");
    assert_int_equal(file_set(scratch_path("/none"), "x"), -ENOENT);
    assert_false(path_exists(scratch_path("/none")));
    arm(WRITE, 1, EINVAL);
    assert_int_equal(file_set(scratch_path("/file"), "x"), -EINVAL);
    assert_int_equal(fault.open_fds, 0);
}

static void writes_all_of_it(void **state)
{
    (void)state;
    char buffer[32];
    int fd = __real_open(scratch_path("/file"), O_WRONLY | O_TRUNC);
    fault.piece = 3;
    fault.interrupts = true;
    assert_int_equal(file_write_all(fd, "0123456789", 10), 0);
    arm(WRITE, 2, ENOSPC);
    fault.piece = 3;
    assert_int_equal(file_write_all(fd, "0123456789", 10), -ENOSPC);
    arm(WRITE, 1, EIO);
    assert_int_equal(file_write_all(fd, "", 0), 0);
    (void)__real_close(fd);
    arm(OPEN, 0, 0);
    assert_int_equal(file_read(scratch_path("/file"), buffer, sizeof buffer), 13);
    assert_string_equal(buffer, "0123456789012");
}

static void expect_content(const char *path, const char *expected)
{
    char buffer[64];
    arm(OPEN, 0, 0);
    assert_int_equal(file_read(scratch_path(path), buffer, sizeof buffer), strlen(expected));
    assert_string_equal(buffer, expected);
}

static void replaces(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(077);
    int result = file_replace(AT_FDCWD, scratch_path("/file"), 0644, "new", 3);
    (void)umask(before);
    assert_int_equal(result, 0);
    /* unlink the leftover, open, write, mode, fsync, close, rename; the directory: open, fsync */
    assert_string_equal(fault.order, "uowmfcnofc");
    assert_int_equal(stat(scratch_path("/file"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_false(path_exists(scratch_path("/file.new")));
    expect_content("/file", "new");
    assert_int_equal(file_replace(AT_FDCWD, scratch_path("/fresh"), 0600, "", 0), 0);
    expect_content("/fresh", "");
}

static void replaces_relative_to_a_directory(void **state)
{
    (void)state;
    scratch_file("/sub/file", "old");
    int directory = __real_open(scratch_root, O_PATH | O_DIRECTORY);
    arm(OPEN, 0, 0);
    assert_int_equal(file_replace(directory, "file", 0600, "one", 3), 0);
    assert_string_equal(fault.last_opened, ".");
    assert_int_equal(file_replace(directory, "sub/file", 0600, "two", 3), 0);
    /* with its slash: of "/file" it is all there is */
    assert_string_equal(fault.last_opened, "sub/");
    (void)__real_close(directory);
    expect_content("/file", "one");
    expect_content("/sub/file", "two");
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch_root), 0);
    assert_int_equal(file_replace(AT_FDCWD, "file", 0600, "three", 5), 0);
    assert_int_equal(chdir(here), 0);
    expect_content("/file", "three");
}

static void replaces_links_and_leftovers_and_follows_none(void **state)
{
    (void)state;
    struct stat status;
    scratch_file("/victim", "untouched");
    scratch_link("victim", "/link");
    scratch_link("victim", "/link.new");
    arm(OPEN, 0, 0);
    assert_int_equal(file_replace(AT_FDCWD, scratch_path("/link"), 0600, "new", 3), 0);
    expect_content("/victim", "untouched");
    expect_content("/link", "new");
    assert_int_equal(lstat(scratch_path("/link"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

/* Whatever fails: the old file whole (or, once renamed, the new one), nothing left beside it. */
static void a_failure_leaves_the_old_file(void **state)
{
    (void)state;
    static const struct {
        enum call call;
        int number, error;
        const char *content;
    } faults[] = {
        {UNLINK, 1, EROFS, "old"}, {OPEN, 1, EROFS, "old"},   {WRITE, 1, ENOSPC, "old"},
        {WRITE, 2, EIO, "old"},    {FCHMOD, 1, EPERM, "old"}, {FSYNC, 1, EIO, "old"},
        {CLOSE, 1, EDQUOT, "old"}, {RENAME, 1, EXDEV, "old"}, {OPEN, 2, EMFILE, "new"},
        {FSYNC, 2, EIO, "new"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        scratch_file("/data", "old");
        arm(faults[i].call, faults[i].number, faults[i].error);
        fault.piece = 2;
        int result = file_replace(AT_FDCWD, scratch_path("/data"), 0600, "new", 3);
        if (result != -faults[i].error || fault.open_fds != 0)
            fail_msg("row %zu: result %d, %d open", i, result, fault.open_fds);
        expect_content("/data", faults[i].content);
        if (faults[i].call != UNLINK)
            assert_false(path_exists(scratch_path("/data.new")));
    }
}

static void replaces_nothing_without_memory(void **state)
{
    (void)state;
    const char *path = scratch_path("/file");
    for (int left = 0; left < 2; left++) {
        arm(MMAP, 1, ENOMEM);
        while (arena_alloc(8) != NULL)
            continue;
        arm(MMAP, 1 + left, ENOMEM);
        if (left == 1) { /* enough for the temporary name, not for the directory's */
            char *all = arena_alloc(65536 - 64 - (strlen(path) + 5 + 15) / 16 * 16);
            assert_non_null(all);
            (void)arena_alloc(64);
        }
        assert_int_equal(file_replace(AT_FDCWD, path, 0600, "new", 3), -ENOMEM);
        assert_int_equal(fault.open_fds, 0);
    }
}

static void replaces_no_directory(void **state)
{
    (void)state;
    scratch_directory("/directory");
    scratch_directory("/file.new/full");
    arm(OPEN, 0, 0);
    assert_int_equal(file_replace(AT_FDCWD, scratch_path("/directory"), 0600, "x", 1), -EISDIR);
    assert_false(path_exists(scratch_path("/directory.new")));
    assert_int_equal(file_replace(AT_FDCWD, scratch_path("/file"), 0600, "x", 1), -EISDIR);
    assert_int_equal(file_replace(AT_FDCWD, scratch_path("/no/file"), 0600, "x", 1), -ENOENT);
    expect_content("/file", "first\nsecond\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_what_fits),
        TEST(reads_in_pieces_and_through_interruptions),
        TEST(says_why_it_cannot_read),
        TEST(a_fifo_holds_nobody_up),
        TEST(reads_a_line),
        TEST(loads_whole_files),
        TEST(loads_all_or_nothing),
        TEST(sets_what_exists),
        TEST(writes_all_of_it),
        TEST(replaces),
        TEST(replaces_relative_to_a_directory),
        TEST(replaces_links_and_leftovers_and_follows_none),
        TEST(a_failure_leaves_the_old_file),
        TEST(replaces_nothing_without_memory),
        TEST(replaces_no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
