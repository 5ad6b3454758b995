/* SPDX-License-Identifier: MIT */
/* What has to wait for which mount. In doubt, it waits: then all is as it was in the order given.
 */
#include "mounts.h"

#include "erlinit/text.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* `directory` may end with a slash. */
static bool is_in(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(path, directory, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || (length > 0 && path[length - 1] == '/'));
}

/* Absolute, no dots, no slash too many, no link on it: the same place has one such name only. */
static bool is_plain(const char *path)
{
    const char *at = path;
    char byte;

    while (*at == '/' && !strchr("/.", at[1])) { /* also finds the end */
        at += 1 + strcspn(at + 1, "/");
        const char *upper = arena_copy(path, (size_t)(at - path));
        if (!upper || readlink(upper, &byte, 1) >= 0)
            return false;
    }
    return *at == '\0';
}

/* 0: it is none. */
static dev_t device_of(const char *source)
{
    struct stat status;

    return stat(source, &status) < 0 ? 0 : status.st_rdev;
}

/* A device may have links to it, as /dev/rootdisk0p3. */
static bool same_source(const char *source, const char *other)
{
    dev_t device = device_of(source);

    return text_equal(source, other) || (device != 0 && device == device_of(other));
}

/* By what can be seen of `a`: its place, and paths that it refers to. Bind and move have one for a
 * source, overlay and others have them in their data. */
static bool depends(const struct mount_spec *a, const struct mount_spec *b)
{
    return !is_plain(a->target) || is_in(a->target, b->target) || is_in(a->source, b->target) ||
           is_in(b->target, a->source) || text_find(a->data, b->target);
}

bool mount_waits_for(const struct mount_spec *spec, const struct mount_spec *earlier)
{
    return (spec->flags & (MS_BIND | MS_MOVE)) || spec->propagation || depends(spec, earlier) ||
           depends(earlier, spec) || same_source(spec->source, earlier->source);
}

/* Directories of programs, of what they consist of and are configured by, and where they work, by
 * their first four characters. */
static const char system_places[] = "/bin/sbi/lib/usr/etc/tmp/run";

bool mount_concerns(const struct mount_spec *spec, const struct strings *words)
{
    if (!is_plain(spec->target))
        return true;
    for (size_t i = 0; system_places[i] != '\0'; i += 4)
        if (strncmp(spec->target, &system_places[i], 4) == 0)
            return true;
    for (size_t i = 0; i < words->count; i++)
        if (text_find(words->item[i], spec->target))
            return true;
    return false;
}
