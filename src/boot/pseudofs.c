/* SPDX-License-Identifier: MIT */
/* The file systems that the kernel itself provides, and the scratch ones in memory. */
#include "pseudofs.h"

#include "erlinit/boot.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

const struct pseudofs pseudofs_kernel[PSEUDOFS_KERNEL] = {
    {"/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0555},
    {"/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0555},
};

const struct pseudofs pseudofs_dev = {"/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "size=1024k",
                                      0755};

/* After /dev has been mounted: their directories are in it. */
const struct pseudofs pseudofs_in_dev[PSEUDOFS_IN_DEV] = {
    {"/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620", 0755},
    {"/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", 01777},
};

const struct pseudofs pseudofs_scratch[PSEUDOFS_SCRATCH] = {
    {"/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=10%", 01777},
    {"/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=5%", 0755},
};

/* Whether something is mounted there already. The device number alone can't tell a bind mount, but
 * none of ours would be one. `above`: that of the directory above, 0 until it is known. */
static bool is_mount_point(const char *path, const char *parent, dev_t *above)
{
    struct stat status;

    if (*above == 0 && stat(parent, &status) == 0)
        *above = status.st_dev;
    return *above != 0 && stat(path, &status) == 0 && status.st_dev != *above;
}

/*
 * What the kernel or an initramfs has mounted stays, and gets our flags. An error there is no
 * warning: there is a file system, which is what counts.
 */
static int adjust(const struct pseudofs *fs)
{
    if (mount(NULL, fs->target, NULL, MS_REMOUNT | fs->flags, fs->data) == 0)
        return 0;
    log_debug("%s keeps the options that it has: %m", fs->target);
    return -errno;
}

static int mount_once(const struct pseudofs *fs)
{
    return mount(fs->type, fs->target, fs->type, fs->flags, fs->data) < 0 ? -errno : 0;
}

static int mount_new(const struct pseudofs *fs)
{
    int result = mount_once(fs);

    /* if it can't be made, its absence is the better reason to tell */
    if (result == -ENOENT && mkdir(fs->target, fs->mode) == 0)
        result = mount_once(fs);
    /* "already mounted or busy": only what is mounted can be mounted anew */
    if (result == -EBUSY && adjust(fs) == 0)
        return 0;
    if (result < 0) {
        errno = -result;
        log_warning("%s can't be mounted (%s): %m; the boot goes on without it", fs->target,
                    fs->type);
    }
    return result;
}

/* Each file system has the directory `parent` above it, which is on the device `above`, or 0. */
static enum step_result provide_all(const struct pseudofs *fs, size_t count, const char *parent,
                                    dev_t above)
{
    enum step_result result = STEP_DONE;

    for (; count > 0; fs++, count--) {
        if (is_mount_point(fs->target, parent, &above))
            (void)adjust(fs);
        else if (mount_new(fs) < 0)
            result = STEP_WARNED;
    }
    return result;
}

/*
 * A devtmpfs is one for the whole system: mounted by now (start_devices()), unless that failed; and
 * only when it is mounted anew it takes options.
 */
static enum step_result provide_devices(void)
{
    if (adjust(&pseudofs_dev) == 0)
        return STEP_DONE;
    if (mount_new(&pseudofs_dev) < 0)
        return STEP_WARNED;
    (void)adjust(&pseudofs_dev);
    (void)log_open();
    return STEP_DONE;
}

/* In a fresh devtmpfs their directories are missing, and what has just been made is no mount point.
 */
static enum step_result provide_in_devices(const struct pseudofs *fs)
{
    if (mkdir(fs->target, fs->mode) == 0)
        return mount_new(fs) < 0 ? STEP_WARNED : STEP_DONE;
    return provide_all(fs, 1, "/dev", 0);
}

enum step_result boot_pseudofs(struct boot *boot)
{
    enum step_result result = provide_all(pseudofs_kernel, PSEUDOFS_KERNEL, "/", boot->root_now);

    if (provide_devices() != STEP_DONE)
        result = STEP_WARNED;
    for (size_t i = 0; i < PSEUDOFS_IN_DEV; i++)
        if (provide_in_devices(&pseudofs_in_dev[i]) != STEP_DONE)
            result = STEP_WARNED;
    return result;
}

enum step_result boot_scratch(struct boot *boot)
{
    return provide_all(pseudofs_scratch, PSEUDOFS_SCRATCH, "/", boot->root_now);
}
