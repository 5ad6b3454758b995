/* SPDX-License-Identifier: MIT */
#include "mountinfo.h"

#include "erlinit/arena.h"
#include "erlinit/files.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#define FIRST_READ_BYTES ((size_t)8192)

/* procfs doesn't tell sizes: as long as the buffer comes back full, it is read again into more. */
int mountinfo_load(const char *path, struct mount_table *mounts)
{
    for (size_t size = FIRST_READ_BYTES;; size *= 2) {
        char *buffer = arena_alloc(size);
        if (!buffer)
            return -ENOMEM;
        ssize_t length = file_read(path, buffer, size);
        if (length < 0)
            return (int)length;
        if ((size_t)length < size - 1)
            return mounts_parse(buffer, mounts);
    }
}

static bool leads_to(const char *point, const char *path)
{
    size_t length = strlen(point);

    if (length == 1) /* "/" */
        return path[0] == '/';
    return strncmp(point, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

const struct mount_entry *mountinfo_of_path(const struct mount_table *mounts, const char *path)
{
    const struct mount_entry *best = NULL;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount_entry *entry = &mounts->item[i];
        if (leads_to(entry->target, path) &&
            (!best || strlen(entry->target) >= strlen(best->target)))
            best = entry;
    }
    return best;
}

const struct mount_entry *mountinfo_of_device(const struct mount_table *mounts, dev_t device)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->item[i].device == device)
            return &mounts->item[i];
    return NULL;
}

const struct mount_entry *mountinfo_first_block(const struct mount_table *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (major(mounts->item[i].device) != 0)
            return &mounts->item[i];
    return NULL;
}
