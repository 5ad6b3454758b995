/* SPDX-License-Identifier: MIT */
#include "erlinit/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ours alone, writable, and nobody else at it. */
static int check(int fd, mode_t mode)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_uid != geteuid())
        return -EPERM;
    if ((status.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
        return -errno;
    if (faccessat(fd, ".", W_OK, 0) < 0)
        return -errno;
    /* Never waits: at boot and after all processes have ended there is nobody to wait for. */
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int state_directory_open(const char *path, mode_t mode)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = check(fd, mode);
    if (result < 0) {
        (void)close(fd);
        return result;
    }
    return fd;
}

ssize_t state_read(int directory, const char *name, void *buffer, size_t size)
{
    struct stat status;
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t length = fstat(fd, &status);
    if (length == 0 && (!S_ISREG(status.st_mode) || status.st_uid != geteuid()))
        length = -EPERM;
    else if (length < 0 || (length = read(fd, buffer, size)) < 0)
        length = -errno;
    (void)close(fd);
    return length;
}
