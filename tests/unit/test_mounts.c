/* SPDX-License-Identifier: MIT */
/* --mount: which calls are made for which specification, and who makes them. */
/* wrap: mount child_call directory_make_all */
#include "../../src/boot/mounts.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
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
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
int __wrap_directory_make_all(const char *path);

static char calls[1024]; /* what was mounted, a line each */
static char made[256];   /* directories */
static int children, mount_error, child_result;
static int64_t child_limit_ms;

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

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    children++;
    child_limit_ms = limit_ms;
    if (child_result)
        return child_result;
    return -function(argument);
}

int __wrap_directory_make_all(const char *path)
{
    (void)strncat(made, path, sizeof made - strlen(made) - 2);
    (void)strcat(made, "\n");
    return 0;
}

static enum step_result run(const char *specification)
{
    struct word word = {specification, {"f", 3, 1}};
    const struct options options = {.mounts = {.item = &word, .count = specification ? 1 : 0},
                                    .mount_timeout_ms = 60000};
    struct boot boot = {.options = &options};

    calls[0] = made[0] = '\0';
    children = 0;
    log_spy_reset();
    return boot_mounts(&boot);
}

static int setup(void **state)
{
    (void)state;
    mount_error = child_result = 0;
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
    assert_int_equal(child_limit_ms, 60000);
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
    child_result = -ETIMEDOUT;
    assert_int_equal(run("/dev/vda3:/root:ext4:nodev:"), STEP_WARNED);
    assert_true(log_spy_contains("timed out"));
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
        cmocka_unit_test_setup(knows_who_can_wait, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
