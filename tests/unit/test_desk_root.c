/* SPDX-License-Identifier: MIT */
/* wrap: chroot syscall */
#include "../../src/desk/root.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NOBODY 65534

static int chroot_errno;  /* 0: it works */
static int syscall_errno; /* the same */

int __real_chroot(const char *path);
int __wrap_chroot(const char *path);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

int __wrap_chroot(const char *path)
{
    errno = chroot_errno;
    return chroot_errno != 0 ? -1 : __real_chroot(path);
}

long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    int directory = va_arg(arguments, int);
    const char *path = va_arg(arguments, const char *);
    void *how = va_arg(arguments, void *);
    size_t size = va_arg(arguments, size_t);
    va_end(arguments);
    errno = syscall_errno;
    return syscall_errno != 0 ? -1 : __real_syscall(number, directory, path, how, size);
}

/* A tree whose links would lead out of it, and something outside for them to find. */
static int make_tree(void **state)
{
    if (scratch_make(state) != 0 || chmod(scratch_root, 0755) < 0)
        return -1;
    scratch_file("/secret", "outside");
    scratch_file("/tree/etc/passwd", "inside");
    scratch_file("/tree/secret/file", "inside");
    if (symlink("/etc/passwd", scratch_path("/tree/absolute")) < 0 ||
        symlink("../../../../../../etc/passwd", scratch_path("/tree/dots")) < 0 ||
        symlink("../secret", scratch_path("/tree/out")) < 0 ||
        symlink(scratch_path("/secret"), scratch_path("/tree/named")) < 0 ||
        symlink("loop", scratch_path("/tree/loop")) < 0 ||
        mkfifo(scratch_path("/tree/fifo"), 0666) < 0)
        return -1;
    return 0;
}

/* What chroot(2) changes can't be changed back: it is tried in a child, which says by the line of
 * the test what doesn't hold. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno));           \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static bool is_inside(const struct root *root, const char *path)
{
    char content[32] = "";
    ssize_t length = root_read(root, path, content, sizeof content);
    errno = length < 0 ? (int)-length : 0;
    return length == (ssize_t)strlen("inside") && strcmp(content, "inside") == 0;
}

static void load(const struct root *root)
{
    char *content = NULL;
    size_t length = 0;
    HOLDS(root_load(root, "/dots", strlen("inside"), &content, &length) == 0);
    HOLDS(length == strlen("inside") && strcmp(content, "inside") == 0);
    content = NULL;
    HOLDS(root_load(root, "/dots", strlen("inside") - 1, &content, &length) == -EFBIG);
    HOLDS(root_load(root, "/fifo", 100, &content, &length) == -ENODEV);
    HOLDS(root_load(root, "/named", 100, &content, &length) == -ENOENT);
    HOLDS(content == NULL);
}

static void look(const struct root *root)
{
    struct stat status;
    char content[4];
    HOLDS(is_inside(root, "/etc/passwd"));
    HOLDS(is_inside(root, "etc/passwd"));
    HOLDS(is_inside(root, "/../../etc/passwd"));
    HOLDS(is_inside(root, "/absolute"));
    HOLDS(is_inside(root, "/dots"));
    HOLDS(root_stat(root, "/out", &status) == 0); /* the tree's own directory */
    HOLDS(S_ISDIR(status.st_mode));
    HOLDS(root_stat(root, "/named", &status) == -ENOENT);
    HOLDS(root_stat(root, "/loop", &status) == -ELOOP);
    HOLDS(root_stat(root, "/etc/passwd/x", &status) == -ENOTDIR);
    HOLDS(root_read(root, "/fifo", content, sizeof content) == -ENODEV);
    HOLDS(root_read(root, "/etc", content, sizeof content) == -ENODEV);
    HOLDS(root_read(root, "/etc/passwd", content, sizeof content) == 3);
    HOLDS(strcmp(content, "ins") == 0);
    load(root);
}

static void in_child(void (*function)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        HOLDS(chdir(scratch_root) == 0); /* nobody may not be let through what is above */
        function();
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void enter_and_look(void)
{
    struct root root;
    int reason = -1;
    HOLDS(root_enter("tree", &root, &reason) == 0);
    HOLDS(reason == 0);
    HOLDS(root.entered);
    look(&root);
    /* the same for code that knows nothing of roots */
    HOLDS(access("/absolute", R_OK) == 0);
    HOLDS(access("/named", F_OK) < 0);
    HOLDS(access("etc/passwd", R_OK) == 0);
    syscall_errno = ENOSYS;
    HOLDS(is_inside(&root, "/absolute"));
    HOLDS(is_inside(&root, "etc/passwd"));
}

static void enter_as_nobody(void)
{
    HOLDS(setgid(NOBODY) == 0);
    HOLDS(setuid(NOBODY) == 0);
    enter_and_look();
}

static void look_without_entering(void)
{
    struct root root;
    struct stat status;
    int reason = 0;
    chroot_errno = EPERM;
    HOLDS(root_enter("tree", &root, &reason) == 0);
    HOLDS(reason == EPERM);
    HOLDS(!root.entered);
    look(&root);
    syscall_errno = ENOSYS; /* then there is nothing safe */
    HOLDS(root_stat(&root, "/etc/passwd", &status) == -ENOSYS);
}

static void test_entered(void **state)
{
    (void)state;
    in_child(enter_and_look);
}

static void test_entered_without_rights(void **state)
{
    (void)state;
    if (access("/proc/self/ns/user", F_OK) < 0 || geteuid() != 0)
        skip();
    in_child(enter_as_nobody);
}

static void test_not_entered(void **state)
{
    (void)state;
    in_child(look_without_entering);
}

static void test_no_such_directory(void **state)
{
    (void)state;
    struct root root;
    int reason;
    assert_int_equal(root_enter(scratch_path("/none"), &root, &reason), -ENOENT);
    assert_int_equal(root_enter(scratch_path("/secret"), &root, &reason), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entered, make_tree, scratch_remove),
        cmocka_unit_test_setup_teardown(test_entered_without_rights, make_tree, scratch_remove),
        cmocka_unit_test_setup_teardown(test_not_entered, make_tree, scratch_remove),
        cmocka_unit_test_setup_teardown(test_no_such_directory, make_tree, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
