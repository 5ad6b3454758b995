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
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/wait.h>
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
        const char *type = line + 1 + path.length;
        type += strspn(type, " \t");
        if (text_starts_with(type, "file") && swapoff(path.at) < 0)
            log_warning("%s: can't stop swapping to it: %m. Its file system stays busy", path.at);
    }
}

static void begin(struct shutdown *self, const struct mount_entry *entry)
{
    struct shutdown_notes *notes = self->notes;
    struct text target = text_into(notes->current_target, sizeof notes->current_target);
    text_add(&target, entry->target);
    notes->current_mount = entry->id;
}

/* The report is written into this file system, or into one below it. */
static bool holds_report(const struct shutdown *self, const struct mount_entry *entry)
{
    const char *report = self->options->shutdown_report.text;
    return report != NULL && is_below(report, entry->target);
}

/* One round over all mounts, newest first. True if anything could be unmounted. */
static bool unmount_round(struct shutdown *self, bool all)
{
    bool changed = false;
    struct mount_table table = {0};
    if (mounts_load(&table) < 0)
        return false;
    for (size_t i = table.count; i-- > 0;) {
        const struct mount_entry *entry = &table.item[i];
        if (is_hung(self->notes, entry->id) || !should_unmount(&table, entry) ||
            (!all && holds_report(self, entry)))
            continue;
        begin(self, entry);
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

static int end_others(void *argument)
{
    struct shutdown *self = argument;
    stop_swap_files();
    while (unmount_round(self, false))
        continue;
    return 0;
}

static int end_all(void *argument)
{
    struct shutdown *self = argument;
    stop_swap_files();
    while (unmount_round(self, true))
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
        begin(self, entry);
        make_safe(self, entry);
    }
    return -result;
}

/* The child hangs in one mount: leave it there. False when there is no room to note another. */
static bool give_up_mount(struct shutdown *self, pid_t pid)
{
    struct shutdown_notes *notes = self->notes;
    (void)kill(pid, SIGKILL);
    log_error("%s: unmounting it hangs. Going on without it", notes->current_target);
    shutdown_note(self, "- %s: hangs, not clean", notes->current_target);
    if (notes->hung_count >= SHUTDOWN_MAX_HUNG)
        return false;
    notes->hung[notes->hung_count++] = notes->current_mount;
    return true;
}

static void only_write_back(const char *impossible, int reason)
{
    errno = reason;
    log_error("Can't %s to unmount: %m. Writing back only", impossible);
    sync();
}

static void run_guarded(struct shutdown *self, int (*function)(void *))
{
    for (;;) {
        self->notes->current_mount = 0;
        self->notes->current_target[0] = '\0';
        pid_t pid = child_start(function, self);
        if (pid < 0) {
            only_write_back("start a process", (int)-pid);
            return;
        }
        /* one that hangs gets half of what is left, so that there is always something left for the
         * others */
        int64_t left = shutdown_time_left(self, INT64_MAX) - RESERVE_MS;
        int status = 0;
        int result = child_wait(pid, time_ms() + left / 2, &status);
        if (result == 0 && status == 0)
            return;
        /* it has not hung, and won't do better the next time */
        if (result == 0 && WIFEXITED(status)) {
            only_write_back("see what is mounted", WEXITSTATUS(status));
            return;
        }
        if (left <= RESERVE_MS || !give_up_mount(self, pid))
            return;
    }
}

void shutdown_unmount_others(struct shutdown *self)
{
    /* without a report there is nothing to keep a file system for: all is one job */
    if (self->options->shutdown_report.text != NULL)
        run_guarded(self, end_others);
}

void shutdown_unmount(struct shutdown *self)
{
    run_guarded(self, end_all);
}
