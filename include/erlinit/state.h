/* SPDX-License-Identifier: MIT */
/* Directories of ours in places where others may be at home too: the state directory may be the
 * VM's, which need not be root. */
#ifndef ERLINIT_STATE_H
#define ERLINIT_STATE_H

#include <sys/types.h>

/*
 * Opens the directory, made if it is missing and given `mode`: only if it is ours (no link, no
 * other owner), can be written to, and nobody else of us is at it (flock(2), kept until it is
 * closed). A descriptor or -errno.
 */
int state_directory_open(const char *path, mode_t mode);

/* Reads a file of such a directory, up to `size` bytes, only if we wrote it: -EPERM for what is no
 * regular file, or another user's; -ELOOP for a link. The number of bytes or -errno. */
ssize_t state_read(int directory, const char *name, void *buffer, size_t size);

#endif
