/* SPDX-License-Identifier: MIT */
/* What is mounted: /proc/self/mountinfo (proc(5)). */
#ifndef ERLINIT_MOUNTS_H
#define ERLINIT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount_entry {
    int id;
    int parent;
    dev_t device;
    const char *target; /* \ooo escapes resolved: any byte but NUL */
    const char *type;
    const char *source;
    const char *super_options;
    bool super_read_only; /* the file system, not only this mount of it */
};

struct mount_table {
    struct mount_entry *item; /* oldest first, as the kernel lists them */
    size_t count;
};

/* Reads the table into the arena. 0 or -errno. Lines that can't be understood are left out. */
int mounts_load(struct mount_table *table);

/* Parses `text` (changed in place) instead; the pure part of mounts_load(). */
int mounts_parse(char *text, struct mount_table *table);

/* Resolves the \\ooo escapes of mountinfo and /proc/swaps, in place. */
void mounts_unescape(char *text);

/* True if the file system is on a block device (major number not 0). */
bool mount_is_block(const struct mount_entry *entry);

#endif
