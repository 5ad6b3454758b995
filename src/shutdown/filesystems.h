/* SPDX-License-Identifier: MIT */
/* What unmount.c lets a child do. */
#ifndef ERLINIT_FILESYSTEMS_H
#define ERLINIT_FILESYSTEMS_H

#include "erlinit/mounts.h"
#include "erlinit/shutdown.h"

/* Stands for what is done before the first mount, in the list of those that hung: their numbers are
 * above 0. */
#define FILESYSTEMS_BEFORE 0

/* Notes that `entry` is being worked on, as one of `to_go`: what hangs then is known. */
void filesystems_begin(struct shutdown *shutdown, const struct mount_entry *entry, size_t to_go);

/* For child_start(), with a struct shutdown. 0, or the errno for which nothing could be done. */
int filesystems_end_others(void *argument); /* all but what the report is written to */
int filesystems_end_all(void *argument);

#endif
