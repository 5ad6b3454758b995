/* SPDX-License-Identifier: MIT */
/* Questions to a table of mounts. */
#ifndef MOUNTINFO_H
#define MOUNTINFO_H

#include "erlinit/mounts.h"

/* mounts_load() from another file than the usual one. */
int mountinfo_load(const char *path, struct mount_table *mounts);

/* The mount that an absolute path is on: the longest mount point that leads to it; of several on
 * the same place the last, which covers the others. NULL if there is none. */
const struct mount_entry *mountinfo_of_path(const struct mount_table *mounts, const char *path);

/* A mount of this super block, or NULL. */
const struct mount_entry *mountinfo_of_device(const struct mount_table *mounts, dev_t device);

/* The first mount of a file system on a block device, or NULL. */
const struct mount_entry *mountinfo_first_block(const struct mount_table *mounts);

#endif
