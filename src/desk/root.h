/* SPDX-License-Identifier: MIT */
/*
 * A root file system, looked at from outside by somebody who doesn't trust it: its links mean what
 * they would mean on the device, and none leads out of it. Nothing in it is changed or executed.
 */
#ifndef DESK_ROOT_H
#define DESK_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct root {
    int directory; /* descriptor of its top */
    bool entered;  /* it is "/" for this process: paths of the device are right as they are */
};

/*
 * Opens `path` and, if possible, makes it "/" for this process, for good: chroot(2), in a user
 * namespace of our own if we aren't root. 0 or -errno; that only the second part failed is no
 * error (see `entered`), and its reason is in *reason (0: none).
 */
int root_enter(const char *path, struct root *root, int *reason);

/*
 * What `path` of the device is, links followed within the root (openat2(2)); one that isn't
 * absolute begins at the top. Works whether it was entered or not. 0 or -errno.
 */
int root_stat(const struct root *root, const char *path, struct stat *status);

/* The start of a regular file, at most size - 1 bytes and a NUL. Length or -errno (-ENODEV: not a
 * regular file; nothing else is opened). */
ssize_t root_read(const struct root *root, const char *path, char *buffer, size_t size);

/* A whole regular file, as file_load() does it. */
int root_load(const struct root *root, const char *path, size_t limit, char **content,
              size_t *length);

#endif
