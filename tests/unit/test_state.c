/* SPDX-License-Identifier: MIT */
/* Directories and files that are believed only if they are ours. */
/* wrap: geteuid fchmod faccessat flock fstat read */
#include "erlinit/state.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_faccessat(int directory, const char *name, int mode, int flags);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

static bool foreign;
static int chmod_error, access_error, stat_error, read_error, chmods;

uid_t __wrap_geteuid(void)
{
    return __real_geteuid() + (foreign ? 1 : 0);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    chmods++;
    errno = chmod_error;
    return chmod_error != 0 ? -1 : __real_fchmod(fd, mode);
}

/* Root may write everywhere but where nobody can. */
int __wrap_faccessat(int directory, const char *name, int mode, int flags)
{
    (void)directory;
    assert_string_equal(name, ".");
    assert_int_equal(mode | flags, W_OK);
    errno = access_error;
    return access_error != 0 ? -1 : 0;
}

int __wrap_flock(int fd, int operation)
{
    assert_int_equal(operation, LOCK_EX | LOCK_NB);
    return __real_flock(fd, operation);
}

int __wrap_fstat(int fd, struct stat *status)
{
    errno = stat_error;
    return stat_error != 0 ? -1 : __real_fstat(fd, status);
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
    errno = read_error;
    return read_error != 0 ? -1 : __real_read(fd, buffer, size);
}

static int setup(void **state)
{
    foreign = false;
    chmod_error = access_error = stat_error = read_error = chmods = 0;
    return scratch_make(state);
}

static mode_t mode_of(int fd)
{
    struct stat status;
    assert_int_equal(__real_fstat(fd, &status), 0);
    return status.st_mode & 07777;
}

static void makes_what_is_missing(void **state)
{
    (void)state;
    mode_t old = umask(027);
    int fd = state_directory_open(scratch_path("/new"), 0755);
    (void)umask(old);
    assert_true(fd >= 0);
    assert_int_equal(mode_of(fd), 0755);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    (void)close(fd);
    /* as it should be: nothing to do */
    chmods = 0;
    fd = state_directory_open(scratch_path("/new"), 0755);
    assert_true(fd >= 0);
    assert_int_equal(chmods, 0);
    (void)close(fd);
    assert_int_equal(state_directory_open(scratch_path("/none/new"), 0755), -ENOENT);
}

static void takes_nothing_foreign(void **state)
{
    (void)state;
    scratch_directory("/there");
    scratch_link("there", "/link");
    scratch_file("/file", "");
    assert_int_equal(state_directory_open(scratch_path("/link"), 0755), -ENOTDIR);
    assert_int_equal(state_directory_open(scratch_path("/file"), 0755), -ENOTDIR);
    foreign = true;
    assert_int_equal(state_directory_open(scratch_path("/there"), 0755), -EPERM);
}

static void fails_with_a_reason(void **state)
{
    (void)state;
    scratch_directory("/there");
    int next = dup(0);
    (void)close(next);
    chmod_error = EROFS;
    assert_int_equal(state_directory_open(scratch_path("/there"), 0700), -EROFS);
    chmod_error = 0;
    access_error = EROFS;
    assert_int_equal(state_directory_open(scratch_path("/there"), 0700), -EROFS);
    access_error = 0;
    stat_error = EIO;
    assert_int_equal(state_directory_open(scratch_path("/there"), 0700), -EIO);
    stat_error = 0;
    int first = state_directory_open(scratch_path("/there"), 0700);
    assert_int_equal(first, next);
    assert_int_equal(state_directory_open(scratch_path("/there"), 0700), -EWOULDBLOCK);
    (void)close(first);
    assert_int_equal(state_directory_open(scratch_path("/there"), 0700), next);
    (void)close(next);
}

static void reads_what_we_wrote(void **state)
{
    (void)state;
    char buffer[8] = "-------";
    scratch_file("/file", "abcdef");
    int directory = open(scratch_path(""), O_RDONLY | O_DIRECTORY);
    assert_int_equal(state_read(directory, "file", buffer, 4), 4);
    assert_string_equal(buffer, "abcd---");
    assert_int_equal(state_read(directory, "file", buffer, 7), 6);
    assert_string_equal(buffer, "abcdef-");
    scratch_file("/empty", "");
    assert_int_equal(state_read(directory, "empty", buffer, 7), 0);
    (void)close(directory);
}

static void reads_nothing_else(void **state)
{
    (void)state;
    char buffer[8] = "";
    scratch_file("/file", "abc");
    scratch_link("file", "/link");
    scratch_directory("/directory");
    assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
    int directory = open(scratch_path(""), O_RDONLY | O_DIRECTORY);
    assert_int_equal(state_read(directory, "none", buffer, 7), -ENOENT);
    assert_int_equal(state_read(directory, "link", buffer, 7), -ELOOP);
    assert_int_equal(state_read(directory, "directory", buffer, 7), -EPERM);
    assert_int_equal(state_read(directory, "fifo", buffer, 7), -EPERM);
    read_error = EIO;
    assert_int_equal(state_read(directory, "file", buffer, 7), -EIO);
    read_error = 0;
    stat_error = EIO;
    assert_int_equal(state_read(directory, "file", buffer, 7), -EIO);
    stat_error = 0;
    foreign = true;
    assert_int_equal(state_read(directory, "file", buffer, 7), -EPERM);
    assert_string_equal(buffer, "");
    assert_int_equal(dup(0), directory + 1);
    (void)close(directory + 1);
    (void)close(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_what_is_missing, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(takes_nothing_foreign, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(fails_with_a_reason, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(reads_what_we_wrote, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(reads_nothing_else, setup, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
