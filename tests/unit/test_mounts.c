/* SPDX-License-Identifier: MIT */
/* --mount: which calls are made for which specification, and who makes them. */
/* wrap: mount child_begin child_progress directory_make_all boot_id_begin */
#include "../../src/boot/mounts.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/times.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
int __wrap_child_begin(struct child *child, int (*function)(void *argument), void *argument,
                       int64_t deadline_ms);
void __wrap_child_progress(void);
int __wrap_boot_id_begin(struct boot *boot);
int __wrap_directory_make_all(const char *path);

static char calls[1024]; /* what was mounted, a line each */
static char made[256];   /* directories */
static int children, mount_error, begin_error, late_result;
static int64_t child_limit_ms;

#define MOST_CHILDREN 64

/* Those that were begun; each "mounts" when it ends. */
static struct {
    struct child *child;
    int (*function)(void *argument);
    void *argument;
} begun[MOST_CHILDREN];
static int running, most_running, ids_begun, running_at_id;
static const char *last_of_all; /* a target: all others that run end before it */

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s %s %s %lx %s\n",
                   source ? source : "-", target, type ? type : "-", flags,
                   data ? (const char *)data : "-");
    errno = mount_error;
    return mount_error ? -1 : 0;
}

int __wrap_child_begin(struct child *child, int (*function)(void *argument), void *argument,
                       int64_t deadline_ms)
{
    if (begin_error)
        return -begin_error;
    *child = (struct child){.pid = 1000 + children, .deadline_ms = deadline_ms};
    begun[children].child = child;
    begun[children].function = function;
    begun[children++].argument = argument;
    child_limit_ms = deadline_ms - time_ms();
    if (++running > most_running)
        most_running = running;
    return 0;
}

/* The newest one ends first. */
void __wrap_child_progress(void)
{
    int next = -1;
    for (int i = 0; i < children; i++) {
        const struct mount_spec *spec = begun[i].argument;
        if (begun[i].child->pid != 0 &&
            (next < 0 || !last_of_all || strcmp(spec->target, last_of_all) != 0))
            next = i;
    }
    assert_int_not_equal(next, -1);
    struct child *child = begun[next].child;
    child->result = late_result;
    if (!late_result)
        child->status = begun[next].function(begun[next].argument) << 8;
    child->pid = 0;
    running--;
}

int __wrap_boot_id_begin(struct boot *boot)
{
    (void)boot;
    ids_begun++;
    running_at_id = running;
    return 0;
}

int __wrap_directory_make_all(const char *path)
{
    (void)strncat(made, path, sizeof made - strlen(made) - 2);
    (void)strcat(made, "\n");
    return 0;
}

static enum step_result run_with_id(const char *const specifications[], const char *id_command)
{
    struct word words[MOST_CHILDREN];
    size_t count = 0;

    for (; specifications[count]; count++)
        words[count] = (struct word){specifications[count], {"f", (unsigned int)count + 1, 1}};
    const struct options options = {.mounts = {.item = words, .count = count},
                                    .hostname_pattern = {.text = "x-%s"},
                                    .uniqueid_exec = {.text = id_command},
                                    .mount_timeout_ms = 60000};
    struct boot boot = {.options = &options};

    calls[0] = made[0] = '\0';
    children = running = most_running = ids_begun = 0;
    running_at_id = -1;
    log_spy_reset();
    enum step_result result = boot_mounts(&boot);
    assert_int_equal(running, 0);
    return result;
}

static enum step_result run_all(const char *const specifications[])
{
    return run_with_id(specifications, NULL);
}

static enum step_result run(const char *specification)
{
    return run_all((const char *const[]){specification, NULL});
}

static int setup(void **state)
{
    (void)state;
    mount_error = begin_error = late_result = 0;
    last_of_all = NULL;
    return 0;
}

static void does_nothing_unasked(void **state)
{
    (void)state;
    assert_int_equal(run(NULL), STEP_SKIPPED);
    assert_string_equal(calls, "");
}

static void mounts_memory_itself(void **state)
{
    (void)state;
    assert_int_equal(run("tmpfs:/a/b:tmpfs:nodev,noexec:mode=755,size=1024k"), STEP_DONE);
    assert_string_equal(calls, "tmpfs /a/b tmpfs c mode=755,size=1024k\n");
    assert_string_equal(made, "/a/b\n");
    assert_int_equal(children, 0);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void mounts_disks_in_a_child(void **state)
{
    (void)state;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev:"), STEP_DONE);
    assert_string_equal(calls, "/dev/vda3 /root ext4 4 -\n");
    assert_int_equal(children, 1);
    assert_in_range(child_limit_ms, 59000, 60000);
}

static void binds_in_two_calls(void **state)
{
    char expected[128];

    (void)state;
    assert_int_equal(run("/etc:/x::bind,ro:"), STEP_DONE);
    (void)snprintf(expected, sizeof expected, "/etc /x  %lx -\n- /x - %lx -\n",
                   (unsigned long)(MS_BIND | MS_RDONLY),
                   (unsigned long)(MS_BIND | MS_RDONLY | MS_REMOUNT));
    assert_string_equal(calls, expected);
    assert_int_equal(children, 0);
    assert_int_equal(run("/etc:/x::rbind:"), STEP_DONE);
    assert_null(strstr(calls, "- /x"));
}

static void binds_files_over_files(void **state)
{
    char directory[] = "/tmp/test_mounts.XXXXXX", specification[128], target[64];
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(target, sizeof target, "%s/file", directory);
    (void)snprintf(specification, sizeof specification, "/etc/passwd:%s::bind:", target);
    assert_int_equal(run(specification), STEP_DONE);
    assert_int_equal(stat(target, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_non_null(strstr(made, directory));
    assert_null(strstr(made, "file"));
    (void)unlink(target);
    (void)rmdir(directory);
}

static void changes_propagation_in_a_second_call(void **state)
{
    char expected[128];

    (void)state;
    assert_int_equal(run("tmpfs:/x:tmpfs:private:"), STEP_DONE);
    (void)snprintf(expected, sizeof expected, "tmpfs /x tmpfs 0 -\n- /x - %lx -\n",
                   (unsigned long)MS_PRIVATE);
    assert_string_equal(calls, expected);
    assert_int_equal(run("none:/x:none:shared:"), STEP_DONE);
    (void)snprintf(expected, sizeof expected, "- /x - %lx -\n", (unsigned long)MS_SHARED);
    assert_string_equal(calls, expected);
}

static void tells_what_failed_and_where(void **state)
{
    (void)state;
    mount_error = EINVAL;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev:"), STEP_WARNED);
    assert_true(log_spy_contains("/dev/vda3 on /root as ext4"));
    assert_true(log_spy_contains("Invalid argument"));
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    late_result = -ETIMEDOUT;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev:"), STEP_WARNED);
    assert_true(log_spy_contains("timed out"));
    begin_error = EAGAIN;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev:"), STEP_WARNED);
    assert_true(log_spy_contains("Resource temporarily unavailable"));
}

static void tells_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev"), STEP_WARNED);
    assert_string_equal(calls, "");
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_int_equal(run("tmpfs:/x:tmpfs:nodev,nosense:"), STEP_WARNED);
    assert_string_equal(calls, "tmpfs /x tmpfs 4 -\n");
    assert_true(log_spy_contains("nosense"));
}

/* ---- side by side ---- */

static void mounts_side_by_side(void **state)
{
    (void)state;
    static const char *const three[] = {
        "/dev/vda3:/one:ext4::", "/dev/vda4:/two:ext4::", "/dev/vda5:/three:ext4::", NULL};
    assert_int_equal(run_all(three), STEP_DONE);
    assert_int_equal(most_running, 3);
    /* whoever ends first */
    assert_string_equal(calls, "/dev/vda5 /three ext4 0 -\n/dev/vda4 /two ext4 0 -\n"
                               "/dev/vda3 /one ext4 0 -\n");
}

static void keeps_the_order_of_what_depends(void **state)
{
    (void)state;
    static const char *const specifications[] = {"/dev/vda3:/data:ext4::",
                                                 "/dev/vda4:/other:ext4::",
                                                 "tmpfs:/memory:tmpfs::",
                                                 "/dev/vda5:/data/in/it:ext4::",
                                                 "overlay:/x:overlay::lowerdir=/data/in/it/lower",
                                                 NULL};
    last_of_all = "/other";
    assert_int_equal(run_all(specifications), STEP_DONE);
    assert_int_equal(most_running, 2);
    assert_string_equal(calls, "tmpfs /memory tmpfs 0 -\n/dev/vda3 /data ext4 0 -\n"
                               "/dev/vda5 /data/in/it ext4 0 -\n"
                               "overlay /x overlay 0 lowerdir=/data/in/it/lower\n"
                               "/dev/vda4 /other ext4 0 -\n");
    /* nothing is made in a place that is not there yet */
    assert_string_equal(made, "/data\n/other\n/memory\n/data/in/it\n/x\n");
}

static void runs_a_few_at_a_time(void **state)
{
    (void)state;
    static char texts[20][64];
    const char *specifications[21] = {NULL};

    for (int i = 0; i < 20; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "/dev/vda%d:/at/%d:ext4::", i, i);
        specifications[i] = texts[i];
    }
    assert_int_equal(run_all(specifications), STEP_DONE);
    assert_int_equal(children, 20);
    assert_int_equal(most_running, 8);
}

static void tells_in_the_order_given(void **state)
{
    (void)state;
    static const char *const specifications[] = {"/dev/vda3:/one:ext4::", "too:few:fields",
                                                 "/dev/vda4:/two:ext4:nosense:", NULL};
    late_result = -EIO;
    assert_int_equal(run_all(specifications), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 4);
    assert_true(log_spy_contains("/dev/vda3 on /one"));
    assert_true(log_spy_contains("too:few:fields"));
    assert_true(log_spy_contains("nosense"));
    assert_non_null(strstr(log_spy_last(), "/dev/vda4 on /two"));
}

static void runs_the_id_command_meanwhile(void **state)
{
    (void)state;
    static const char *const slow[] = {"/dev/vda3:/data:ext4::", "tmpfs:/m:tmpfs::", NULL};
    static const char *const quick[] = {"tmpfs:/data:tmpfs::", NULL};
    static const char *const system[] = {"/dev/vda3:/usr/share:ext4::", NULL};

    assert_int_equal(run_with_id(slow, "/usr/bin/boardid -b rpi"), STEP_DONE);
    assert_int_equal(ids_begun, 1);
    assert_int_equal(running_at_id, 1);
    assert_int_equal(run_with_id(slow, NULL), STEP_DONE);
    assert_int_equal(ids_begun, 0);
    /* nobody waits */
    assert_int_equal(run_with_id(quick, "boardid"), STEP_DONE);
    assert_int_equal(ids_begun, 0);
    /* it may need it */
    assert_int_equal(run_with_id(slow, "boardid -f /data/id"), STEP_DONE);
    assert_int_equal(ids_begun, 0);
    assert_int_equal(run_with_id(system, "boardid"), STEP_DONE);
    assert_int_equal(ids_begun, 0);
    /* what is mounted by then is no matter */
    static const char *const after[] = {"/dev/vda3:/slow:ext4::", "tmpfs:/m:tmpfs::", NULL};
    assert_int_equal(run_with_id(after, "/m/boardid"), STEP_DONE);
    assert_int_equal(ids_begun, 1);
    assert_int_equal(run_with_id(slow, "an 'open quote"), STEP_DONE);
    assert_int_equal(ids_begun, 0);
}

static bool can_block(const char *type, unsigned long flags)
{
    static const char filesystems[] = "nodev\tsysfs\nnodev\ttmpfs\n\text4\nnodev\tnfs\n\tvfat";
    const struct mount_spec spec = {
        .source = "", .target = "/x", .type = type, .data = "", .flags = flags};

    return mount_spec_can_block(&spec, filesystems);
}

static void knows_who_can_wait(void **state)
{
    (void)state;
    assert_false(can_block("tmpfs", 0));
    assert_false(can_block("sysfs", 0));
    assert_false(can_block("ext4", MS_BIND));
    assert_true(can_block("ext4", 0));
    assert_true(can_block("vfat", 0));
    assert_true(can_block("nfs", 0));
    assert_true(can_block("tmp", 0));
    assert_true(can_block("tmpfss", 0));
    assert_true(can_block("", MS_REMOUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(does_nothing_unasked, setup),
        cmocka_unit_test_setup(mounts_memory_itself, setup),
        cmocka_unit_test_setup(mounts_disks_in_a_child, setup),
        cmocka_unit_test_setup(binds_in_two_calls, setup),
        cmocka_unit_test_setup(binds_files_over_files, setup),
        cmocka_unit_test_setup(changes_propagation_in_a_second_call, setup),
        cmocka_unit_test_setup(tells_what_failed_and_where, setup),
        cmocka_unit_test_setup(tells_what_is_wrong, setup),
        cmocka_unit_test_setup(mounts_side_by_side, setup),
        cmocka_unit_test_setup(keeps_the_order_of_what_depends, setup),
        cmocka_unit_test_setup(runs_a_few_at_a_time, setup),
        cmocka_unit_test_setup(tells_in_the_order_given, setup),
        cmocka_unit_test_setup(runs_the_id_command_meanwhile, setup),
        cmocka_unit_test_setup(knows_who_can_wait, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
