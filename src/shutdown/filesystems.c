/* SPDX-License-Identifier: MIT */
/*
 * Ending every file system that can lose something. Newest first: unmounted; if that is impossible,
 * read-only; if that is, flushed and frozen (FIFREEZE: the journal is clean on disk, nobody can
 * write any more). All in one child; should it hang in one mount, that mount is given up and
 * another child goes on with the rest.
 */
#include "erlinit/shutdown.h"

#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/mounts.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <unistd.h>

/* Left for what comes after the unmounting. */
#define RESERVE_MS 200

static const char *const kernel_roots[] = {"/proc", "/sys", "/dev"};

static bool is_below(const char *target, const char *top)
{
    size_t length = strlen(top);
    return strncmp(target, top, length) == 0 && (target[length] == '\0' || target[length] == '/');
}

/* File systems that ask a server: unmounting may wait for an answer that never comes. */
static bool has_server(const struct mount_entry *entry)
{
    return text_starts_with(entry->type, "fuse") || text_starts_with(entry->type, "nfs") ||
           text_equal(entry->type, "cifs") || text_equal(entry->type, "9p");
}

static bool is_hung(const struct shutdown_notes *notes, int id)
{
    for (int i = 0; i < notes->hung_count; i++)
        if (notes->hung[i] == id)
            return true;
    return false;
}

/* The root comes last and can't be unmounted; /proc, /sys and /dev are ours to work with; a tmpfs
 * on the root's tree holds nothing. */
static bool should_unmount(const struct mount_table *table, const struct mount_entry *entry)
{
    if (text_equal(entry->target, "/"))
        return false;
    for (size_t i = 0; i < sizeof kernel_roots / sizeof kernel_roots[0]; i++)
        if (is_below(entry->target, kernel_roots[i]))
            return mount_is_block(entry);
    if (!text_equal(entry->type, "tmpfs"))
        return true;
    for (size_t i = 0; i < table->count; i++)
        if (table->item[i].id == entry->parent)
            return mount_is_block(&table->item[i]) && !text_equal(table->item[i].target, "/");
    return false;
}

static bool unmount(const struct mount_entry *entry)
{
    int flags = UMOUNT_NOFOLLOW | (has_server(entry) ? MNT_FORCE : 0);
    if (mount_is_block(entry) && !entry->super_read_only) {
        /* umount(2) tells nobody about pages that could not be written; syncfs(2) does */
        int fd = open(entry->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0) {
            if (syncfs(fd) < 0)
                log_error("%s: writing back failed: %m. Data may be lost", entry->target);
            (void)close(fd);
        }
    }
    if (umount2(entry->target, flags) == 0)
        return true;
    /* what has no disk behind it can be let go without an end */
    return !mount_is_block(entry) && umount2(entry->target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

static bool is_loop(int directory, const char *name)
{
    (void)directory;
    return text_starts_with(name, "loop");
}

/* A loop device pins the file system that its file is on. */
static bool detach_loops(void)
{
    bool changed = false;
    struct strings names = {0};
    if (directory_list("/sys/block", is_loop, &names) < 0)
        return false;
    for (size_t i = 0; i < names.count; i++) {
        TEXT_ON_STACK(backing, 128);
        TEXT_ON_STACK(device, 64);
        text_format(&backing, "/sys/block/%s/loop/backing_file", names.item[i]);
        text_format(&device, "/dev/%s", names.item[i]);
        if (!path_exists(backing.at))
            continue;
        int fd = open(device.at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            continue;
        /* of a device in use the kernel only notes that it shall go later, and says 0 too */
        bool asked = ioctl(fd, LOOP_CLR_FD, 0) == 0;
        (void)close(fd);
        changed = changed || (asked && !path_exists(backing.at));
    }
    return changed;
}

/* A swap file pins its file system. proc(5): the first line of /proc/swaps is a heading. */
static void stop_swap_files(void)
{
    char swaps[4096];
    if (file_read("/proc/swaps", swaps, sizeof swaps) < 0)
        return;
    for (char *line = strchr(swaps, '\n'); line != NULL && line[1] != '\0';
         line = strchr(line + 1, '\n')) {
        TEXT_ON_STACK(path, 1024);
        text_add_bytes(&path, line + 1, strcspn(line + 1, " \t\n"));
        if (strstr(line + 1 + path.length, "file") != NULL && swapoff(path.at) < 0)
            log_warning("%s: can't stop swapping to it: %m. Its file system stays busy", path.at);
    }
}

/* One round over all mounts, newest first. True if anything could be unmounted. */
static bool unmount_round(struct shutdown *self)
{
    bool changed = false;
    struct mount_table table = {0};
    if (mounts_load(&table) < 0)
        return false;
    for (size_t i = table.count; i-- > 0;) {
        const struct mount_entry *entry = &table.item[i];
        if (is_hung(self->notes, entry->id) || !should_unmount(&table, entry))
            continue;
        self->notes->current_mount = entry->id;
        changed = unmount(entry) || changed;
    }
    return detach_loops() || changed;
}

static int freeze(const struct mount_entry *entry)
{
    int fd = open(entry->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int result = syncfs(fd) < 0 ? -errno : 0;
    if (ioctl(fd, FIFREEZE, 0) < 0 && errno != EBUSY)
        result = -errno;
    (void)close(fd);
    return result;
}

/* What could not be unmounted: the root, and whatever is busy. */
static void make_safe(const struct mount_entry *entry)
{
    bool root = text_equal(entry->target, "/");
    if (mount(NULL, entry->target, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0) {
        if (!root)
            log_warning("%s (%s): busy, now read-only", entry->target, entry->source);
        return;
    }
    int reason = errno;
    int result = freeze(entry);
    if (result == 0) {
        log_warning("%s (%s): busy, now frozen", entry->target, entry->source);
        return;
    }
    errno = reason;
    log_error("%s (%s): can't be made read-only: %m. It may need a repair at the next boot",
              entry->target, entry->source);
}

static int end_filesystems(void *argument)
{
    struct shutdown *self = argument;
    stop_swap_files();
    while (unmount_round(self))
        continue;
    struct mount_table table = {0};
    int result = mounts_load(&table);
    for (size_t i = table.count; result == 0 && i-- > 0;) {
        const struct mount_entry *entry = &table.item[i];
        if (!mount_is_block(entry) || entry->super_read_only || is_hung(self->notes, entry->id))
            continue;
        self->notes->current_mount = entry->id;
        make_safe(entry);
    }
    return result < 0 ? -result : 0;
}

/* The child hangs in one mount: leave it there. False when there is no room to note another. */
static bool give_up_mount(struct shutdown *self, pid_t pid)
{
    struct shutdown_notes *notes = self->notes;
    (void)kill(pid, SIGKILL);
    log_error("Unmounting hangs in mount %d of /proc/self/mountinfo. Going on without it",
              notes->current_mount);
    if (notes->hung_count >= SHUTDOWN_MAX_HUNG)
        return false;
    notes->hung[notes->hung_count++] = notes->current_mount;
    return true;
}

void shutdown_unmount(struct shutdown *self)
{
    for (;;) {
        self->notes->current_mount = 0;
        pid_t pid = child_start(end_filesystems, self);
        if (pid < 0) {
            log_error("Can't start a process to unmount: %m. Writing back only");
            sync();
            return;
        }
        /* one that hangs gets half of what is left, so that there is always something left for the
         * others */
        int64_t left = shutdown_time_left(self, INT64_MAX) - RESERVE_MS;
        int status = 0;
        int result = child_wait(pid, time_ms() + left / 2, &status);
        if (result == 0 && status == 0)
            return;
        if (left <= RESERVE_MS || !give_up_mount(self, pid))
            return;
    }
}
