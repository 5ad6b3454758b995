/* SPDX-License-Identifier: MIT */
/*
 * Files, whole. All descriptors are O_CLOEXEC; EINTR and short reads and writes are dealt with
 * here. Results are 0 or a negative errno; outputs are untouched on failure.
 */
#ifndef ERLINIT_FILES_H
#define ERLINIT_FILES_H

#include "erlinit/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads at most size - 1 bytes from the start of a file into `buffer` and ends them with a NUL.
 * Returns the length or -errno. */
ssize_t file_read(const char *path, char *buffer, size_t size);
ssize_t file_read_at(int directory, const char *name, char *buffer, size_t size);

/* First line of a file, trimmed. Length or -errno. */
ssize_t file_read_line(const char *path, char *buffer, size_t size);

/*
 * A whole regular file in the arena, with a NUL after it. -EFBIG above `limit` bytes, -EISDIR for a
 * directory, -ENODEV for anything else that is not a regular file (a FIFO would block). The content
 * may hold NULs.
 */
int file_load(const char *path, size_t limit, char **content, size_t *length);

/* Writes `text` to an existing file with one write(2) (procfs, sysfs). */
int file_set(const char *path, const char *text);

/* All of it, through short writes and EINTR. */
int file_write_all(int fd, const void *bytes, size_t length);

/*
 * Replaces `directory`/`name` (directory fd, or AT_FDCWD) so that after a power cut there is the
 * old file or the whole new one: written to a temporary name beside it (O_EXCL|O_NOFOLLOW), fsync,
 * rename, fsync of the directory. A symbolic link at `name` is replaced, not followed.
 */
int file_replace(int directory, const char *name, mode_t mode, const void *bytes, size_t length);

/* Creates every missing directory of `path`, mode 0755 each. */
int directory_make_all(const char *path);

bool path_is_directory(const char *path); /* links followed */
bool path_exists(const char *path);

struct directory_entry {
    int directory; /* descriptor of the one that it is in */
    const char *name;
    unsigned char type; /* DT_..., as far as the file system tells: getdents64(2) */
};

typedef bool directory_filter(const struct directory_entry *entry);

/*
 * Names in a directory, without those that start with a dot, sorted by strcmp(3), in the arena.
 * `wanted` (may be NULL) picks.
 */
int directory_list(const char *path, directory_filter *wanted, struct strings *names);

/* Ready-made filters: subdirectories, regular files (links to such count). */
directory_filter directory_entry_is_directory, directory_entry_is_file;
/* In /proc: processes. */
directory_filter directory_entry_is_process;

#endif
