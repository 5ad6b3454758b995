/* SPDX-License-Identifier: MIT */
/*
 * --mount: file systems of the application, in the order given. Those that can wait for a device,
 * and don't depend on each other (mountorder.c), do it side by side: three journals cost the time
 * of the longest.
 */
#include "mounts.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILESYSTEMS_BYTES 4096

/* A child has some 30 kB of its own. */
#define MOST_AT_ONCE 8

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

/* Returns a positive errno, for child_begin(). */
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

/* A --mount on its way. */
struct job {
    const struct word *word;
    struct mount_spec spec;
    const char *problem; /* it is left out, why */
    const char *unknown; /* flag */
    const char *doing;   /* what failed, if `result` says so */
    enum { WAITS, RUNS, IS_DONE } state;
    int result;
    struct child child;
};

struct jobs {
    struct job *item;
    size_t count;
    size_t first; /* all before it are done, and were told of */
    size_t running;
    const char *filesystems;
    int64_t limit_ms;
    bool warned;
};

static void parse(struct job *job, const struct word *word)
{
    job->word = word;
    job->result = mount_parse(word->text, &job->spec, &job->problem, &job->unknown);
    if (job->result < 0)
        job->state = IS_DONE;
}

static bool may_start(const struct jobs *jobs, const struct job *job)
{
    if (jobs->running == MOST_AT_ONCE)
        return false;
    for (const struct job *earlier = &jobs->item[jobs->first]; earlier < job; earlier++)
        if (earlier->state != IS_DONE && mount_waits_for(&job->spec, &earlier->spec))
            return false;
    return true;
}

static void start(struct jobs *jobs, struct job *job)
{
    job->state = IS_DONE;
    job->doing = "making the place to mount";
    job->result = make_target(&job->spec);
    if (job->result < 0)
        return;
    job->doing = "mounting";
    if (!mount_spec_can_block(&job->spec, jobs->filesystems)) {
        job->result = -mount_now(&job->spec);
        return;
    }
    job->result = child_begin(&job->child, mount_now, &job->spec, time_ms() + jobs->limit_ms);
    if (job->result == 0) {
        job->state = RUNS;
        jobs->running++;
    }
}

static void finish(struct jobs *jobs, struct job *job)
{
    job->state = IS_DONE;
    job->result = child_result(&job->child);
    jobs->running--;
}

static void tell(struct jobs *jobs, const struct job *job)
{
    const struct origin *origin = &job->word->origin;
    const struct mount_spec *spec = &job->spec;

    if (job->problem)
        log_at(LOG_WARNING, origin, "mount '%s' is left out: %s", job->word->text, job->problem);
    if (job->unknown)
        log_at(LOG_WARNING, origin, "mount flag '%s' is unknown and left out", job->unknown);
    errno = -job->result;
    if (job->doing && job->result < 0)
        log_at(LOG_WARNING, origin, "%s %s%s%s%s%s failed: %m; the boot goes on without it",
               job->doing, spec->source, spec->source[0] != '\0' ? " on " : "", spec->target,
               spec->type[0] != '\0' ? " as " : "", spec->type);
    if (job->result < 0 || job->unknown)
        jobs->warned = true;
}

/* All that can be done now. What went wrong is told in the order given, whatever ended first. */
static void advance(struct jobs *jobs)
{
    for (size_t i = jobs->first; i < jobs->count; i++) {
        struct job *job = &jobs->item[i];
        if (job->state == WAITS && may_start(jobs, job))
            start(jobs, job);
        else if (job->state == RUNS && job->child.pid == 0)
            finish(jobs, job);
        if (job->state == IS_DONE && i == jobs->first) {
            tell(jobs, job);
            jobs->first++;
        }
    }
}

/* While mounts wait, and unless it may need one of them. */
static void begin_id_command(struct boot *boot, const struct jobs *jobs)
{
    struct strings words = {0};

    if (!boot_id_is_wanted(boot) || command_split(boot->options->uniqueid_exec.text, &words) < 0)
        return;
    for (size_t i = jobs->first; i < jobs->count; i++)
        if (jobs->item[i].state != IS_DONE && mount_concerns(&jobs->item[i].spec, &words))
            return;
    (void)boot_id_begin(boot);
}

static void mount_all(struct boot *boot, struct jobs *jobs)
{
    advance(jobs);
    if (jobs->running > 0)
        begin_id_command(boot, jobs);
    while (jobs->first < jobs->count) {
        if (jobs->running > 0)
            child_progress();
        advance(jobs);
    }
}

enum step_result boot_mounts(struct boot *boot)
{
    const struct words *words = &boot->options->mounts;
    char filesystems[FILESYSTEMS_BYTES];
    struct jobs jobs = {.count = words->count,
                        .filesystems = filesystems,
                        .limit_ms = boot->options->mount_timeout_ms};

    if (words->count == 0)
        return STEP_SKIPPED;
    jobs.item = arena_alloc(words->count * sizeof *jobs.item);
    if (!jobs.item) {
        log_warning("no memory for %zu mounts: none is made", words->count);
        return STEP_WARNED;
    }
    if (file_read("/proc/filesystems", filesystems, sizeof filesystems) < 0)
        jobs.filesystems = "";
    for (size_t i = 0; i < words->count; i++)
        parse(&jobs.item[i], &words->item[i]);
    mount_all(boot, &jobs);
    return jobs.warned ? STEP_WARNED : STEP_DONE;
}
