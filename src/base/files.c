/* SPDX-License-Identifier: MIT */
#include "erlinit/files.h"

#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until `size` bytes or the end. */
static ssize_t read_fully(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, buffer + length, size - length);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

ssize_t file_read_at(int directory, const char *name, char *buffer, size_t size)
{
    /* O_NONBLOCK: a FIFO or a terminal in the place of a file must not hold us up */
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t length = read_fully(fd, buffer, size - 1);
    (void)close(fd);
    if (length >= 0)
        buffer[length] = '\0';
    return length;
}

ssize_t file_read(const char *path, char *buffer, size_t size)
{
    return file_read_at(AT_FDCWD, path, buffer, size);
}

ssize_t file_read_line(const char *path, char *buffer, size_t size)
{
    ssize_t length = file_read(path, buffer, size);
    if (length < 0)
        return length;
    buffer[strcspn(buffer, "\n")] = '\0';
    char *line = text_trim_in_place(buffer);
    length = (ssize_t)strlen(line);
    memmove(buffer, line, (size_t)length + 1);
    return length;
}

static int check_loadable(int fd, size_t limit, size_t *size)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -ENODEV;
    if (status.st_size > 0 && (size_t)status.st_size > limit)
        return -EFBIG;
    *size = (size_t)status.st_size;
    return 0;
}

int file_load(const char *path, size_t limit, char **content, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    size_t size = 0;
    ssize_t result = check_loadable(fd, limit, &size);
    char *buffer = NULL;
    if (result == 0) {
        buffer = arena_alloc(size + 1);
        result = buffer != NULL ? read_fully(fd, buffer, size) : -ENOMEM;
    }
    (void)close(fd);
    if (result < 0)
        return (int)result;
    *content = buffer;
    *length = (size_t)result;
    return 0;
}

int file_set(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, strlen(text));
    int result = written < 0 ? -errno : 0;
    (void)close(fd);
    return result;
}

int file_write_all(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_and_sync(int fd, mode_t mode, const void *bytes, size_t length)
{
    int result = file_write_all(fd, bytes, length);
    /* fchmod: the umask of the moment must not decide who reads this */
    if (result == 0 && fchmod(fd, mode) < 0)
        result = -errno;
    if (result == 0 && fsync(fd) < 0)
        result = -errno;
    if (close(fd) < 0 && result == 0)
        result = -errno;
    return result;
}

/* Makes a rename or an unlink in the directory that holds `name` survive a power cut (fsync(2)). */
static int sync_directory_of(int directory, const char *name)
{
    const char *slash = strrchr(name, '/');
    char *parent = slash == NULL ? arena_string(".") : arena_copy(name, (size_t)(slash - name) + 1);
    if (parent == NULL)
        return -ENOMEM;
    int fd = openat(directory, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return result;
}

int file_replace(int directory, const char *name, mode_t mode, const void *bytes, size_t length)
{
    char *temporary = arena_format("%s.new", name);
    if (temporary == NULL)
        return -ENOMEM;
    /* what a power cut left behind; a link is removed, not followed */
    if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
        return -errno;
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    S_IRUSR | S_IWUSR);
    if (fd < 0)
        return -errno;
    int result = write_and_sync(fd, mode, bytes, length);
    if (result == 0 && renameat(directory, temporary, directory, name) < 0)
        result = -errno;
    if (result < 0) {
        (void)unlinkat(directory, temporary, 0);
        return result;
    }
    return sync_directory_of(directory, name);
}
