/* SPDX-License-Identifier: MIT */
/*
 * Ending every file system that can lose something. Newest first: unmounted; if that is impossible,
 * read-only; if that is, flushed and frozen (FIFREEZE: the journal is clean on disk, nobody can
 * write any more). All in one child, which unmount.c watches.
 */
#include "filesystems.h"

#include "erlinit/shutdown.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/mounts.h"
#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The device of a mount that is no longer there. */
#define GONE ((dev_t)-1)

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

static bool is_hung(const struct shutdown_notes *notes, dev_t device)
{
    for (int i = 0; i < notes->hung_count; i++)
        if (notes->hung[i] == device)
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

static int open_top(const struct mount_entry *entry)
{
    return open(entry->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* umount(2) and a remount tell nobody about pages that could not be written; syncfs(2) does, once,
 * also if that was long ago, and if the kernel has made the file system read-only since. */
static void flush(struct shutdown *self, const struct mount_entry *entry)
{
    int fd = open_top(entry);
    if (fd < 0 ? errno == EIO : syncfs(fd) < 0) {
        log_error("%s (%s): writing back failed: %m. Data may be lost", entry->target,
                  entry->source);
        shutdown_note(self, "- %s (%s): writing back failed: %m", entry->target, entry->source);
    }
    if (fd >= 0)
        (void)close(fd);
}

static void note_end(struct shutdown *self, const struct mount_entry *entry, const char *end)
{
    shutdown_note(self, "- %s (%s, %s): %s", entry->target, entry->source, entry->type, end);
}

/* The last mount of a file system on a disk: with it, that comes to its end. */
static bool is_last(const struct mount_table *table, const struct mount_entry *entry)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->item[i].device == entry->device && &table->item[i] != entry)
            return false;
    return mount_is_block(entry);
}

static bool unmount(struct shutdown *self, const struct mount_table *table,
                    struct mount_entry *entry)
{
    bool last = is_last(table, entry);
    if (last)
        flush(self, entry);
    int flags = UMOUNT_NOFOLLOW | (has_server(entry) ? MNT_FORCE : 0);
    bool done = umount2(entry->target, flags) == 0;
    /* what has no disk behind it can be let go without an end */
    if (!done && !mount_is_block(entry))
        done = umount2(entry->target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
    if (done && last)
        note_end(self, entry, "unmounted");
    if (done)
        entry->device = GONE;
    return done;
}

void filesystems_begin(struct shutdown *self, const struct mount_entry *entry, size_t to_go)
{
    struct shutdown_notes *notes = self->notes;
    struct text target = text_into(notes->current_target, sizeof notes->current_target);
    text_add(&target, entry->target);
    notes->current_device = entry->device;
    notes->mounts_to_go = (int)to_go;
}

/* The way to the report may go through symbolic links: which file system is its directory on? */
static dev_t report_device(const struct shutdown *self)
{
    const char *path = self->options->shutdown_report.text;
    const char *slash = strrchr(path, '/');
    struct stat status;
    TEXT_ON_STACK(directory, 4096);
    text_add_bytes(&directory, path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
    return stat(directory.at, &status) == 0 ? status.st_dev : 0;
}

/* The report is written into this file system, or into one below it. */
static bool holds_report(const struct shutdown *self, const struct mount_table *table,
                         const struct mount_entry *entry, dev_t device)
{
    bool holds = is_below(self->options->shutdown_report.text, entry->target);
    for (size_t i = 0; i < table->count && !holds; i++)
        holds = table->item[i].device == device && is_below(table->item[i].target, entry->target);
    return holds;
}

/* One round over all mounts, newest first, but not over what holds the report on the device `keep`
 * (NULL: over that too). True if anything could be unmounted. */
static bool unmount_round(struct shutdown *self, const dev_t *keep)
{
    bool changed = false;
    struct mount_table table = {0};
    if (mounts_load(&table) < 0)
        return false;
    for (size_t i = table.count; i-- > 0;) {
        struct mount_entry *entry = &table.item[i];
        if (is_hung(self->notes, entry->device) || !should_unmount(&table, entry) ||
            (keep != NULL && holds_report(self, &table, entry, *keep)))
            continue;
        filesystems_begin(self, entry, i + 1);
        changed = unmount(self, &table, entry) || changed;
    }
    return shutdown_detach_devices() || changed;
}

static int freeze(const struct mount_entry *entry)
{
    int fd = open_top(entry);
    if (fd < 0)
        return -errno;
    int result = ioctl(fd, FIFREEZE, 0) < 0 && errno != EBUSY ? -errno : 0;
    (void)close(fd);
    return result;
}

/* What could not be unmounted: the root, and whatever is busy. */
static void make_safe(struct shutdown *self, const struct mount_entry *entry)
{
    bool root = text_equal(entry->target, "/");
    const char *end = "read-only";
    int result = 0;
    if (mount(NULL, entry->target, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0) {
        end = "frozen";
        result = freeze(entry);
    }
    errno = -result;
    if (result < 0)
        log_error(
            "%s (%s): can be neither unmounted nor made read-only nor frozen: %m. It may need "
            "a repair at the next boot",
            entry->target, entry->source);
    else if (!root)
        log_warning("%s (%s): busy, now %s", entry->target, entry->source, end);
    if (!root || result < 0)
        shutdown_name_holders(self, entry, false);
}

/* Goes over each file system on a disk that is still mounted and doesn't hang, once, however often
 * it is mounted: by its oldest mount, which is before those that are on top of it. */
static int for_each_left(struct shutdown *self,
                         void (*work)(struct shutdown *self, const struct mount_entry *entry))
{
    struct mount_table table = {0};
    int result = mounts_load(&table);
    for (size_t i = table.count; i-- > 0;) {
        const struct mount_entry *entry = &table.item[i];
        bool seen = !mount_is_block(entry) || is_hung(self->notes, entry->device);
        for (size_t j = 0; j < i && !seen; j++)
            seen = table.item[j].device == entry->device;
        if (seen)
            continue;
        filesystems_begin(self, entry, i + 1);
        work(self, entry);
    }
    return -result;
}

static void end_left(struct shutdown *self, const struct mount_entry *entry)
{
    flush(self, entry);
    if (!entry->super_read_only)
        make_safe(self, entry);
}

static void note_left(struct shutdown *self, const struct mount_entry *entry)
{
    note_end(self, entry,
             entry->super_read_only ? "read-only" : "still mounted, a bad end is only in the log");
}

static void note_holders(struct shutdown *self, const struct mount_entry *entry)
{
    if (!text_equal(entry->target, "/"))
        shutdown_name_holders(self, entry, true);
}

int filesystems_note_left(void *argument)
{
    return for_each_left(argument, note_left);
}

int filesystems_note_holders(void *argument)
{
    return for_each_left(argument, note_holders);
}

int filesystems_end_others(void *argument)
{
    struct shutdown *self = argument;
    dev_t device = 0;
    if (!is_hung(self->notes, FILESYSTEMS_BEFORE)) {
        shutdown_stop_swap_files();
        device = report_device(self);
    }
    while (unmount_round(self, &device))
        continue;
    return 0;
}

int filesystems_end_all(void *argument)
{
    struct shutdown *self = argument;
    if (!is_hung(self->notes, FILESYSTEMS_BEFORE))
        shutdown_stop_swap_files();
    while (unmount_round(self, NULL))
        continue;
    return for_each_left(self, end_left);
}
