/* SPDX-License-Identifier: MIT */
/* What unmount.c lets a child do. */
#ifndef ERLINIT_FILESYSTEMS_H
#define ERLINIT_FILESYSTEMS_H

#include "erlinit/mounts.h"
#include "erlinit/shutdown.h"

/* Stands for what is done before the first mount, in the list of devices that hung: theirs are not
 * 0. */
#define FILESYSTEMS_BEFORE 0

/* Notes that `entry` is being worked on, as one of `to_go`: what hangs then is known. */
void filesystems_begin(struct shutdown *shutdown, const struct mount_entry *entry, size_t to_go);

/* For child_start(), with a struct shutdown. 0, or the errno for which nothing could be done. */
int filesystems_end_others(void *argument); /* all but what the report is written to */
int filesystems_end_all(void *argument);

/* Adds to the notes, for the report, what is still mounted: the report's own, the root, and
 * whatever is busy end only when that has been written. And who keeps it busy. For child_call(), as
 * above. */
int filesystems_note_left(void *argument);
int filesystems_note_holders(void *argument);

#endif
