/* SPDX-License-Identifier: MIT */
/* What of mounts.c can be asked without changing anything. */
#ifndef BOOT_MOUNTS_H
#define BOOT_MOUNTS_H

#include "erlinit/boot.h"

#include <stdbool.h>

/*
 * Pure: whether a mount can wait for something outside of memory (a disk's journal, a server) and
 * so belongs in a child with a deadline. `filesystems` is the content of /proc/filesystems.
 */
bool mount_spec_can_block(const struct mount_spec *spec, const char *filesystems);

#endif
