/* SPDX-License-Identifier: MIT */
/* What pins file systems from below: a loop device the one of its file, a mapping its disk,
 * swapping to a file. */
#include "erlinit/shutdown.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <unistd.h>

static bool is_stacked(const struct directory_entry *entry)
{
    return text_starts_with(entry->name, "loop") || text_starts_with(entry->name, "dm-");
}

static bool detach_loop(const char *name)
{
    TEXT_ON_STACK(backing, 128);
    TEXT_ON_STACK(device, 64);
    text_format(&backing, "/sys/block/%s/loop/backing_file", name);
    text_format(&device, "/dev/%s", name);
    if (!path_exists(backing.at))
        return false;
    int fd = open(device.at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    /* of a device in use the kernel only notes that it shall go later, and says 0 too */
    bool asked = ioctl(fd, LOOP_CLR_FD, 0) == 0;
    (void)close(fd);
    return asked && !path_exists(backing.at);
}

/* kernel doc admin-guide/device-mapper, linux/dm-ioctl.h: EBUSY while it is in use */
static bool remove_mapping(const char *name)
{
    struct dm_ioctl request = {.version = {DM_VERSION_MAJOR, 0, 0},
                               .data_size = sizeof request,
                               .data_start = sizeof request};
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/sys/block/%s/dm/name", name);
    if (file_read_line(path.at, request.name, sizeof request.name) <= 0)
        return false;
    int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool removed = ioctl(fd, DM_DEV_REMOVE, &request) == 0;
    (void)close(fd);
    return removed;
}

bool shutdown_detach_devices(void)
{
    bool changed = false;
    struct strings names = {0};
    if (directory_list("/sys/block", is_stacked, &names) < 0)
        return false;
    for (size_t i = 0; i < names.count; i++)
        changed = (names.item[i][0] == 'l' ? detach_loop(names.item[i])
                                           : remove_mapping(names.item[i])) ||
                  changed;
    return changed;
}

/* A swap file pins its file system. proc(5): the first line of /proc/swaps is a heading. */
void shutdown_stop_swap_files(void)
{
    char swaps[4096];
    if (file_read("/proc/swaps", swaps, sizeof swaps) < 0)
        return;
    for (char *line = strchr(swaps, '\n'); line != NULL && line[1] != '\0';
         line = strchr(line + 1, '\n')) {
        TEXT_ON_STACK(path, 1024);
        text_add_bytes(&path, line + 1, strcspn(line + 1, " \t\n"));
        const char *type = line + 1 + path.length;
        type += strspn(type, " \t");
        mounts_unescape(path.at);
        if (text_starts_with(type, "file") && swapoff(path.at) < 0)
            log_warning("%s: can't stop swapping to it: %m. Its file system stays busy", path.at);
    }
}
