/* SPDX-License-Identifier: MIT */
/* Which mount has to wait for which, and the id command for it. */
/* wrap: stat readlink */
#include "../../src/boot/mounts.h"
#include "erlinit/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int __wrap_stat(const char *path, struct stat *status);
ssize_t __wrap_readlink(const char *path, char *buffer, size_t size);

/* Devices 8:1 and 8:2, each with two names; all else is no device. */
int __wrap_stat(const char *path, struct stat *status)
{
    memset(status, 0, sizeof *status);
    if (strcmp(path, "/dev/sda1") == 0 || strcmp(path, "/dev/rootdisk0p1") == 0)
        status->st_rdev = makedev(8, 1);
    else if (strcmp(path, "/dev/sda2") == 0 || strcmp(path, "/dev/rootdisk0p2") == 0)
        status->st_rdev = makedev(8, 2);
    else if (strcmp(path, "/a file") != 0)
        return -1;
    return 0;
}

/* There are two links. */
ssize_t __wrap_readlink(const char *path, char *buffer, size_t size)
{
    if (strcmp(path, "/link") == 0 || strcmp(path, "/way/link") == 0) {
        buffer[0] = '/';
        return size > 0 ? 1 : 0;
    }
    errno = strstr(path, "missing") ? ENOENT : EINVAL;
    return -1;
}

static struct mount_spec parsed(const char *text)
{
    struct mount_spec spec;
    const char *problem, *unknown;

    assert_int_equal(mount_parse(text, &spec, &problem, &unknown), 0);
    return spec;
}

static bool waits(const char *text, const char *earlier)
{
    struct mount_spec one = parsed(text), other = parsed(earlier);

    return mount_waits_for(&one, &other);
}

#define DATA "/dev/sda1:/data:ext4::"

static void lets_the_independent_go(void **state)
{
    static const char *const independent[] = {
        "/dev/sda2:/other:ext4:nodev:",
        "/dev/sda2:/database:ext4::",
        "/dev/sda2:/dat:ext4::",
        "/dev/sda2:/missing/data:ext4::",
        "/dev/rootdisk0p2:/boot:vfat:ro:umask=077",
        "/dev/unknown:/other:ext4::",
        "tmpfs:/t:tmpfs::size=10%",
        "server\\:/data:/net:nfs::addr=10.0.0.1",
        "overlay:/x:overlay::lowerdir=/lower,upperdir=/t/u,workdir=/t/w",
        "none:/t:none:remount,ro:",
        "/a file:/t:ext4::",
    };
    (void)state;
    for (size_t i = 0; i < sizeof independent / sizeof independent[0]; i++) {
        assert_false(waits(independent[i], DATA));
        assert_false(waits(DATA, independent[i]));
    }
    assert_false(waits("/a file:/t:ext4::", "/dev/missing:/u:ext4::"));
}

static void waits_for_places(void **state)
{
    static const char *const dependent[] = {
        "/dev/sda2:/data:ext4::",       /* the same */
        "/dev/sda2:/data/:ext4::",      /* written otherwise */
        "/dev/sda2:/data/in/it:ext4::", /* below */
        "/dev/sda2:/:ext4::",           /* above */
        "none:/data:none:remount,ro:",  /* changes it */
        "/data/image:/other:ext4::",    /* lies on it */
        "overlay:/x:overlay::lowerdir=/l,upperdir=/data/u,workdir=/data/w",
        "/dev/sda1:/other:ext4::",       /* the same device */
        "/dev/rootdisk0p1:/other:ext4::" /* by another name */
    };
    (void)state;
    for (size_t i = 0; i < sizeof dependent / sizeof dependent[0]; i++) {
        assert_true(waits(dependent[i], DATA));
        /* nor may it be overtaken while it waits itself */
        assert_true(waits(DATA, dependent[i]));
    }
    assert_true(waits("fuse:/x:fuse::", "fuse:/y:fuse::"));
}

static void waits_where_a_name_does_not_tell(void **state)
{
    static const char *const unclear[] = {
        "/dev/sda2:/link:ext4::",   "/dev/sda2:/way/link/x:ext4::", "/dev/sda2:/x/../data:ext4::",
        "/dev/sda2:/x/./y:ext4::",  "/dev/sda2:/x//y:ext4::",       "/dev/sda2:x/y:ext4::",
        "/dev/sda2:/../data:ext4::"};
    (void)state;
    for (size_t i = 0; i < sizeof unclear / sizeof unclear[0]; i++) {
        assert_true(waits(unclear[i], DATA));
        assert_true(waits(DATA, unclear[i]));
    }
}

/* They reach what other mounts have made by ways that no path tells. */
static void waits_for_all_before_it(void **state)
{
    (void)state;
    assert_true(waits("/x:/y:none:bind:", DATA));
    assert_true(waits("/x:/y:none:rbind,ro:", DATA));
    assert_true(waits("/x:/y:none:move:", DATA));
    assert_true(waits("none:/x:none:shared:", DATA));
    assert_true(waits("tmpfs:/x:tmpfs:private:", DATA));
    /* those behind them wait only if they touch */
    assert_false(waits(DATA, "/x:/y:none:bind:"));
    assert_true(waits("/dev/sda2:/y/z:ext4::", "/x:/y:none:bind:"));
    assert_true(waits("/dev/sda2:/x/z:ext4::", "/x:/y:none:bind:"));
    assert_true(waits("/dev/sda2:/x/z:ext4::", "/x/:/y:none:bind:"));
    assert_true(waits(DATA, "none:/:none:rshared:"));
}

static bool concerns(const char *text, const char *command)
{
    struct mount_spec spec = parsed(text);
    struct strings words = {0};

    assert_int_equal(command_split(command, &words), 0);
    return mount_concerns(&spec, &words);
}

static void knows_whom_a_mount_concerns(void **state)
{
    (void)state;
    assert_false(concerns(DATA, "boardid"));
    assert_false(concerns(DATA, "/usr/bin/boardid -b uboot_env -u serial_number -f /etc/id"));
    assert_false(concerns("/dev/sda1:/root:ext4::", "/usr/bin/boardid"));
    assert_true(concerns(DATA, "/data/boardid"));
    assert_true(concerns(DATA, "sh '/data/id script'"));
    assert_true(concerns(DATA, "cat /data"));
    assert_true(concerns(DATA, "boardid --file=/data/id"));
    assert_true(concerns("/dev/sda1:/data/:ext4::", "cat /data/id"));
    /* programs, what they need, and where they work */
    assert_true(concerns("/dev/sda1:/:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/usr/bin:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/usr/local:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/bin:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/sbin:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/lib64:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/etc:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/tmp:ext4::", "boardid"));
    assert_true(concerns("/dev/sda1:/run/x:ext4::", "boardid"));
    /* who knows */
    assert_true(concerns("/dev/sda1:/link/x:ext4::", "boardid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_the_independent_go),
        cmocka_unit_test(waits_for_places),
        cmocka_unit_test(waits_where_a_name_does_not_tell),
        cmocka_unit_test(waits_for_all_before_it),
        cmocka_unit_test(knows_whom_a_mount_concerns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
