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

/* A file system on a disk that can still be written to: the kind that has an end worth a line in
 * the report. */
static bool has_data(const struct mount_entry *entry)
{
    return mount_is_block(entry) && !entry->super_read_only;
}

/* umount(2) tells nobody about pages that could not be written; syncfs(2) does. */
static void flush(struct shutdown *self, const struct mount_entry *entry, int fd)
{
    if (syncfs(fd) == 0)
        return;
    log_error("%s (%s): writing back failed: %m. Data may be lost", entry->target, entry->source);
    shutdown_note(self, "- %s (%s): writing back failed: %m", entry->target, entry->source);
}

static int open_top(const struct mount_entry *entry)
{
    return open(entry->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool unmount(struct shutdown *self, const struct mount_entry *entry)
{
    int fd = has_data(entry) ? open_top(entry) : -1;
    if (fd >= 0) {
        flush(self, entry, fd);
        (void)close(fd);
    }
    int flags = UMOUNT_NOFOLLOW | (has_server(entry) ? MNT_FORCE : 0);
    bool done = umount2(entry->target, flags) == 0;
    /* what has no disk behind it can be let go without an end */
    if (!done && !mount_is_block(entry))
        done = umount2(entry->target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
    if (done && has_data(entry))
        shutdown_note(self, "- %s (%s, %s): unmounted", entry->target, entry->source, entry->type);
    return done;
}

void filesystems_begin(struct shutdown *self, const struct mount_entry *entry, size_t to_go)
{
    struct shutdown_notes *notes = self->notes;
    struct text target = text_into(notes->current_target, sizeof notes->current_target);
    text_add(&target, entry->target);
    notes->current_mount = entry->id;
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
        const struct mount_entry *entry = &table.item[i];
        if (is_hung(self->notes, entry->id) || !should_unmount(&table, entry) ||
            (keep != NULL && holds_report(self, &table, entry, *keep)))
            continue;
        filesystems_begin(self, entry, i + 1);
        changed = unmount(self, entry) || changed;
    }
    return shutdown_detach_devices() || changed;
}

static int freeze(struct shutdown *self, const struct mount_entry *entry)
{
    int fd = open_top(entry);
    if (fd < 0)
        return -errno;
    flush(self, entry, fd);
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
        result = freeze(self, entry);
    }
    shutdown_note(self, "- %s (%s, %s): %s", entry->target, entry->source, entry->type,
                  result == 0 ? end : "not clean");
    errno = -result;
    if (result < 0)
        log_error(
            "%s (%s): can be neither unmounted nor made read-only nor frozen: %m. It may need "
            "a repair at the next boot",
            entry->target, entry->source);
    else if (!root)
        log_warning("%s (%s): busy, now %s", entry->target, entry->source, end);
    if (!root || result < 0)
        shutdown_name_holders(self, entry);
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
    struct mount_table table = {0};
    int result = mounts_load(&table);
    for (size_t i = table.count; result == 0 && i-- > 0;) {
        const struct mount_entry *entry = &table.item[i];
        bool seen = !has_data(entry) || is_hung(self->notes, entry->id);
        /* the same file system mounted elsewhere too: once is enough */
        for (size_t j = i + 1; j < table.count && !seen; j++)
            seen = table.item[j].device == entry->device;
        if (seen)
            continue;
        filesystems_begin(self, entry, i + 1);
        make_safe(self, entry);
    }
    return -result;
}
