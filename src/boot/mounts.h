/* SPDX-License-Identifier: MIT */
/* What of --mount can be asked without changing anything. */
#ifndef BOOT_MOUNTS_H
#define BOOT_MOUNTS_H

#include "erlinit/arena.h"
#include "erlinit/boot.h"

#include <stdbool.h>

/*
 * Pure: whether a mount can wait for something outside of memory (a disk's journal, a server) and
 * so belongs in a child with a deadline. `filesystems` is the content of /proc/filesystems.
 */
bool mount_spec_can_block(const struct mount_spec *spec, const char *filesystems);

/*
 * Whether a mount has to wait until an earlier one is done: theirs are the same places or sources,
 * or that can't be excluded. Looks at links in the way to the targets, and at device numbers.
 */
bool mount_waits_for(const struct mount_spec *spec, const struct mount_spec *earlier);

/*
 * Whether a command (its words) may need, or see, what is mounted: the target is a directory of the
 * system, or part of a word. What a script does is not looked at.
 */
bool mount_concerns(const struct mount_spec *spec, const struct strings *words);

#endif
