/* SPDX-License-Identifier: MIT */
/* wrap: mkdir open syscall mmap fstatat */
#include "erlinit/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "scratch.h"
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_open(const char *path, int flags);
int __wrap_open(const char *path, int flags);
long __real_syscall(long number, long a, long b, long c);
long __wrap_syscall(long number, long a, long b, long c);
int __real_fstatat(int directory, const char *name, struct stat *status, int flags);
int __wrap_fstatat(int directory, const char *name, struct stat *status, int flags);
void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);

static int mkdir_error, open_error, list_error, list_calls, looks;
static bool no_memory;

int __wrap_mkdir(const char *path, mode_t mode)
{
    errno = mkdir_error;
    return mkdir_error ? -1 : __real_mkdir(path, mode);
}

int __wrap_open(const char *path, int flags)
{
    assert_true((flags & (O_CLOEXEC | O_DIRECTORY)) == (O_CLOEXEC | O_DIRECTORY));
    errno = open_error;
    return open_error ? -1 : __real_open(path, flags);
}

/* The second call fails: some names have been seen by then. */
long __wrap_syscall(long number, long a, long b, long c)
{
    assert_int_equal(number, SYS_getdents64);
    errno = list_error;
    return list_error && ++list_calls == 2 ? -1 : __real_syscall(number, a, b, c);
}

int __wrap_fstatat(int directory, const char *name, struct stat *status, int flags)
{
    looks++;
    return __real_fstatat(directory, name, status, flags);
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return no_memory ? MAP_FAILED : __real_mmap(at, length, protection, flags, fd, offset);
}

static int setup(void **state)
{
    mkdir_error = open_error = list_error = list_calls = 0;
    no_memory = false;
    return scratch_make(state);
}

static int teardown(void **state)
{
    no_memory = false;
    return scratch_remove(state);
}

static void use_memory_up(void)
{
    no_memory = true;
    while (arena_alloc(8) != NULL)
        continue;
}

static void makes_all(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(077);
    int result = directory_make_all(scratch_path("/a/b//c/"));
    (void)umask(before);
    assert_int_equal(result, 0);
    assert_int_equal(stat(scratch_path("/a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_true(path_is_directory(scratch_path("/a/b/c")));
    assert_int_equal(directory_make_all(scratch_path("/a/b/c")), 0);
    assert_int_equal(directory_make_all("/"), 0);
    assert_int_equal(directory_make_all(""), 0);
}

static void makes_below_where_it_is(void **state)
{
    (void)state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch_root), 0);
    assert_int_equal(directory_make_all("x/y"), 0);
    assert_int_equal(chdir(here), 0);
    assert_true(path_is_directory(scratch_path("/x/y")));
}

static void changes_no_mode_of_what_is_there(void **state)
{
    (void)state;
    struct stat status;
    scratch_directory("/private");
    assert_int_equal(chmod(scratch_path("/private"), 0700), 0);
    assert_int_equal(directory_make_all(scratch_path("/private/new")), 0);
    assert_int_equal(stat(scratch_path("/private"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void goes_through_links_to_directories(void **state)
{
    (void)state;
    scratch_directory("/real");
    scratch_link("real", "/link");
    scratch_link("nowhere", "/dangling");
    assert_int_equal(directory_make_all(scratch_path("/link/sub")), 0);
    assert_true(path_is_directory(scratch_path("/real/sub")));
    assert_int_equal(directory_make_all(scratch_path("/dangling/sub")), -ENOTDIR);
}

static void says_why_it_cannot_make(void **state)
{
    (void)state;
    scratch_file("/file", "");
    assert_int_equal(directory_make_all(scratch_path("/file")), -ENOTDIR);
    assert_int_equal(directory_make_all(scratch_path("/file/sub")), -ENOTDIR);
    mkdir_error = ENOSPC;
    assert_int_equal(directory_make_all(scratch_path("/new")), -ENOSPC);
    /* read-only, and there already or not (mkdir(2) may say EROFS before EEXIST) */
    mkdir_error = EROFS;
    assert_int_equal(directory_make_all(scratch_root), 0);
    assert_int_equal(directory_make_all(scratch_path("/new")), -EROFS);
    mkdir_error = 0;
    use_memory_up();
    assert_int_equal(directory_make_all(scratch_path("/new")), -ENOMEM);
}

static void knows_what_is_there(void **state)
{
    (void)state;
    scratch_directory("/d");
    scratch_file("/f", "");
    scratch_link("d", "/to-d");
    scratch_link("none", "/to-none");
    assert_true(path_exists(scratch_path("/d")) && path_is_directory(scratch_path("/d")));
    assert_true(path_exists(scratch_path("/f")) && !path_is_directory(scratch_path("/f")));
    assert_true(path_is_directory(scratch_path("/to-d")));
    assert_false(path_exists(scratch_path("/to-none")));
    assert_false(path_is_directory(scratch_path("/none")));
    int root = __real_open(scratch_root, O_RDONLY | O_DIRECTORY);
    static const struct {
        const char *name;
        unsigned char type;
        bool is_directory, is_file;
        int looks; /* at the file itself, for each question */
    } entries[] = {{"d", DT_DIR, true, false, 0},         {"d", DT_UNKNOWN, true, false, 1},
                   {"to-d", DT_LNK, true, false, 1},      {"f", DT_REG, false, true, 0},
                   {"f", DT_UNKNOWN, false, true, 1},     {"to-none", DT_LNK, false, false, 1},
                   {"none", DT_UNKNOWN, false, false, 1}, {"f", DT_FIFO, false, false, 0}};
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct directory_entry entry = {root, entries[i].name, entries[i].type};
        looks = 0;
        assert_int_equal(directory_entry_is_directory(&entry), entries[i].is_directory);
        assert_int_equal(directory_entry_is_file(&entry), entries[i].is_file);
        assert_int_equal(looks, 2 * entries[i].looks);
    }
    (void)close(root);
}

static void lists_sorted_without_dots(void **state)
{
    (void)state;
    struct strings names = {0};
    scratch_file("/b", "");
    scratch_file("/a", "");
    scratch_file("/.hidden", "");
    scratch_directory("/c");
    scratch_file("/B", "");
    assert_int_equal(directory_list(scratch_root, NULL, &names), 0);
    assert_int_equal(names.count, 4);
    assert_string_equal(names.item[0], "B");
    assert_string_equal(names.item[1], "a");
    assert_string_equal(names.item[3], "c");
    assert_null(names.item[4]);
    scratch_link("b", "/to-b");
    looks = 0;
    assert_int_equal(directory_list(scratch_root, directory_entry_is_directory, &names), 0);
    assert_int_equal(names.count, 1);
    assert_int_equal(looks, 1);
    assert_int_equal(directory_list(scratch_root, directory_entry_is_file, &names), 0);
    assert_int_equal(names.count, 4);
    assert_int_equal(directory_list(scratch_path("/c"), NULL, &names), 0);
    assert_int_equal(names.count, 0);
}

/* More than one getdents64(2) gives, and names as long as they come. */
static void lists_many(void **state)
{
    (void)state;
    char path[300];
    struct strings names = {0};
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof path, "/%0*d", i < 50 ? 255 : 5, i);
        scratch_file(path, "");
    }
    assert_int_equal(directory_list(scratch_root, NULL, &names), 0);
    assert_int_equal(names.count, 100);
    for (size_t i = 1; i < names.count; i++)
        assert_true(strcmp(names.item[i - 1], names.item[i]) < 0);
}

static void lists_all_or_nothing(void **state)
{
    (void)state;
    char path[32];
    struct strings names = {.count = 4711};
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof path, "/%025d", i);
        scratch_file(path, "");
    }
    assert_int_equal(directory_list(scratch_path("/none"), NULL, &names), -ENOENT);
    assert_int_equal(directory_list(scratch_path("/0000000000000000000000000"), NULL, &names),
                     -ENOTDIR);
    open_error = EMFILE;
    assert_int_equal(directory_list(scratch_root, NULL, &names), -EMFILE);
    open_error = 0;
    list_error = EIO;
    assert_int_equal(directory_list(scratch_root, NULL, &names), -EIO);
    list_error = 0;
    use_memory_up();
    assert_int_equal(directory_list(scratch_root, NULL, &names), -ENOMEM);
    assert_int_equal(names.count, 4711);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_all),
        TEST(makes_below_where_it_is),
        TEST(changes_no_mode_of_what_is_there),
        TEST(goes_through_links_to_directories),
        TEST(says_why_it_cannot_make),
        TEST(knows_what_is_there),
        TEST(lists_sorted_without_dots),
        TEST(lists_many),
        TEST(lists_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
