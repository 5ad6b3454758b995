/* SPDX-License-Identifier: MIT */
/* --mount: each for itself. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static const struct check_kind mount_fields = {"mount-fields", CHECK_ERROR};
static const struct check_kind mount_flag = {"mount-flag", CHECK_ERROR};
static const struct check_kind flags_cancel = {"mount-flags-cancel", CHECK_WARNING};
static const struct check_kind mount_data = {"mount-data", CHECK_WARNING};
static const struct check_kind mount_type = {"mount-type", CHECK_ERROR};
static const struct check_kind type_unknown = {"mount-type-unknown", CHECK_WARNING};
static const struct check_kind mount_source = {"mount-source", CHECK_ERROR};
static const struct check_kind mount_over = {"mount-over", CHECK_WARNING};

/* They live on a block device, whose path is the source. */
static const char *const disk_types[] = {
    "ext2",  "ext3",  "ext4",     "vfat",    "msdos",    "exfat",    "f2fs",
    "btrfs", "xfs",   "squashfs", "erofs",   "jfs",      "iso9660",  "udf",
    "ntfs",  "ntfs3", "nilfs2",   "minix",   "bcachefs", "reiserfs", "cramfs",
    "romfs", "hfs",   "hfsplus",  "fuseblk", "gfs2",     "ocfs2",    NULL};
static const char *const other_types[] = {
    "9p",         "afs",        "autofs",     "binfmt_misc", "bpf",     "ceph",     "cgroup",
    "cgroup2",    "cifs",       "configfs",   "debugfs",     "devpts",  "devtmpfs", "efivarfs",
    "functionfs", "fuse",       "fusectl",    "hugetlbfs",   "jffs2",   "mqueue",   "nfs",
    "nfs4",       "nfsd",       "orangefs",   "overlay",     "proc",    "pstore",   "ramfs",
    "resctrl",    "rpc_pipefs", "securityfs", "selinuxfs",   "smackfs", "smb3",     "sysfs",
    "tmpfs",      "tracefs",    "ubifs",      "virtiofs",    "yaffs2",  "none",     NULL};

static bool is_among(const char *const names[], const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* ---- flags ---- */

/* Who set or took back a bit, by its number. */
struct flag_owners {
    const struct mount_flag *set[32];
    const struct mount_flag *cleared[32];
    const struct mount_flag *propagation;
};

static void say_cancel(struct check *check, const struct origin *origin,
                       const struct mount_flag *later, const struct mount_flag *earlier)
{
    if (earlier != NULL && earlier != later)
        check_say(check, &flags_cancel, origin, "mount flag `%s` takes back `%s`", later->name,
                  earlier->name);
}

static void check_propagation(struct check *check, const struct origin *origin,
                              const struct mount_flag *flag, struct flag_owners *owners)
{
    say_cancel(check, origin, flag, owners->propagation);
    owners->propagation = flag;
}

static void check_flag(struct check *check, const struct origin *origin,
                       const struct mount_flag *flag, struct flag_owners *owners)
{
    if (flag->what == MOUNT_FLAG_PROPAGATE) {
        check_propagation(check, origin, flag, owners);
        return;
    }
    bool sets = flag->what == MOUNT_FLAG_SET;
    const struct mount_flag **mine = sets ? owners->set : owners->cleared;
    const struct mount_flag **others = sets ? owners->cleared : owners->set;
    for (unsigned int bit = 0; bit < 32; bit++) {
        if ((flag->bits & (1U << bit)) == 0)
            continue;
        say_cancel(check, origin, flag, others[bit]);
        others[bit] = NULL;
        mine[bit] = flag;
    }
}

/* The kernel has one policy of access times: strictatime before noatime before relatime. */
static void check_access_times(struct check *check, const struct origin *origin,
                               unsigned long flags)
{
    if ((flags & MS_STRICTATIME) && (flags & (MS_NOATIME | MS_RELATIME)))
        check_say(check, &flags_cancel, origin, "mount flag `strictatime` takes back `%s`",
                  flags & MS_NOATIME ? "noatime" : "relatime");
    else if ((flags & MS_NOATIME) && (flags & MS_RELATIME))
        check_say(check, &flags_cancel, origin, "mount flag `noatime` takes back `relatime`");
}

static const char *flags_field(const char *text)
{
    for (int field = 0; field < 3; field++) {
        while (*text != '\0' && *text != ':')
            text += text[0] == '\\' && (text[1] == ':' || text[1] == ';') ? 2 : 1;
        text += *text == ':' ? 1 : 0;
    }
    return text;
}

static void check_flags(struct check *check, const struct word *mount)
{
    struct flag_owners owners = {0};
    const char *at = flags_field(mount->text);
    while (*at != '\0' && *at != ':') {
        size_t length = strcspn(at, ",:");
        const struct mount_flag *flag = mount_flag_find(at, length);
        if (flag != NULL)
            check_flag(check, &mount->origin, flag, &owners);
        else if (length > 0)
            check_say(check, &mount_flag, &mount->origin,
                      "mount flag '%s' is unknown and left out (what is for the file system "
                      "itself goes into the last field)",
                      check_shown(at, length));
        at += length + (at[length] == ',');
    }
}

/* A flag among the data: the file system doesn't know it, and refuses the mount. */
static void check_data(struct check *check, const struct word *mount, const struct mount_spec *spec)
{
    static const char *const understood[] = {"ro",       "rw",         "sync", "async",  "dirsync",
                                             "lazytime", "nolazytime", "mand", "nomand", NULL};
    if (!is_among(disk_types, spec->type) && strcmp(spec->type, "tmpfs") != 0)
        return;
    const char *at = spec->data;
    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        const struct mount_flag *flag = mount_flag_find(at, length);
        if (flag != NULL && !is_among(understood, flag->name))
            check_say(check, &mount_data, &mount->origin,
                      "`%s` is a flag and belongs into the field before: %s refuses it here",
                      flag->name, spec->type);
        at += length + (at[length] == ',');
    }
}

/* ---- source, place, type ---- */

static bool needs_type(const struct mount_spec *spec)
{
    return (spec->flags & (MS_BIND | MS_MOVE | MS_REMOUNT)) == 0 && spec->propagation == 0;
}

static void check_type(struct check *check, const struct word *mount, const struct mount_spec *spec)
{
    const char *type = spec->type;
    if (strchr(type, '/') != NULL)
        check_say(
            check, &mount_type, &mount->origin,
            "file system type \"%s\": a colon too many? (`\\:` is one that separates nothing)",
            CHECK_SHOWN(type));
    else if (*type == '\0' && needs_type(spec))
        check_say(check, &mount_type, &mount->origin, "a mount on %s without a file system type",
                  CHECK_SHOWN(spec->target));
    else if (strcmp(type, "auto") == 0)
        check_say(check, &mount_type, &mount->origin,
                  "the kernel knows no type `auto`, which is one of mount(8): name the type");
    else if (*type != '\0' && strncmp(type, "fuse.", strlen("fuse.")) != 0 &&
             !is_among(disk_types, type) && !is_among(other_types, type))
        check_say(check, &type_unknown, &mount->origin,
                  "\"%s\" is no file system type that usual kernels have", CHECK_SHOWN(type));
}

static void check_source(struct check *check, const struct word *mount,
                         const struct mount_spec *spec)
{
    static const char *const tags[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", NULL};
    for (size_t i = 0; tags[i] != NULL; i++) {
        if (text_starts_with(spec->source, tags[i])) {
            check_say(check, &mount_source, &mount->origin,
                      "%s... is looked up by mount(8), which is not used here: name the device, as "
                      "/dev/rootdisk0p3",
                      tags[i]);
            return;
        }
    }
    if (*spec->source != '/' && is_among(disk_types, spec->type) && needs_type(spec))
        check_say(check, &mount_source, &mount->origin, "\"%s\" is no path of a device for %s",
                  CHECK_SHOWN(spec->source), spec->type);
}

static void check_target(struct check *check, const struct word *mount,
                         const struct mount_spec *spec)
{
    const char *target = spec->target;
    if (*target != '/')
        check_say(check, &check_relative_path, &mount->origin, "\"%s\" is taken as /%s",
                  CHECK_SHOWN(target), CHECK_SHOWN(target));
    else if (target[strspn(target, "/")] == '\0' && needs_type(spec))
        check_say(check, &mount_over, &mount->origin,
                  "a mount on / hides the root and all that is in it; a change of its flags needs "
                  "`remount`");
}

static void check_mount(struct check *check, const struct word *mount)
{
    struct mount_spec spec;
    const char *problem, *unknown;
    int result = mount_parse(mount->text, &spec, &problem, &unknown);
    if (result == -ENOMEM)
        check->findings->no_memory = true;
    if (result == -EINVAL)
        check_say(check, &mount_fields, &mount->origin, "mount '%s' is left out: %s",
                  CHECK_SHOWN(mount->text), problem);
    if (result < 0)
        return;
    check_flags(check, mount);
    check_access_times(check, &mount->origin, spec.flags);
    check_data(check, mount, &spec);
    check_type(check, mount, &spec);
    check_source(check, mount, &spec);
    check_target(check, mount, &spec);
}

void check_mounts(struct check *check)
{
    for (size_t i = 0; i < check->options.mounts.count; i++)
        check_mount(check, &check->options.mounts.item[i]);
}
