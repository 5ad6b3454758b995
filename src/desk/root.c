/* SPDX-License-Identifier: MIT */
#include "root.h"

#include "erlinit/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static int enter(int directory)
{
    if (fchdir(directory) < 0)
        return -errno;
    if (chroot(".") == 0)
        return 0;
    /* in a namespace of our own we may, and gain nothing else by it */
    if (errno != EPERM || unshare(CLONE_NEWUSER) < 0 || chroot(".") < 0)
        return -errno;
    return 0;
}

int root_enter(const char *path, struct root *root, int *reason)
{
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    int result = enter(directory);
    *root = (struct root){.directory = directory, .entered = result == 0};
    *reason = -result;
    return 0;
}

static int open_within(const struct root *root, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, root->directory, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS && root->entered) /* before Linux 5.6 */
        fd = openat(root->directory, path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : (int)fd;
}

int root_stat(const struct root *root, const char *path, struct stat *status)
{
    int fd = open_within(root, path, O_PATH);
    if (fd < 0)
        return fd;
    int result = fstat(fd, status) < 0 ? -errno : 0;
    (void)close(fd);
    return result;
}

ssize_t root_read(const struct root *root, const char *path, char *buffer, size_t size)
{
    struct stat status;
    int result = root_stat(root, path, &status);
    if (result < 0)
        return result;
    if (!S_ISREG(status.st_mode))
        return -ENODEV;
    /* O_NONBLOCK: should it have become a FIFO meanwhile */
    int fd = open_within(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd;
    ssize_t length = read(fd, buffer, size - 1);
    int error = errno;
    (void)close(fd);
    if (length < 0)
        return -error;
    buffer[length] = '\0';
    return length;
}

int root_load(const struct root *root, const char *path, size_t limit, char **content,
              size_t *length)
{
    struct stat status;
    int result = root_stat(root, path, &status);
    if (result < 0)
        return result;
    if (status.st_size > 0 && (size_t)status.st_size > limit)
        return -EFBIG;
    size_t size = (size_t)status.st_size + 1;
    char *buffer = arena_alloc(size);
    if (buffer == NULL)
        return -ENOMEM;
    ssize_t got = root_read(root, path, buffer, size);
    if (got < 0)
        return (int)got;
    *content = buffer;
    *length = (size_t)got;
    return 0;
}
