/* SPDX-License-Identifier: MIT */
/* The kernel's file systems: mounted, or left where they are and given our flags. */
/* wrap: mount mkdir stat log_open */
#include "erlinit/boot.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_stat(const char *path, struct stat *status);
bool __wrap_log_open(void);

static char calls[1024];
static const char *mounted, *busy, *missing, *absent; /* places */
static bool no_devices, no_root; /* nothing at /dev, nothing can be asked of / */
static int stats;
static dev_t root_now;

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data)
{
    size_t length = strlen(calls);

    (void)source;
    (void)snprintf(calls + length, sizeof calls - length, "%s%s %s%s%s%s %s\n",
                   flags & MS_REMOUNT ? "re" : "", target, type ? type : "-",
                   flags & MS_NOSUID ? " nosuid" : "", flags & MS_NODEV ? " nodev" : "",
                   flags & MS_NOEXEC ? " noexec" : "", data ? (const char *)data : "-");
    if (busy && strcmp(target, busy) == 0 && !(flags & MS_REMOUNT)) {
        errno = EBUSY;
        return -1;
    }
    if (flags & MS_REMOUNT && strcmp(target, "/dev") == 0 && no_devices) {
        errno = EINVAL;
        no_devices = false; /* the next call mounts it */
        return -1;
    }
    if (missing && strcmp(target, missing) == 0) {
        errno = flags & MS_REMOUNT ? EINVAL : ENOENT;
        return -1;
    }
    if (absent && strcmp(target, absent) == 0) {
        errno = ENOENT;
        return -1;
    }
    return 0;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    static const char in_devices[] = "/dev/";

    if (absent && strcmp(path, absent) == 0) {
        (void)snprintf(calls + strlen(calls), sizeof calls - strlen(calls), "make %s %o\n", path,
                       (unsigned)mode);
        absent = NULL;
        return 0;
    }
    errno = mounted && strcmp(path, mounted) == 0 ? EEXIST : EROFS;
    return strncmp(path, in_devices, strlen(in_devices)) == 0 && errno == EROFS ? 0 : -1;
}

int __wrap_stat(const char *path, struct stat *status)
{
    stats++;
    if (no_root && strcmp(path, "/") == 0)
        return -1;
    *status = (struct stat){.st_dev = 1};
    if (mounted && strcmp(path, mounted) == 0)
        status->st_dev = 2;
    return 0;
}

bool __wrap_log_open(void)
{
    (void)strcat(calls, "log\n");
    return true;
}

static enum step_result run(enum step_result (*step)(struct boot *boot))
{
    struct boot boot = {.options = NULL, .root_now = root_now};

    calls[0] = '\0';
    stats = 0;
    log_spy_reset();
    return step(&boot);
}

static int setup(void **state)
{
    (void)state;
    mounted = busy = missing = absent = NULL;
    no_devices = no_root = false;
    root_now = 0;
    return 0;
}

static void mounts_what_nobody_has(void **state)
{
    (void)state;
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_string_equal(calls, "/proc proc nosuid nodev noexec -\n"
                               "/sys sysfs nosuid nodev noexec -\n"
                               "re/dev - nosuid noexec size=1024k\n"
                               "/dev/pts devpts nosuid noexec gid=5,mode=620\n"
                               "/dev/shm tmpfs nosuid nodev mode=1777\n");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    /* a system call that looks for a path costs more than most of what it finds out */
    assert_int_equal(stats, 3);
    root_now = 1;
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_int_equal(stats, 2);
    root_now = 5;
    assert_int_equal(run(boot_scratch), STEP_DONE);
    assert_string_equal(calls, "re/tmp - nosuid nodev noexec mode=1777,size=10%\n"
                               "re/run - nosuid nodev noexec mode=0755,size=5%\n");
}

static void mounts_devices_that_are_not_there(void **state)
{
    (void)state;
    no_devices = true;
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_non_null(strstr(calls, "re/dev - nosuid noexec size=1024k\n"
                                  "/dev devtmpfs nosuid noexec size=1024k\n"
                                  "re/dev - nosuid noexec size=1024k\n"
                                  "log\n"
                                  "/dev/pts"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void makes_missing_directories(void **state)
{
    (void)state;
    absent = "/sys";
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_non_null(strstr(calls, "make /sys 555\n/sys sysfs nosuid nodev noexec -\n"));
    absent = "/tmp";
    assert_int_equal(run(boot_scratch), STEP_DONE);
    assert_non_null(strstr(calls, "make /tmp 1777\n/tmp tmpfs"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void adjusts_what_is_mounted(void **state)
{
    (void)state;
    static const char *const places[] = {"/proc", "/sys", "/dev/pts", "/dev/shm"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char mount[64], remount[64];
        (void)snprintf(mount, sizeof mount, "\n%s ", places[i]);
        (void)snprintf(remount, sizeof remount, "re%s ", places[i]);
        mounted = places[i];
        assert_int_equal(run(boot_pseudofs), STEP_DONE);
        assert_null(strstr(calls, mount));
        assert_non_null(strstr(calls, remount));
        assert_int_equal(log_spy_count(LOG_WARNING), 0);
    }
    mounted = NULL;
    busy = "/proc";
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_non_null(strstr(calls, "re/proc - nosuid nodev noexec -\n"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void warns_and_goes_on(void **state)
{
    (void)state;
    missing = "/sys";
    assert_int_equal(run(boot_pseudofs), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(log_spy_contains("/sys"));
    assert_non_null(strstr(calls, "/dev/shm"));
    missing = "/dev/shm";
    assert_int_equal(run(boot_pseudofs), STEP_WARNED);
}

/* busy, and yet nothing is there that could be mounted anew */
static void warns_of_a_busy_place(void **state)
{
    (void)state;
    busy = missing = "/sys";
    assert_int_equal(run(boot_pseudofs), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(log_spy_contains("/sys"));
}

static void makes_scratch_space(void **state)
{
    (void)state;
    assert_int_equal(run(boot_scratch), STEP_DONE);
    assert_string_equal(calls, "/tmp tmpfs nosuid nodev noexec mode=1777,size=10%\n"
                               "/run tmpfs nosuid nodev noexec mode=0755,size=5%\n");
    mounted = "/run";
    assert_int_equal(run(boot_scratch), STEP_DONE);
    assert_non_null(strstr(calls, "re/run"));
    no_root = true;
    assert_int_equal(run(boot_scratch), STEP_DONE);
    assert_null(strstr(calls, "re/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mounts_what_nobody_has, setup),
        cmocka_unit_test_setup(mounts_devices_that_are_not_there, setup),
        cmocka_unit_test_setup(makes_missing_directories, setup),
        cmocka_unit_test_setup(adjusts_what_is_mounted, setup),
        cmocka_unit_test_setup(warns_and_goes_on, setup),
        cmocka_unit_test_setup(warns_of_a_busy_place, setup),
        cmocka_unit_test_setup(makes_scratch_space, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
