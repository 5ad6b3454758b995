/* SPDX-License-Identifier: MIT */
/* Block devices and what they are made of. `root` is put before every path ("" on the device). */
#ifndef BLOCKDEV_H
#define BLOCKDEV_H

#include <sys/types.h>

/* <root>/sys/class/block/<name>/<which>, in the arena; "" when there is no memory. */
const char *blockdev_attribute(const char *root, const char *name, const char *which);

/*
 * Looks for the partition that holds the file system with this device number, through overlay, loop
 * and stacked devices (device mapper), in <root>/sys and <root>/proc/self/mountinfo. 0 and the
 * names in sysfs of its disk and itself (in the arena); -ENOENT: there is none below; -ENOMEM;
 * other errors of files.
 */
int blockdev_find_partition(const char *root, dev_t device, const char **disk,
                            const char **partition);

#endif
