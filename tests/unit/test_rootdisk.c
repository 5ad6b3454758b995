/* SPDX-License-Identifier: MIT */
/* Which disk holds the root, on made-up machines: a directory with the parts of sysfs that count.
 */
#include "../../src/boot/blockdev.h"
#include "../../src/boot/rootdisk.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char root[64];

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0755);
}

static void add_directory(const char *path)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    make_directories(full);
}

static void add_file(const char *directory, const char *name, const char *content)
{
    char full[512];
    add_directory(directory);
    (void)snprintf(full, sizeof full, "%s/%s/%s", root, directory, name);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
}

static void add_link(const char *directory, const char *name, const char *target)
{
    char full[512];
    add_directory(directory);
    (void)snprintf(full, sizeof full, "%s/%s/%s", root, directory, name);
    assert_int_equal(symlink(target, full), 0);
}

/* A block device: where it is below /sys/devices, its last part being its name. */
static void add_device(const char *where, const char *number, const char *partition)
{
    char directory[256], link[256], line[32];
    const char *name = strrchr(where, '/') + 1;

    (void)snprintf(directory, sizeof directory, "sys/devices/%s", where);
    (void)snprintf(line, sizeof line, "%s\n", number);
    add_file(directory, "dev", line);
    if (partition)
        add_file(directory, "partition", partition);
    (void)snprintf(link, sizeof link, "../../devices/%s", where);
    add_link("sys/class/block", name, link);
    add_link("sys/dev/block", number, link);
}

static void add_mounts(const char *content)
{
    add_file("proc/self", "mountinfo", content);
}

static int setup(void **state)
{
    (void)state;
    (void)strcpy(root, "/tmp/test_rootdisk.XXXXXX");
    assert_non_null(mkdtemp(root));
    add_directory("dev");
    add_directory("sys/class/block");
    add_directory("sys/dev/block");
    add_device("pci0/virtio1/block/vda", "254:0", NULL);
    add_device("pci0/virtio1/block/vda/vda1", "254:1", "1\n");
    add_device("pci0/virtio1/block/vda/vda2", "254:2", "2\n");
    add_directory("sys/devices/pci0/virtio1/block/vda/queue");
    add_mounts("");
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void check(dev_t device, const char *disk, const char *partition)
{
    const char *found_disk = NULL, *found_partition = NULL;

    assert_int_equal(blockdev_find_partition(root, device, &found_disk, &found_partition), 0);
    assert_string_equal(found_disk, disk);
    assert_string_equal(found_partition, partition);
}

static void check_none(dev_t device)
{
    const char *disk = "untouched", *partition = "untouched";

    assert_int_equal(blockdev_find_partition(root, device, &disk, &partition), -ENOENT);
    assert_string_equal(disk, "untouched");
    assert_string_equal(partition, "untouched");
}

static void check_link(const char *name, const char *target)
{
    char path[128], found[128];

    (void)snprintf(path, sizeof path, "%s/dev/%s", root, name);
    ssize_t length = readlink(path, found, sizeof found - 1);
    if (!target) {
        assert_int_equal(length, -1);
        return;
    }
    assert_true(length > 0);
    found[length] = '\0';
    assert_string_equal(found, target);
}

static void finds_a_plain_partition(void **state)
{
    (void)state;
    check(makedev(254, 2), "vda", "vda2");
    check_none(makedev(254, 0)); /* a whole disk */
    check_none(makedev(8, 1));   /* not there */
    check_none(makedev(0, 5));   /* anonymous, and mounted nowhere */
}

static void looks_through_overlays(void **state)
{
    (void)state;
    add_mounts("21 1 254:2 / /ro\\040root rw - squashfs /dev/vda2 ro\n"
               "22 1 254:1 / /ro\\040root/boot rw - vfat /dev/vda1 ro\n"
               "20 1 0:30 / / rw,relatime shared:1 master:2 - overlay overlay "
               "rw,lowerdir=/over\\134:it:/ro\\040root,upperdir=/up,workdir=/work\n"
               "23 20 0:31 / /over:it rw - tmpfs tmpfs rw\n");
    check(makedev(0, 30), "vda", "vda2");
}

static void takes_the_uppermost_mount(void **state)
{
    (void)state;
    add_mounts(
        "21 1 254:1 / /lower rw - ext4 /dev/vda1 rw\n"
        "24 21 254:2 / /lower rw - ext4 /dev/vda2 rw\n"
        "20 1 0:30 / / rw - overlay overlay rw,lowerdir=/lower/root,upperdir=/u,workdir=/w\n");
    check(makedev(0, 30), "vda", "vda2");
}

static void looks_through_an_overlay_that_was_moved(void **state)
{
    (void)state;
    add_mounts("20 1 0:30 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/u,workdir=/w\n"
               "21 20 0:31 / /dev rw - devtmpfs devtmpfs rw\n"
               "22 20 254:2 / /media/lower ro - squashfs /dev/vda2 ro\n");
    check(makedev(0, 30), "vda", "vda2");
}

static void looks_through_loops(void **state)
{
    (void)state;
    add_device("virtual/block/loop0", "7:0", NULL);
    add_file("sys/devices/virtual/block/loop0/loop", "backing_file", "/data/root.img\n");
    add_mounts("20 1 7:0 / / ro - squashfs /dev/loop0 ro\n"
               "21 20 254:1 / /data rw - ext4 /dev/vda1 rw\n");
    check(makedev(7, 0), "vda", "vda1");
}

static void looks_through_device_mapper(void **state)
{
    (void)state;
    add_device("virtual/block/dm-1", "253:1", NULL);
    add_device("virtual/block/dm-0", "253:0", NULL);
    add_link("sys/devices/virtual/block/dm-1/slaves", "dm-0", "../../dm-0");
    add_link("sys/devices/virtual/block/dm-0/slaves", "vda2", "../../../pci0");
    check(makedev(253, 1), "vda", "vda2");
}

static void looks_through_all_of_them(void **state)
{
    (void)state;
    add_device("virtual/block/loop3", "7:3", NULL);
    add_file("sys/devices/virtual/block/loop3/loop", "backing_file", "/media/a b/root.img\n");
    add_device("virtual/block/dm-0", "253:0", NULL);
    add_link("sys/devices/virtual/block/dm-0/slaves", "loop3", "../../loop3");
    add_mounts("20 1 0:30 / / rw - overlay o rw,lowerdir=/ro,upperdir=/u,workdir=/w\n"
               "21 20 253:0 / /ro rw - squashfs /dev/dm-0 ro\n"
               "22 20 0:40 / /media/a\\040b rw - btrfs /dev/vda1 rw\n");
    check(makedev(0, 30), "vda", "vda1");
}

static void takes_the_source_of_anonymous_ones(void **state)
{
    (void)state;
    add_mounts("20 1 0:30 / / rw - btrfs /dev/vda2 rw,space_cache\n"
               "21 20 0:31 / /x rw - tmpfs tmpfs rw\n"
               "22 20 0:32 / /y rw - btrfs /dev/gone rw\n");
    check(makedev(0, 30), "vda", "vda2");
    check_none(makedev(0, 31));
    check_none(makedev(0, 32));
}

static void ends_in_a_circle(void **state)
{
    (void)state;
    add_device("virtual/block/loop0", "7:0", NULL);
    add_file("sys/devices/virtual/block/loop0/loop", "backing_file", "/root.img\n");
    add_mounts("20 1 7:0 / / ro - squashfs /dev/loop0 ro\n");
    check_none(makedev(7, 0));
    add_mounts("20 1 0:30 / / rw - overlay o rw,lowerdir=/ro,upperdir=/u,workdir=/w\n");
    check_none(makedev(0, 30));
}

static void links_disk_and_partitions(void **state)
{
    (void)state;
    assert_int_equal(rootdisk_link(root, "vda"), 0);
    check_link("rootdisk0", "/dev/vda");
    check_link("rootdisk0p1", "/dev/vda1");
    check_link("rootdisk0p2", "/dev/vda2");
    check_link("rootdisk0p3", NULL);
    assert_int_equal(rootdisk_link(root, "vda"), -EEXIST);
}

static void links_names_with_slashes(void **state)
{
    (void)state;
    add_device("pci1/block/cciss!c0d0", "104:0", NULL);
    add_device("pci1/block/cciss!c0d0/cciss!c0d0p15", "104:15", "15\n");
    check(makedev(104, 15), "cciss!c0d0", "cciss!c0d0p15");
    assert_int_equal(rootdisk_link(root, "cciss!c0d0"), 0);
    check_link("rootdisk0", "/dev/cciss/c0d0");
    check_link("rootdisk0p15", "/dev/cciss/c0d0p15");
}

static void links_only_where_nothing_is(void **state)
{
    (void)state;
    add_link("dev", "rootdisk0", "/dev/other");
    assert_int_equal(rootdisk_link(root, "vda"), -EEXIST);
    check_link("rootdisk0", "/dev/other");
    check_link("rootdisk0p1", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_a_plain_partition, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_through_overlays, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_the_uppermost_mount, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_through_an_overlay_that_was_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_through_loops, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_through_device_mapper, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_through_all_of_them, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_the_source_of_anonymous_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_in_a_circle, setup, teardown),
        cmocka_unit_test_setup_teardown(links_disk_and_partitions, setup, teardown),
        cmocka_unit_test_setup_teardown(links_names_with_slashes, setup, teardown),
        cmocka_unit_test_setup_teardown(links_only_where_nothing_is, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
