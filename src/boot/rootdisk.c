/* SPDX-License-Identifier: MIT */
/* Names for the disk that holds the root file system, whatever it is called on this board. */
#include "rootdisk.h"

#include "blockdev.h"
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/files.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NUMBER_BYTES 32

/* sysfs can't have a slash in a name and shows an exclamation mark. */
static int make_link(const char *root, const char *link, const char *name)
{
    char *target = arena_format("/dev/%s", name);
    const char *path = arena_format("%s/dev/%s", root, link);

    if (!target || !path)
        return -ENOMEM;
    for (char *at = target; *at != '\0'; at++)
        if (*at == '!')
            *at = '/';
    return symlink(target, path) < 0 ? -errno : 0;
}

static bool is_partition(const struct directory_entry *entry)
{
    char number[NUMBER_BYTES];
    const char *path = arena_format("%s/partition", entry->name);

    return path && file_read_at(entry->directory, path, number, sizeof number) > 0;
}

static int link_partition(const char *root, const char *name)
{
    char number[NUMBER_BYTES];
    ssize_t length =
        file_read_line(blockdev_attribute(root, name, "partition"), number, sizeof number);

    if (length < 0)
        return (int)length;
    const char *link = arena_format("rootdisk0p%s", number);
    return link ? make_link(root, link, name) : -ENOMEM;
}

int rootdisk_link(const char *root, const char *disk)
{
    struct strings names = {0};
    const char *directory = arena_format("%s/sys/class/block/%s", root, disk);
    int first_error = make_link(root, "rootdisk0", disk);

    if (first_error == -EEXIST)
        return -EEXIST;
    int result = directory ? directory_list(directory, is_partition, &names) : -ENOMEM;
    if (first_error == 0)
        first_error = result;
    for (size_t i = 0; i < names.count; i++) {
        result = link_partition(root, names.item[i]);
        if (first_error == 0)
            first_error = result;
    }
    return first_error;
}

static bool root_is_in_memory(void)
{
    struct statfs status;

    return statfs("/", &status) == 0 &&
           (status.f_type == RAMFS_MAGIC || status.f_type == TMPFS_MAGIC);
}

enum step_result boot_rootdevice(struct boot *boot)
{
    struct stat status;

    if (stat("/", &status) < 0) {
        log_warning("can't find out what / is on: %m; there will be no /dev/rootdisk0");
        return STEP_WARNED;
    }
    boot->root_now = status.st_dev;
    boot->root_in_memory = major(status.st_dev) == 0 && root_is_in_memory();
    if (!boot->root_in_memory) /* else there is no disk to be looked for */
        boot->root_device = status.st_dev;
    return STEP_DONE;
}

enum step_result boot_rootdisk(struct boot *boot)
{
    const char *disk, *partition;

    if (boot->root_device == 0)
        return STEP_SKIPPED;
    int result = blockdev_find_partition("", boot->root_device, &disk, &partition);

    if (result < 0) {
        errno = -result;
        log_debug("the root is on no partition, no /dev/rootdisk0: %m");
        return STEP_SKIPPED;
    }
    result = rootdisk_link("", disk);
    if (result == -EEXIST)
        return STEP_SKIPPED;
    if (result < 0) {
        errno = -result;
        log_warning(
            "/dev/rootdisk0 can't be made for %s, the disk of %s: %m; the boot goes on without it",
            disk, partition);
        return STEP_WARNED;
    }
    log_debug("/dev/rootdisk0 is %s, the root is on %s", disk, partition);
    return STEP_DONE;
}
