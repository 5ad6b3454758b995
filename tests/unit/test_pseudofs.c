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
void __wrap_log_open(void);

static char calls[1024];
static const char *mounted, *busy, *missing; /* places */

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
    if (missing && strcmp(target, missing) == 0) {
        errno = flags & MS_REMOUNT ? EINVAL : ENOENT;
        return -1;
    }
    return 0;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    errno = EROFS;
    return -1;
}

int __wrap_stat(const char *path, struct stat *status)
{
    *status = (struct stat){.st_dev = 1};
    if (mounted && strcmp(path, mounted) == 0)
        status->st_dev = 2;
    return 0;
}

void __wrap_log_open(void)
{
    (void)strcat(calls, "log\n");
}

static enum step_result run(enum step_result (*step)(struct boot *boot))
{
    struct boot boot = {.options = NULL};

    calls[0] = '\0';
    log_spy_reset();
    return step(&boot);
}

static int setup(void **state)
{
    (void)state;
    mounted = busy = missing = NULL;
    return 0;
}

static void mounts_what_nobody_has(void **state)
{
    (void)state;
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_string_equal(calls, "/proc proc nosuid nodev noexec -\n"
                               "/sys sysfs nosuid nodev noexec -\n"
                               "/dev devtmpfs nosuid noexec size=1024k\n"
                               "re/dev - nosuid noexec size=1024k\n"
                               "log\n"
                               "/dev/pts devpts nosuid noexec gid=5,mode=620\n"
                               "/dev/shm tmpfs nosuid nodev mode=1777\n");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void adjusts_what_is_mounted(void **state)
{
    (void)state;
    mounted = "/dev";
    busy = "/proc";
    assert_int_equal(run(boot_pseudofs), STEP_DONE);
    assert_null(strstr(calls, "devtmpfs"));
    assert_non_null(strstr(calls, "re/dev - nosuid noexec size=1024k\n"));
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mounts_what_nobody_has, setup),
        cmocka_unit_test_setup(adjusts_what_is_mounted, setup),
        cmocka_unit_test_setup(warns_and_goes_on, setup),
        cmocka_unit_test_setup(warns_of_a_busy_place, setup),
        cmocka_unit_test_setup(makes_scratch_space, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
