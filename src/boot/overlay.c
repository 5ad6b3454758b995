/* SPDX-License-Identifier: MIT */
/*
 * --x-pivot-root-on-overlayfs: a writable root whose changes are in memory, over the one that the
 * kernel mounted.
 *
 * A read-only root may have no directory made for this, so any that is there serves: for a moment
 * a tmpfs is mounted on it, which holds the upper layer and the place where the overlay is put
 * together. The new root is then put over the old one (pivot_root(2), "."), which is let go; the
 * overlay keeps it, and the tmpfs, alive.
 */
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rather those that nothing is likely to be mounted in. */
static const char *const stages[] = {"/mnt", "/media", "/opt", "/srv", "/tmp",
                                     "/run", "/var",   "/etc", NULL};

struct overlay {
    const char *stage; /* the directory that the tmpfs is mounted on */
    const char *merged;
    const char *problem; /* what was being done */
    struct mount_table mounts;
};

static int mount_stage(struct overlay *overlay)
{
    overlay->problem = "mounting its tmpfs";
    for (size_t i = 0; stages[i]; i++) {
        if (!path_is_directory(stages[i]))
            continue;
        overlay->stage = stages[i];
        return mount("overlay", stages[i], "tmpfs", MS_NODEV, "mode=0755") < 0 ? -errno : 0;
    }
    return -ENOENT;
}

static int make_directories(const struct overlay *overlay)
{
    static const char *const names[] = {"upper", "work", "merged", "proc"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        TEXT_ON_STACK(path, PATH_MAX);
        text_format(&path, "%s/%s", overlay->stage, names[i]);
        if (mkdir(path.at, 0755) < 0)
            return -errno;
    }
    return 0;
}

static int mount_overlay(struct overlay *overlay)
{
    const char *layers = arena_format("lowerdir=/,upperdir=%s/upper,workdir=%s/work",
                                      overlay->stage, overlay->stage);

    overlay->problem = "mounting the overlay file system";
    overlay->merged = arena_format("%s/merged", overlay->stage);
    if (!layers || !overlay->merged)
        return -ENOMEM;
    int result = make_directories(overlay);
    if (result < 0)
        return result;
    return mount("overlay", overlay->merged, "overlay", 0, layers) < 0 ? -errno : 0;
}

/* /proc is not mounted yet, or belongs to an initramfs: one of our own, for a moment. */
static int read_mounts(struct overlay *overlay)
{
    const char *proc = arena_format("%s/proc", overlay->stage);
    const char *file = arena_format("%s/proc/self/mountinfo", overlay->stage);

    overlay->problem = "looking up what is mounted";
    if (!proc || !file)
        return -ENOMEM;
    if (mount("proc", proc, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        return -errno;
    int result = mountinfo_load(file, &overlay->mounts);
    (void)umount2(proc, MNT_DETACH);
    return result;
}

/* Moves what is mounted directly on the root (the rest is on those) to the same place of the other
 * root. What can't be moved goes with the old one. */
static void move_mounts(const struct overlay *overlay, const char *from, const char *to)
{
    const struct mount_entry *root = mountinfo_of_path(&overlay->mounts, "/");

    for (size_t i = 0; root && i < overlay->mounts.count; i++) {
        const struct mount_entry *entry = &overlay->mounts.item[i];
        if (entry->parent != root->id || entry == root || text_equal(entry->target, overlay->stage))
            continue;
        const char *source = arena_format("%s%s", from, entry->target);
        const char *target = arena_format("%s%s", to, entry->target);
        if (!source || !target || mount(source, target, NULL, MS_MOVE, NULL) < 0)
            log_warning("%s can't be carried over to the overlay root: %m; it stays hidden",
                        entry->target);
    }
}

/*
 * Takes the old root away, where we stand. Nothing may change it below the overlay, and nobody can
 * reach it any more to remount it read-only when the machine goes down: now is the time.
 */
static void let_go(void)
{
    struct statvfs status;

    if (statvfs(".", &status) == 0 && !(status.f_flag & ST_RDONLY) &&
        mount(NULL, ".", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
        log_warning("the root below the overlay stays writable: %m; a power cut may leave it to be "
                    "repaired");
    if (umount2(".", MNT_DETACH) < 0)
        log_warning("the old root can't be let go: %m; it stays mounted, out of sight");
}

static int change_root(struct overlay *overlay)
{
    int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    overlay->problem = "changing the root";
    if (old_root < 0)
        return -errno;
    move_mounts(overlay, "", overlay->merged);
    int result = 0;
    if (chdir(overlay->merged) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) {
        result = -errno;
        (void)fchdir(old_root);
        move_mounts(overlay, overlay->merged, "");
    } else if (fchdir(old_root) == 0) {
        let_go();
    }
    (void)close(old_root);
    if (chdir("/") < 0 && result == 0)
        result = -errno;
    return result;
}

static int put_over_root(struct overlay *overlay)
{
    overlay->problem = "making mounts private";
    /* pivot_root(2) refuses shared ones. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    int result = mount_stage(overlay);
    if (result == 0)
        result = mount_overlay(overlay);
    if (result == 0)
        result = read_mounts(overlay);
    if (result == 0)
        result = change_root(overlay);
    return result;
}

enum step_result boot_overlay(struct boot *boot)
{
    struct overlay overlay = {.problem = ""};

    if (!boot->options->pivot_root_on_overlayfs)
        return STEP_SKIPPED;
    if (boot->root_in_memory) {
        log_info("no overlay: the root is in memory and writable already");
        return STEP_SKIPPED;
    }
    boot->root_now = 0;
    int result = put_over_root(&overlay);
    if (result == 0)
        return STEP_DONE;
    errno = -result;
    log_warning("no overlay over the root, %s failed: %m; the boot goes on with the plain root",
                overlay.problem);
    if (overlay.merged)
        (void)umount2(overlay.merged, MNT_DETACH);
    if (overlay.stage)
        (void)umount2(overlay.stage, MNT_DETACH);
    return STEP_WARNED;
}
