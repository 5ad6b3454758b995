/* SPDX-License-Identifier: MIT */
/* How each file system is ended, in which order, and what happens when it can't be. The kernel is a
 * made-up table of mounts. */
/* wrap: mounts_load umount2 mount open close ioctl syncfs sync file_read swapoff kill */
/* wrap: shutdown_detach_devices shutdown_name_holders shutdown_force_read_only stat */
/* wrap: child_call child_start child_wait child_reap child_wait_event */
#include "../../src/shutdown/filesystems.h"

#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "erlinit/times.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int __wrap_mounts_load(struct mount_table *table);
int __real_umount2(const char *target, int flags);
int __wrap_umount2(const char *target, int flags);
int __real_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_syncfs(int fd);
void __wrap_sync(void);
ssize_t __wrap_file_read(const char *path, char *buffer, size_t size);
int __real_swapoff(const char *path);
int __wrap_swapoff(const char *path);
int __wrap_kill(pid_t pid, int signal);
bool __wrap_shutdown_detach_devices(void);
void __wrap_shutdown_name_holders(struct shutdown *shutdown, const struct mount_entry *entry,
                                  bool for_report);
int __wrap_shutdown_force_read_only(int64_t limit_ms);
pid_t __wrap_child_start(int (*function)(void *argument), void *argument);
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status);
bool __wrap_child_reap(const struct child_hooks *hooks);
bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms);
int __wrap_stat(const char *path, struct stat *status);

#define FIRST_FD 900
#define CHILD    55

/* A mount, and how it takes its end. */
struct made_up {
    const char *line; /* of mountinfo, from the parent's number on; its own is its place + 10 */
    const char *target;
    bool gone;
    int hangs; /* umount2() does not return so often */
    int busy;  /* umount2() fails so often */
    bool busy_until_detached;
    int remount_error, freeze_error;
    int sync_error; /* told once */
    int open_error;
};

#define FOREVER 1000

static struct made_up mounts[64];
static size_t mount_count;
static char calls[2048];
static int load_error, start_error, swap_error, force_error, children, opened;
static int called; /* child_call() */
static bool hung, may_detach, killed_end, swap_hangs;
static int child_status;
static const char *swaps;
static dev_t link_device; /* where /link leads to */
static jmp_buf child;
static struct shutdown_notes notes;
static struct machine machine;
static struct options options;
static struct shutdown self;

static void note(const char *what, const char *where)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s %s;", what, where);
}

static struct made_up *find(const char *target)
{
    for (size_t i = mount_count; i-- > 0;)
        if (!mounts[i].gone && strcmp(mounts[i].target, target) == 0)
            return &mounts[i];
    fail_msg("%s is not mounted", target);
    return NULL;
}

int __wrap_mounts_load(struct mount_table *table)
{
    if (load_error != 0)
        return load_error;
    char *text = arena_alloc(16384);
    assert_non_null(text);
    size_t length = 0;
    for (size_t i = 0; i < mount_count; i++)
        if (!mounts[i].gone)
            length += (size_t)snprintf(text + length, 16384 - length, "%d %s\n", (int)i + 10,
                                       mounts[i].line);
    return mounts_parse(text, table);
}

int __wrap_umount2(const char *target, int flags)
{
    struct made_up *mount = find(target);
    /* without wrapping this doesn't link: this machine's own mounts must stay */
    assert_ptr_not_equal(__real_umount2, __wrap_umount2);
    assert_true(flags & UMOUNT_NOFOLLOW);
    note(flags & MNT_DETACH ? "let-go" : flags & MNT_FORCE ? "force" : "umount", target);
    if (mount->hangs-- > 0)
        longjmp(child, 1);
    if (!(flags & MNT_DETACH) && (mount->busy > 0 || mount->busy_until_detached)) {
        mount->busy--;
        errno = EBUSY;
        return -1;
    }
    mount->gone = true;
    return 0;
}

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data)
{
    assert_ptr_not_equal(__real_mount, __wrap_mount);
    assert_null(source);
    assert_null(type);
    assert_null(data);
    assert_int_equal(flags, MS_REMOUNT | MS_RDONLY);
    note("read-only", target);
    errno = find(target)->remount_error;
    return errno == 0 ? 0 : -1;
}

int __wrap_open(const char *path, int flags, ...)
{
    assert_int_equal(flags, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    errno = find(path)->open_error;
    if (errno != 0)
        return -1;
    opened++;
    return FIRST_FD + (int)(find(path) - mounts);
}

int __wrap_close(int fd)
{
    assert_true(fd >= FIRST_FD);
    opened--;
    return 0;
}

int __wrap_syncfs(int fd)
{
    note("sync", mounts[fd - FIRST_FD].target);
    errno = mounts[fd - FIRST_FD].sync_error;
    mounts[fd - FIRST_FD].sync_error = 0;
    return errno == 0 ? 0 : -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    assert_int_equal(request, FIFREEZE);
    note("freeze", mounts[fd - FIRST_FD].target);
    errno = mounts[fd - FIRST_FD].freeze_error;
    return errno == 0 ? 0 : -1;
}

void __wrap_sync(void)
{
    note("sync", "all");
}

ssize_t __wrap_file_read(const char *path, char *buffer, size_t size)
{
    assert_string_equal(path, "/proc/swaps");
    return swaps == NULL ? -ENOENT : snprintf(buffer, size, "%s", swaps);
}

int __wrap_swapoff(const char *path)
{
    assert_ptr_not_equal(__real_swapoff, __wrap_swapoff);
    note("swapoff", path);
    if (swap_hangs)
        longjmp(child, 1);
    errno = swap_error;
    return swap_error == 0 ? 0 : -1;
}

int __wrap_kill(pid_t pid, int signal)
{
    assert_int_equal(pid, CHILD);
    assert_int_equal(signal, SIGKILL);
    note("kill", "it");
    return 0;
}

bool __wrap_shutdown_detach_devices(void)
{
    bool detached = false;
    for (size_t i = 0; i < mount_count && may_detach; i++) {
        detached = detached || mounts[i].busy_until_detached;
        mounts[i].busy_until_detached = false;
    }
    return detached;
}

void __wrap_shutdown_name_holders(struct shutdown *shutdown, const struct mount_entry *entry,
                                  bool for_report)
{
    assert_ptr_equal(shutdown, &self);
    note(for_report ? "note-holders" : "holders", entry->target);
}

/* In PID 1 itself. */
int __wrap_shutdown_force_read_only(int64_t limit_ms)
{
    assert_true(limit_ms > 0 && time_ms() + limit_ms < self.deadline_ms);
    note("force", "all");
    return force_error;
}

/* Here, and not in a child. What hangs jumps out. */
pid_t __wrap_child_start(int (*function)(void *argument), void *argument)
{
    if (start_error != 0)
        return start_error;
    children++;
    hung = setjmp(child) != 0;
    if (!hung)
        child_status = function(argument) << 8;
    return CHILD;
}

/* Writing back, with what is left of the budget. */
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    assert_true(limit_ms > 0 && time_ms() + limit_ms < self.deadline_ms);
    called++;
    return start_error != 0 ? start_error : -function(argument);
}

int __wrap_child_wait(pid_t pid, int64_t deadline_ms, int *status)
{
    assert_int_equal(pid, CHILD);
    assert_true(deadline_ms < self.deadline_ms);
    if (hung)
        return -ETIMEDOUT;
    *status = child_status;
    return 0;
}

/* No child is left, when those that were killed have ended. */
bool __wrap_child_reap(const struct child_hooks *hooks)
{
    assert_ptr_equal(hooks, &self.hooks);
    return killed_end;
}

bool __wrap_child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms)
{
    assert_ptr_equal(hooks, &self.hooks);
    assert_true(deadline_ms < self.deadline_ms);
    note("wait", "for it");
    return false;
}

int __wrap_stat(const char *path, struct stat *status)
{
    if (strcmp(path, "/link/") != 0 || link_device == 0)
        return -1;
    *status = (struct stat){.st_dev = link_device};
    return 0;
}

/* The usual beginning, so that a test names only what it is about. */
#define ROOT                                                                                       \
    {.line = "1 8:1 / / rw - ext4 /dev/root rw", .target = "/"},                                   \
        {.line = "10 0:5 / /dev rw - devtmpfs dev rw", .target = "/dev"},                          \
        {.line = "10 0:6 / /proc rw - proc proc rw", .target = "/proc"},                           \
        {.line = "10 0:7 / /sys rw - sysfs sys rw", .target = "/sys"},                             \
    {                                                                                              \
        .line = "10 0:8 / /run rw - tmpfs run rw", .target = "/run"                                \
    }
#define DATA .line = "10 8:2 / /data rw - ext4 /dev/sda2 rw", .target = "/data"

static void have(size_t count, const struct made_up *list)
{
    mount_count = count;
    memcpy(mounts, list, count * sizeof *list);
    calls[0] = '\0';
    load_error = start_error = swap_error = force_error = children = opened = 0;
    called = 0;
    may_detach = killed_end = swap_hangs = false;
    link_device = 0;
    swaps = NULL;
    notes = (struct shutdown_notes){0};
    options = (struct options){0};
    self = (struct shutdown){.options = &options,
                             .machine = &machine,
                             .notes = &notes,
                             .deadline_ms = time_ms() + 100000};
    log_spy_reset();
}

#define HAVE(...)                                                                                  \
    have(sizeof((struct made_up[]){__VA_ARGS__}) / sizeof(struct made_up),                         \
         (struct made_up[]){__VA_ARGS__})

static void newest_first_root_last(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA},
         {.line = "15 7:0 / /data/im\\040age rw - vfat /dev/loop0 rw", .target = "/data/im age"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data/im age;umount /data/im age;sync /data;umount /data;"
                               "sync /;read-only /;");
    assert_string_equal(notes.lines, "- /data/im age (/dev/loop0, vfat): unmounted\n"
                                     "- /data (/dev/sda2, ext4): unmounted\n");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_int_equal(opened, 0);
    assert_int_equal(children, 1);
}

static void leaves_what_holds_nothing(void **state)
{
    (void)state;
    HAVE(ROOT, {.line = "11 0:9 / /dev/pts rw - devpts pts rw", .target = "/dev/pts"},
         {.line = "13 0:10 / /sys/fs/pstore rw - pstore p rw", .target = "/sys/fs/pstore"},
         {.line = "10 0:11 / /tmp rw - tmpfs tmp rw", .target = "/tmp"},
         {.line = "10 8:3 / /ro ro - squashfs /dev/sda3 ro", .target = "/ro"},
         {.line = "10 0:12 / /devices rw - overlay over rw", .target = "/devices"},
         {.line = "11 8:4 / /dev/disk rw - ext4 /dev/sda4 rw", .target = "/dev/disk"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /dev/disk;umount /dev/disk;umount /devices;"
                               "sync /ro;umount /ro;sync /;read-only /;");
    assert_string_equal(notes.lines, "- /dev/disk (/dev/sda4, ext4): unmounted\n"
                                     "- /ro (/dev/sda3, squashfs): unmounted\n");
}

/* A tmpfs in the way of a disk's unmounting; and btrfs, whose device number tells no disk. */
static void frees_disks(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA}, {.line = "15 0:20 / /data/tmp rw - tmpfs t rw", .target = "/data/tmp"},
         {.line = "10 0:30 / /b rw - btrfs /dev/sda5 rw", .target = "/b"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /b;umount /b;umount /data/tmp;sync /data;umount /data;"
                               "sync /;read-only /;");
}

static void root_read_only_from_the_start(void **state)
{
    (void)state;
    HAVE({.line = "1 8:1 / / ro - squashfs /dev/root ro", .target = "/"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /;");
    assert_string_equal(notes.lines, "");
}

static void comes_back_while_something_changes(void **state)
{
    (void)state;
    /* /data is free only when the loop device on top of it has gone */
    HAVE(ROOT, {DATA, .busy_until_detached = true},
         {.line = "10 7:0 / /image rw - ext4 /dev/loop0 rw", .target = "/image", .busy = 1});
    may_detach = true;
    shutdown_unmount(&self);
    assert_string_equal(calls,
                        "sync /image;umount /image;sync /data;umount /data;"
                        "sync /image;umount /image;sync /data;umount /data;sync /;read-only /;");
    HAVE(ROOT, {.line = "10 8:6 / /other rw - ext4 /dev/sda6 rw", .target = "/other"},
         {DATA, .busy = 1});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data;umount /data;sync /other;umount /other;"
                               "sync /data;umount /data;sync /;read-only /;");
    /* nothing changes: no second round */
    HAVE(ROOT, {DATA, .busy = FOREVER});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data;umount /data;sync /data;read-only /data;holders /data;"
                               "sync /;read-only /;");
}

static void busy_becomes_read_only(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .busy = FOREVER});
    shutdown_unmount(&self);
    assert_true(log_spy_contains("/data (/dev/sda2): busy, now read-only"));
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

static void or_is_frozen(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .busy = FOREVER, .remount_error = EBUSY});
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data;umount /data;sync /data;read-only /data;freeze /data;"
                               "holders /data;sync /;read-only /;");
    assert_true(log_spy_contains("/data (/dev/sda2): busy, now frozen"));
    /* it is already */
    log_spy_reset();
    HAVE(ROOT, {DATA, .busy = FOREVER, .remount_error = EBUSY, .freeze_error = EBUSY});
    shutdown_unmount(&self);
    assert_true(log_spy_contains("/data (/dev/sda2): busy, now frozen"));
    assert_int_equal(opened, 0);
}

static void or_is_named(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .busy = FOREVER, .remount_error = EBUSY, .freeze_error = EOPNOTSUPP});
    mounts[0].remount_error = EBUSY;
    mounts[0].freeze_error = EOPNOTSUPP;
    shutdown_unmount(&self);
    assert_non_null(strstr(calls, "holders /data;"));
    assert_non_null(strstr(calls, "freeze /;holders /;"));
    assert_true(log_spy_contains("/data (/dev/sda2): can be neither unmounted nor made read-only "
                                 "nor frozen: Operation not supported. It may need a repair"));
    assert_int_equal(log_spy_count(LOG_ERROR), 2);
    assert_int_equal(opened, 0);
}

/* By its oldest mount: those on top of it, whose disk it may be, come first. */
static void makes_each_file_system_safe_once(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .busy = FOREVER},
         {.line = "15 7:0 / /data/image rw - ext4 /dev/loop0 rw",
          .target = "/data/image",
          .busy = FOREVER},
         {.line = "10 8:2 /x /bind rw - ext4 /dev/sda2 rw", .target = "/bind", .busy = FOREVER});
    shutdown_unmount(&self);
    assert_null(strstr(calls, "read-only /bind;"));
    assert_non_null(strstr(calls, "sync /data/image;read-only /data/image;holders /data/image;"
                                  "sync /data;read-only /data;holders /data;sync /;read-only /;"));
}

/* It is written back, and ends, with its last mount. */
static void ends_each_file_system_once(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA}, {.line = "10 8:2 /x /bind rw - ext4 /dev/sda2 rw", .target = "/bind"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "umount /bind;sync /data;umount /data;sync /;read-only /;");
    assert_string_equal(notes.lines, "- /data (/dev/sda2, ext4): unmounted\n");
    HAVE(ROOT, {DATA}, {.line = "10 8:2 /x /bind rw - ext4 /dev/sda2 rw", .target = "/bind"},
         {.line = "10 8:2 /y /other rw - ext4 /dev/sda2 rw", .target = "/other", .busy = 1});
    shutdown_unmount(&self);
    assert_string_equal(calls, "umount /other;umount /bind;umount /data;sync /other;umount /other;"
                               "sync /;read-only /;");
    assert_string_equal(notes.lines, "- /other (/dev/sda2, ext4): unmounted\n");
}

static void says_what_was_not_written(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .sync_error = EIO});
    shutdown_unmount(&self);
    assert_true(log_spy_contains("/data (/dev/sda2): writing back failed: Input/output error"));
    assert_string_equal(notes.lines,
                        "- /data (/dev/sda2): writing back failed: Input/output error\n"
                        "- /data (/dev/sda2, ext4): unmounted\n");
    assert_non_null(strstr(calls, "umount /data;"));
    /* the kernel lets nobody write there any more; and the root */
    HAVE({.line = "1 8:1 / / rw - ext4 /dev/root rw", .target = "/", .sync_error = EIO},
         {.line = "10 8:2 / /data rw - vfat /dev/sda2 ro", .target = "/data", .sync_error = ENOSPC},
         {.line = "10 8:3 / /more rw - xfs /dev/sda3 ro", .target = "/more", .open_error = EIO});
    shutdown_unmount(&self);
    assert_true(log_spy_contains("/ (/dev/root): writing back failed: Input/output error"));
    assert_true(log_spy_contains("/data (/dev/sda2): writing back failed: No space left"));
    assert_true(log_spy_contains("/more (/dev/sda3): writing back failed: Input/output error"));
    assert_int_equal(log_spy_count(LOG_WARNING), 3);
    assert_int_equal(opened, 0);
    /* a file that is mounted on a file */
    HAVE(ROOT, {DATA, .open_error = ENOTDIR});
    shutdown_unmount(&self);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void lets_go_of_what_has_no_disk(void **state)
{
    (void)state;
    HAVE(ROOT, {.line = "10 0:40 / /net rw - nfs4 host:/x rw", .target = "/net", .busy = FOREVER},
         {.line = "10 0:41 / /f rw - fuse.sshfs s rw", .target = "/f"},
         {.line = "10 0:42 / /o rw - overlay o rw", .target = "/o", .busy = FOREVER},
         {.line = "10 0:43 / /c rw - cifs //h/s rw", .target = "/c"},
         {.line = "10 0:44 / /p rw - 9p p rw", .target = "/p"});
    shutdown_unmount(&self);
    assert_string_equal(calls, "force /p;force /c;umount /o;let-go /o;force /f;force /net;"
                               "let-go /net;sync /;read-only /;");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void keeps_what_holds_the_report(void **state)
{
    (void)state;
    static const struct word report = {"/data/logs/report.md", {"f", 1, 1}};
    HAVE(ROOT, {DATA},
         {.line = "15 8:3 / /data/logs rw - ext4 /dev/sda3 rw", .target = "/data/logs"},
         {.line = "15 8:4 / /data/log rw - ext4 /dev/sda4 rw", .target = "/data/log"},
         {.line = "15 8:5 / /data/logs/old rw - ext4 /dev/sda5 rw", .target = "/data/logs/old"});
    shutdown_unmount_others(&self);
    assert_int_equal(children, 0);
    options.shutdown_report = report;
    shutdown_unmount_others(&self);
    assert_string_equal(calls, "sync /data/logs/old;umount /data/logs/old;"
                               "sync /data/log;umount /data/log;");
    assert_string_equal(notes.lines, "- /data/logs/old (/dev/sda5, ext4): unmounted\n"
                                     "- /data/log (/dev/sda4, ext4): unmounted\n");
    calls[0] = '\0';
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data/logs;umount /data/logs;sync /data;umount /data;"
                               "sync /;read-only /;");
}

/* What is not over when the report is written: once, and not what hangs. */
static void notes_what_is_left(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA}, {.line = "10 8:3 / /ro ro - squashfs /dev/sda3 ro", .target = "/ro"},
         {.line = "10 8:9 / /h rw - ext4 /dev/sda9 rw", .target = "/h"},
         {.line = "10 8:2 /x /bind rw - ext4 /dev/sda2 rw", .target = "/bind"});
    notes.hung[notes.hung_count++] = makedev(8, 9);
    assert_int_equal(filesystems_note_left(&self), 0);
    assert_string_equal(calls, "");
    assert_string_equal(notes.lines,
                        "- /ro (/dev/sda3, squashfs): read-only\n"
                        "- /data (/dev/sda2, ext4): still mounted, a bad end is only in the log\n"
                        "- / (/dev/root, ext4): still mounted, a bad end is only in the log\n");
    /* everybody is on the root */
    assert_int_equal(filesystems_note_holders(&self), 0);
    assert_string_equal(calls, "note-holders /ro;note-holders /data;");
    load_error = -ENOMEM;
    assert_int_equal(filesystems_note_left(&self), ENOMEM);
}

static void finds_the_report_through_links(void **state)
{
    (void)state;
    static const struct word report = {"/link/report.md", {"f", 1, 1}};
    HAVE(ROOT, {DATA},
         {.line = "15 8:3 / /data/deep rw - ext4 /dev/sda3 rw", .target = "/data/deep"},
         {.line = "15 8:4 / /data/other rw - ext4 /dev/sda4 rw", .target = "/data/other"});
    options.shutdown_report = report;
    link_device = makedev(8, 3);
    shutdown_unmount_others(&self);
    assert_string_equal(calls, "sync /data/other;umount /data/other;");
    link_device = 0;
    shutdown_unmount_others(&self);
    assert_non_null(strstr(calls, "umount /data/deep;sync /data;umount /data;"));
}

static void goes_round_what_hangs(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA},
         {.line = "10 8:9 / /h rw - ext4 /dev/sda9 rw", .target = "/h", .hangs = FOREVER},
         {.line = "10 0:41 / /f rw - fuse.x s rw", .target = "/f", .hangs = FOREVER});
    shutdown_unmount(&self);
    assert_string_equal(calls, "force /f;kill it;sync /h;umount /h;kill it;sync /data;"
                               "umount /data;sync /;read-only /;wait for it;");
    assert_int_equal(children, 3);
    assert_string_equal(notes.lines, "- /f: hangs, not clean\n- /h: hangs, not clean\n"
                                     "- /data (/dev/sda2, ext4): unmounted\n");
    assert_true(log_spy_contains("/h: unmounting it hangs. Going on without it"));
}

static void gives_what_was_slow_another_time(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .hangs = 1});
    killed_end = true;
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /data;umount /data;kill it;sync /;read-only /;"
                               "sync /data;umount /data;sync /;read-only /;");
    assert_non_null(strstr(notes.lines, "- /data (/dev/sda2, ext4): unmounted\n"));
    assert_string_equal(log_spy_last_any(), "Nothing hangs any more");
    /* once */
    HAVE(ROOT, {DATA, .hangs = FOREVER});
    killed_end = true;
    shutdown_unmount(&self);
    assert_int_equal(children, 4);
    assert_false(log_spy_contains("any more"));
}

/* What the device doesn't answer for one mount, it won't for another. */
static void tries_a_device_that_hangs_once(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .hangs = FOREVER},
         {.line = "10 8:2 /x /bind rw - ext4 /dev/sda2 rw", .target = "/bind", .hangs = FOREVER});
    shutdown_unmount(&self);
    assert_string_equal(calls, "umount /bind;kill it;sync /;read-only /;wait for it;");
    assert_string_equal(notes.lines, "- /bind: hangs, not clean\n");
}

static void swapping_may_hang(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA});
    swaps = "Filename\n/data/swap file 1 0 -2\n";
    swap_hangs = true;
    shutdown_unmount(&self);
    assert_string_equal(calls,
                        "swapoff /data/swap;kill it;sync /data;umount /data;sync /;read-only /;"
                        "wait for it;");
    assert_non_null(strstr(notes.lines, "- swap: hangs, not clean\n"));
}

static void hangs_no_more_often_than_it_can_note(void **state)
{
    (void)state;
    struct made_up many[SHUTDOWN_MAX_HUNG + 5];
    char lines[SHUTDOWN_MAX_HUNG + 5][64];
    const size_t count = sizeof many / sizeof many[0];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(lines[i], sizeof lines[i], "10 0:%d / /h rw - fuse x rw", (int)i + 9);
        many[i] = (struct made_up){.line = lines[i], .target = "/h", .hangs = FOREVER};
    }
    have(count, many);
    shutdown_unmount(&self);
    assert_int_equal(children, SHUTDOWN_MAX_HUNG + 1);
    assert_int_equal(notes.hung_count, SHUTDOWN_MAX_HUNG);
}

static void hangs_no_longer_than_the_budget(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA, .hangs = FOREVER});
    self.deadline_ms = time_ms() + 150;
    shutdown_unmount(&self);
    assert_int_equal(children, 1);
    assert_null(strstr(calls, "sync /;read-only /;"));
}

/* PID 1 calls nothing that may block: this sync(2) would be its own. */
static void needs_no_process(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA});
    options.shutdown_report = (struct word){"/data/report.md", {"f", 1, 1}};
    start_error = -EAGAIN;
    shutdown_unmount_others(&self);
    assert_string_equal(calls, "");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    shutdown_unmount(&self);
    assert_string_equal(calls, "force all;");
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    assert_true(log_spy_contains("Can't unmount: Resource temporarily"));
    /* a kernel without sysrq: nothing is left */
    force_error = -ENOENT;
    shutdown_unmount(&self);
    assert_string_equal(calls, "force all;force all;");
    assert_string_equal(log_spy_last(),
                        "Not all is read-only: No such file or directory. It may need a repair");
}

static void needs_no_table(void **state)
{
    (void)state;
    HAVE(ROOT, {DATA});
    load_error = -ENOMEM;
    shutdown_unmount(&self);
    assert_int_equal(called, 0);
    assert_string_equal(calls, "force all;");
    assert_int_equal(children, 1);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    assert_true(log_spy_contains("Can't unmount: Cannot allocate memory"));
    assert_string_equal(notes.lines, "");
    /* written back at least, in a child */
    force_error = -ENOENT;
    shutdown_unmount(&self);
    assert_int_equal(called, 1);
    assert_string_equal(calls, "force all;force all;sync all;");
}

static void stops_swap_files(void **state)
{
    (void)state;
    HAVE(ROOT);
    swaps = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
            "/dev/sda7                               partition\t1000\t\t0\t\t-2\n"
            "/data/swap                              file\t\t1000\t\t0\t\t-3\n"
            "/data/file file 1 0 -4\n";
    shutdown_unmount(&self);
    assert_string_equal(calls, "swapoff /data/swap;swapoff /data/file;sync /;read-only /;");
    HAVE(ROOT);
    swaps = "Filename\n/s file";
    swap_error = ENOMEM;
    shutdown_unmount(&self);
    assert_true(log_spy_contains("/s: can't stop swapping to it: Cannot allocate memory"));
    HAVE(ROOT);
    swaps = "Filename";
    shutdown_unmount(&self);
    assert_string_equal(calls, "sync /;read-only /;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first_root_last),
        cmocka_unit_test(leaves_what_holds_nothing),
        cmocka_unit_test(frees_disks),
        cmocka_unit_test(root_read_only_from_the_start),
        cmocka_unit_test(comes_back_while_something_changes),
        cmocka_unit_test(busy_becomes_read_only),
        cmocka_unit_test(or_is_frozen),
        cmocka_unit_test(or_is_named),
        cmocka_unit_test(makes_each_file_system_safe_once),
        cmocka_unit_test(ends_each_file_system_once),
        cmocka_unit_test(says_what_was_not_written),
        cmocka_unit_test(lets_go_of_what_has_no_disk),
        cmocka_unit_test(keeps_what_holds_the_report),
        cmocka_unit_test(notes_what_is_left),
        cmocka_unit_test(finds_the_report_through_links),
        cmocka_unit_test(goes_round_what_hangs),
        cmocka_unit_test(gives_what_was_slow_another_time),
        cmocka_unit_test(tries_a_device_that_hangs_once),
        cmocka_unit_test(swapping_may_hang),
        cmocka_unit_test(hangs_no_more_often_than_it_can_note),
        cmocka_unit_test(hangs_no_longer_than_the_budget),
        cmocka_unit_test(needs_no_process),
        cmocka_unit_test(needs_no_table),
        cmocka_unit_test(stops_swap_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
