/* SPDX-License-Identifier: MIT */
/* The file systems that the kernel itself provides, and the scratch ones in memory. */
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct pseudofs {
    const char *target;
    const char *type;
    unsigned long flags;
    const char *data;
    mode_t mode; /* of the directory, should it be missing */
};

static const struct pseudofs kernel_filesystems[] = {
    {"/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0555},
    {"/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, 0555},
    {"/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "size=1024k", 0755},
};

/* After /dev has been mounted: their directories are in it. */
static const struct pseudofs device_filesystems[] = {
    {"/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620", 0755},
    {"/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", 01777},
};

static const struct pseudofs scratch_filesystems[] = {
    {"/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=10%", 01777},
    {"/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=5%", 0755},
};

/* The device number alone can't tell a bind mount, but none of ours would be one. */
static bool is_mount_point(const char *path)
{
    TEXT_ON_STACK(parent, PATH_MAX);
    struct stat here, above;

    text_format(&parent, "%s/..", path);
    return stat(path, &here) == 0 && stat(parent.at, &above) == 0 && here.st_dev != above.st_dev;
}

/*
 * What the kernel or an initramfs has mounted stays, and gets our flags. An error there is no
 * warning: there is a file system, which is what counts.
 */
static bool adjust(const struct pseudofs *fs)
{
    if (mount(NULL, fs->target, NULL, MS_REMOUNT | fs->flags, fs->data) == 0)
        return true;
    log_debug("%s was mounted already and keeps its options: %m", fs->target);
    return false;
}

static int provide(const struct pseudofs *fs)
{
    if (is_mount_point(fs->target)) {
        (void)adjust(fs);
        return 0;
    }
    /* A read-only root without the directory fails at mount(2), with a better reason. */
    (void)mkdir(fs->target, fs->mode);
    if (mount(fs->type, fs->target, fs->type, fs->flags, fs->data) == 0) {
        /* A devtmpfs is one for the whole system and takes no options when it is mounted. */
        if (text_equal(fs->type, "devtmpfs"))
            (void)adjust(fs);
        return 0;
    }
    int error = -errno;
    /* "already mounted or busy": only what is mounted can be mounted anew */
    if (error == -EBUSY && adjust(fs))
        return 0;
    errno = -error;
    log_warning("%s can't be mounted (%s): %m; the boot goes on without it", fs->target, fs->type);
    return error;
}

static enum step_result provide_all(const struct pseudofs *fs, size_t count)
{
    enum step_result result = STEP_DONE;

    for (size_t i = 0; i < count; i++)
        if (provide(&fs[i]) < 0)
            result = STEP_WARNED;
    return result;
}

enum step_result boot_pseudofs(struct boot *boot)
{
    (void)boot;
    enum step_result first =
        provide_all(kernel_filesystems, sizeof kernel_filesystems / sizeof kernel_filesystems[0]);
    log_open();
    enum step_result second =
        provide_all(device_filesystems, sizeof device_filesystems / sizeof device_filesystems[0]);
    return first != STEP_DONE ? first : second;
}

enum step_result boot_scratch(struct boot *boot)
{
    (void)boot;
    return provide_all(scratch_filesystems,
                       sizeof scratch_filesystems / sizeof scratch_filesystems[0]);
}
