/* SPDX-License-Identifier: MIT */
/* What of rootdisk.c works on any tree. */
#ifndef ROOTDISK_H
#define ROOTDISK_H

/*
 * Makes <root>/dev/rootdisk0 and a rootdisk0p<N> for every partition of a disk (its name in
 * <root>/sys/class/block). 0; -EEXIST: rootdisk0 is there already, nothing was done; else the first
 * -errno after all were tried.
 */
int rootdisk_link(const char *root, const char *disk);

#endif
