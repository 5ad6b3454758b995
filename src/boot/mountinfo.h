/* SPDX-License-Identifier: MIT */
/* What is mounted where, as proc_pid_mountinfo(5) has it. */
#ifndef MOUNTINFO_H
#define MOUNTINFO_H

#include <stddef.h>
#include <sys/types.h>

struct mountinfo_entry {
    int id;
    int parent;         /* id of the mount that it is on */
    dev_t device;       /* of the super block; major 0: anonymous */
    const char *point;  /* where, as seen from this process's root */
    const char *type;   /* file system */
    const char *source; /* what its mounter called the source */
    char *options;      /* of the super block */
};

struct mountinfo {
    struct mountinfo_entry *item; /* in the order of the kernel: parents first */
    size_t count;
};

/* Reads and parses a file; strings and list are in the arena. 0 or -errno. Lines that can't be
 * understood are left out. */
int mountinfo_load(const char *path, struct mountinfo *mounts);

/* The mount that an absolute path is on: the longest mount point that leads to it; of several on
 * the same place the last, which covers the others. NULL if there is none. */
const struct mountinfo_entry *mountinfo_of_path(const struct mountinfo *mounts, const char *path);

/* A mount of this super block, or NULL. */
const struct mountinfo_entry *mountinfo_of_device(const struct mountinfo *mounts, dev_t device);

#endif
