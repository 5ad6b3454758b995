/* SPDX-License-Identifier: MIT */
/* --mount: file systems of the application, in the order given. */
#include "mounts.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILESYSTEMS_BYTES 4096

/* What a bind mount ignores the first time: mount(2), "Creating a bind mount". */
#define PER_MOUNT_FLAGS                                                                            \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

/* They say nodev, and wait for a server or for flash all the same. */
static const char *const waiting_types[] = {"nfs", "nfs4",     "cifs",  "smb3",  "9p", "ceph",
                                            "afs", "virtiofs", "ubifs", "jffs2", NULL};

static bool is_nodev(const char *type, const char *filesystems)
{
    size_t length = strlen(type);

    while (*filesystems != '\0') {
        const char *end = strchrnul(filesystems, '\n');
        if (text_starts_with(filesystems, "nodev\t") && (size_t)(end - filesystems) == length + 6 &&
            memcmp(filesystems + 6, type, length) == 0)
            return true;
        filesystems = *end != '\0' ? end + 1 : end;
    }
    return false;
}

bool mount_spec_can_block(const struct mount_spec *spec, const char *filesystems)
{
    if (spec->flags & (MS_BIND | MS_MOVE))
        return false;
    for (size_t i = 0; waiting_types[i]; i++)
        if (text_equal(spec->type, waiting_types[i]))
            return true;
    return !is_nodev(spec->type, filesystems);
}

/* `make` operations of mount(8): nothing is mounted, only the propagation of what is there. */
static bool is_propagation_only(const struct mount_spec *spec)
{
    return spec->propagation != 0 && (spec->flags & ~(unsigned long)MS_SILENT) == 0 &&
           (spec->type[0] == '\0' || text_equal(spec->type, "none"));
}

/* Returns a positive errno, for child_call(). */
static int mount_now(void *argument)
{
    const struct mount_spec *spec = argument;
    const char *data = spec->data[0] != '\0' ? spec->data : NULL;
    unsigned long bind = spec->flags & MS_BIND;

    if (!is_propagation_only(spec) &&
        mount(spec->source, spec->target, spec->type, spec->flags, data) < 0)
        return errno;
    if (bind && !(spec->flags & MS_REMOUNT) && (spec->flags & PER_MOUNT_FLAGS) &&
        mount(NULL, spec->target, NULL,
              MS_REMOUNT | MS_BIND | (spec->flags & (PER_MOUNT_FLAGS | MS_SILENT)), NULL) < 0)
        return errno;
    if (spec->propagation && mount(NULL, spec->target, NULL, spec->propagation, NULL) < 0)
        return errno;
    return 0;
}

/* A file can only be bound over a file. */
static bool binds_a_file(const struct mount_spec *spec)
{
    struct stat status;

    return (spec->flags & (MS_BIND | MS_MOVE)) && stat(spec->source, &status) == 0 &&
           !S_ISDIR(status.st_mode);
}

static int make_file(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (path_exists(path))
        return 0;
    if (slash && slash > path) {
        const char *parent = arena_copy(path, (size_t)(slash - path));
        int result = parent ? directory_make_all(parent) : -ENOMEM;
        if (result < 0)
            return result;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

static int make_target(const struct mount_spec *spec)
{
    return binds_a_file(spec) ? make_file(spec->target) : directory_make_all(spec->target);
}

static int mount_spec(struct mount_spec *spec, const char *filesystems, int64_t limit_ms)
{
    if (mount_spec_can_block(spec, filesystems))
        return child_call(mount_now, spec, limit_ms);
    return -mount_now(spec);
}

static void warn_failure(const struct origin *origin, const struct mount_spec *spec,
                         const char *what, int result)
{
    errno = -result;
    log_at(LOG_WARNING, origin, "%s %s%s%s%s%s failed: %m; the boot goes on without it", what,
           spec->source, spec->source[0] != '\0' ? " on " : "", spec->target,
           spec->type[0] != '\0' ? " as " : "", spec->type);
}

static int mount_word(const struct word *word, const char *filesystems, int64_t limit_ms)
{
    const struct origin *origin = &word->origin;
    const char *problem, *unknown;
    struct mount_spec spec;
    int result = mount_parse(word->text, &spec, &problem, &unknown);

    if (result == -EINVAL)
        log_at(LOG_WARNING, origin, "mount '%s' is left out: %s", word->text, problem);
    if (result < 0)
        return result;
    if (unknown)
        log_at(LOG_WARNING, origin, "mount flag '%s' is unknown and left out", unknown);
    result = make_target(&spec);
    if (result < 0) {
        warn_failure(origin, &spec, "making the place to mount", result);
        return result;
    }
    result = mount_spec(&spec, filesystems, limit_ms);
    if (result < 0)
        warn_failure(origin, &spec, "mounting", result);
    return result < 0 ? result : unknown ? -EINVAL : 0;
}

enum step_result boot_mounts(struct boot *boot)
{
    const struct words *mounts = &boot->options->mounts;
    char filesystems[FILESYSTEMS_BYTES];
    enum step_result result = mounts->count > 0 ? STEP_DONE : STEP_SKIPPED;

    if (result == STEP_SKIPPED ||
        file_read("/proc/filesystems", filesystems, sizeof filesystems) < 0)
        filesystems[0] = '\0';
    for (size_t i = 0; i < mounts->count; i++)
        if (mount_word(&mounts->item[i], filesystems, boot->options->mount_timeout_ms) < 0)
            result = STEP_WARNED;
    return result;
}
