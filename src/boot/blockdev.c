/* SPDX-License-Identifier: MIT */
/* Block devices, as sysfs shows them: Documentation/ABI/stable/sysfs-block. */
#include "blockdev.h"

#include "erlinit/arena.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Layers to look through: an image on an overlay on a loop device on ... ends, or goes in circles.
 */
#define LAYERS_MAX   16
#define NUMBER_BYTES 32
#define LINK_BYTES   4096 /* a page: no link of sysfs is longer */

/* Last part of a path, in place. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Where a link of sysfs leads, in the arena, or NULL. */
static char *read_link(const char *path)
{
    char target[LINK_BYTES];
    ssize_t length = readlink(path, target, sizeof target);

    return length > 0 && (size_t)length < sizeof target ? arena_copy(target, (size_t)length) : NULL;
}

const char *blockdev_attribute(const char *root, const char *name, const char *which)
{
    const char *path = arena_format("%s/sys/class/block/%s/%s", root, name, which);

    return path ? path : "";
}

static const char *name_of_device(const char *root, dev_t device)
{
    const char *path = arena_format("%s/sys/dev/block/%u:%u", root, major(device), minor(device));
    const char *target = path ? read_link(path) : NULL;

    return target ? last_part(target) : NULL;
}

/* A partition's directory is in that of its disk. */
static const char *disk_of_partition(const char *root, const char *partition)
{
    const char *path = arena_format("%s/sys/class/block/%s", root, partition);
    char *target = path ? read_link(path) : NULL;
    char *slash = target ? strrchr(target, '/') : NULL;

    if (!slash)
        return NULL;
    *slash = '\0';
    return last_part(target);
}

/* The source of a file system without a device number of its own (btrfs): a device in /dev. */
static int device_of_source(const char *root, const char *source, dev_t *device)
{
    char text[NUMBER_BYTES];
    struct stat status;
    const char *path = arena_format("%s%s", root, source);
    long long big, small;

    if (!path || !text_starts_with(source, "/dev/"))
        return -ENOENT;
    if (stat(path, &status) == 0 && S_ISBLK(status.st_mode)) {
        *device = status.st_rdev;
        return 0;
    }
    if (file_read_line(blockdev_attribute(root, last_part(source), "dev"), text, sizeof text) < 0)
        return -ENOENT;
    char *colon = strchr(text, ':');
    if (!colon)
        return -ENOENT;
    *colon = '\0';
    if (text_to_number(text, 10, 0, INT_MAX, &big) < 0 ||
        text_to_number(colon + 1, 10, 0, INT_MAX, &small) < 0)
        return -ENOENT;
    *device = makedev((unsigned int)big, (unsigned int)small);
    return 0;
}

/* One character of an option as the kernel shows it: \ooo stands for those that would confuse. */
static char next_character(const char **at)
{
    const char *from = *at;

    if (from[0] == '\\' && text_is_digit(from[1]) && text_is_digit(from[2]) &&
        text_is_digit(from[3])) {
        *at += 4;
        return (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
    }
    *at += 1;
    return from[0];
}

/* The lowest layer of an overlay: what the others were put over. In the arena, or NULL. */
static const char *lowest_layer(const char *options)
{
    const char *layers = text_find(options, "lowerdir");
    const char *from = layers ? strchr(layers, '=') : NULL;
    char *copy = from ? arena_string(++from) : NULL;

    if (!copy)
        return NULL;
    char *start = copy, *to = copy;
    while (*from != '\0' && *from != ',') {
        char c = next_character(&from);
        if (c == '\\' && *from != '\0') /* the overlay's own: no separator follows */
            *to++ = next_character(&from);
        else if (c == ':')
            start = to;
        else
            *to++ = c;
    }
    *to = '\0';
    return start;
}

/* The layer's path was that of whoever mounted it. If the root has been changed since, it may lead
 * nowhere now; what is on a disk at this early time belongs to the root. */
static int below_overlay(const struct mount_table *mounts, const struct mount_entry *overlay,
                         dev_t *below)
{
    const char *layer = lowest_layer(overlay->super_options);
    const struct mount_entry *entry = layer ? mountinfo_of_path(mounts, layer) : NULL;

    if (!entry || entry->device == overlay->device)
        entry = mountinfo_first_block(mounts);
    if (!entry)
        return -ENOENT;
    *below = entry->device;
    return 0;
}

static int device_of_path(const struct mount_table *mounts, const char *path, dev_t *device)
{
    const struct mount_entry *entry = path ? mountinfo_of_path(mounts, path) : NULL;

    if (!entry)
        return -ENOENT;
    *device = entry->device;
    return 0;
}

static int below_anonymous(const char *root, dev_t device, dev_t *below)
{
    struct mount_table mounts;
    const char *path = arena_format("%s/proc/self/mountinfo", root);
    int result = path ? mountinfo_load(path, &mounts) : -ENOMEM;

    if (result < 0)
        return result;
    const struct mount_entry *entry = mountinfo_of_device(&mounts, device);
    if (!entry)
        return -ENOENT;
    if (text_equal(entry->type, "overlay"))
        return below_overlay(&mounts, entry, below);
    return device_of_source(root, entry->source, below);
}

/* The driver knows the file itself; its name says less once the root has been changed. */
static int ask_loop_driver(const char *root, const char *name, dev_t *below)
{
    struct loop_info64 info;
    const char *path = arena_format("%s/dev/%s", root, name);
    int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;

    if (fd < 0)
        return -ENOENT;
    int result = ioctl(fd, LOOP_GET_STATUS64, &info) < 0 ? -errno : 0;
    (void)close(fd);
    if (result == 0) /* in the encoding that the kernel uses for 32 bits of device number */
        *below =
            makedev((unsigned int)(info.lo_device >> 8 & 0xfff),
                    (unsigned int)((info.lo_device & 0xff) | (info.lo_device >> 12 & 0xfff00)));
    return result;
}

static int below_loop(const char *root, const char *name, dev_t *below)
{
    struct mount_table mounts;
    char file[PATH_MAX];
    const char *path = arena_format("%s/proc/self/mountinfo", root);

    if (ask_loop_driver(root, name, below) == 0)
        return 0;
    ssize_t length =
        file_read_line(blockdev_attribute(root, name, "loop/backing_file"), file, sizeof file);
    if (length < 0)
        return (int)length;
    int result = path ? mountinfo_load(path, &mounts) : -ENOMEM;
    return result < 0 ? result : device_of_path(&mounts, file, below);
}

/* The first of the devices that this one is made of. */
static const char *first_slave(const char *root, const char *name)
{
    struct strings names = {0};

    (void)directory_list(blockdev_attribute(root, name, "slaves"), NULL, &names);
    return names.count > 0 ? names.item[0] : NULL;
}

/* One layer down: to a name, or over a device number to one. NULL at the bottom. */
static const char *name_below(const char *root, const char *name)
{
    const char *slave = first_slave(root, name);
    dev_t device;

    if (slave)
        return slave;
    if (!path_exists(blockdev_attribute(root, name, "loop")) || below_loop(root, name, &device) < 0)
        return NULL;
    if (major(device) == 0 && below_anonymous(root, device, &device) < 0)
        return NULL;
    return name_of_device(root, device);
}

static int find_top(const char *root, dev_t device, const char **name)
{
    for (unsigned int i = 0; major(device) == 0 && i < LAYERS_MAX; i++) {
        int result = below_anonymous(root, device, &device);
        if (result < 0)
            return result;
    }
    *name = name_of_device(root, device);
    return *name ? 0 : -ENOENT;
}

int blockdev_find_partition(const char *root, dev_t device, const char **disk,
                            const char **partition)
{
    const char *name;
    int result = find_top(root, device, &name);

    if (result < 0)
        return result;
    for (unsigned int i = 0; name && i < LAYERS_MAX; i++) {
        if (path_exists(blockdev_attribute(root, name, "partition"))) {
            const char *found = disk_of_partition(root, name);
            if (!found)
                return -ENOENT;
            *disk = found;
            *partition = name;
            return 0;
        }
        name = name_below(root, name);
    }
    return -ENOENT;
}
