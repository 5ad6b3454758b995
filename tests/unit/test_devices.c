/* SPDX-License-Identifier: MIT */
/* Letting go of loop and device-mapper devices, on a made-up /sys/block. */
/* wrap: directory_list path_exists file_read_line open close ioctl */
#include "erlinit/files.h"
#include "erlinit/shutdown.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names);
bool __wrap_path_exists(const char *path);
ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);

#define FIRST_FD 500

struct device {
    const char *name;
    const char *opened; /* /dev/loop0 or /dev/mapper/control */
    bool backed;        /* loop: has a file */
    bool busy;
    const char *mapping;
};

static struct device *devices;
static size_t device_count, opened;
static char calls[512];
static int list_error, open_error;

static void note(const char *what, const char *who)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s %s;", what, who);
}

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names)
{
    assert_string_equal(path, "/sys/block");
    for (size_t i = 0; i < device_count && list_error == 0; i++)
        if (wanted(&(struct directory_entry){-1, devices[i].name, DT_LNK}))
            assert_int_equal(strings_add(names, devices[i].name), 0);
    return list_error;
}

/* The device whose name is between the two strings in `path`. */
static struct device *find(const char *before, const char *after, const char *path)
{
    for (size_t i = 0; i < device_count; i++) {
        char expected[128];
        (void)snprintf(expected, sizeof expected, "%s%s%s", before, devices[i].name, after);
        if (strcmp(expected, path) == 0)
            return &devices[i];
    }
    return NULL;
}

bool __wrap_path_exists(const char *path)
{
    const struct device *device = find("/sys/block/", "/loop/backing_file", path);
    assert_non_null(device);
    return device->backed;
}

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    const struct device *device = find("/sys/block/", "/dm/name", path);
    assert_non_null(device);
    return device->mapping == NULL ? -ENOENT : snprintf(buffer, size, "%s", device->mapping);
}

int __wrap_open(const char *path, int flags, ...)
{
    assert_true(flags & O_CLOEXEC);
    note("open", path);
    if (open_error != 0) {
        errno = open_error;
        return -1;
    }
    opened++;
    struct device *device = find("/dev/", "", path);
    return FIRST_FD + (device == NULL ? 99 : (int)(device - devices));
}

int __wrap_close(int fd)
{
    assert_true(fd >= FIRST_FD);
    opened--;
    return 0;
}

static int remove_mapping(struct dm_ioctl *wanted)
{
    assert_int_equal(wanted->version[0], DM_VERSION_MAJOR);
    assert_int_equal(wanted->data_size, sizeof *wanted);
    note("remove", wanted->name);
    for (size_t i = 0; i < device_count; i++)
        if (devices[i].mapping != NULL && strcmp(devices[i].mapping, wanted->name) == 0 &&
            !devices[i].busy) {
            devices[i].mapping = NULL;
            return 0;
        }
    errno = EBUSY;
    return -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    if (request == LOOP_CLR_FD) {
        struct device *device = &devices[fd - FIRST_FD];
        note("clear", device->name);
        /* a device in use goes later, and the call says that all is well */
        device->backed = device->busy;
        return 0;
    }
    assert_int_equal(request, DM_DEV_REMOVE);
    assert_int_equal(fd, FIRST_FD + 99);
    va_list arguments;
    va_start(arguments, request);
    int result = remove_mapping(va_arg(arguments, struct dm_ioctl *));
    va_end(arguments);
    return result;
}

static int setup(void **state)
{
    (void)state;
    list_error = open_error = 0;
    opened = 0;
    calls[0] = '\0';
    return 0;
}

#define DEVICES(...)                                                                               \
    devices = (struct device[]){__VA_ARGS__};                                                      \
    device_count = sizeof((struct device[]){__VA_ARGS__}) / sizeof(struct device)

static void lets_go_of_all(void **state)
{
    (void)state;
    DEVICES({.name = "dm-0", .mapping = "data one"}, {.name = "loop0", .backed = true},
            {.name = "sda"}, {.name = "zram0"});
    assert_true(shutdown_detach_devices());
    assert_string_equal(calls, "open /dev/mapper/control;remove data one;"
                               "open /dev/loop0;clear loop0;");
    assert_int_equal(opened, 0);
    calls[0] = '\0';
    assert_false(shutdown_detach_devices());
    assert_string_equal(calls, "");
}

static void knows_that_nothing_went(void **state)
{
    (void)state;
    DEVICES({.name = "dm-3", .mapping = "m", .busy = true},
            {.name = "loop1", .backed = true, .busy = true});
    assert_false(shutdown_detach_devices());
    assert_string_equal(calls, "open /dev/mapper/control;remove m;open /dev/loop1;clear loop1;");
    assert_int_equal(opened, 0);
}

static void one_is_enough(void **state)
{
    (void)state;
    DEVICES({.name = "dm-3", .mapping = "m"}, {.name = "loop1", .backed = true, .busy = true});
    assert_true(shutdown_detach_devices());
    DEVICES({.name = "dm-3", .mapping = "m", .busy = true}, {.name = "loop1", .backed = true});
    assert_true(shutdown_detach_devices());
}

static void bears_what_is_missing(void **state)
{
    (void)state;
    DEVICES({.name = "dm-3", .mapping = "m"}, {.name = "loop1", .backed = true});
    open_error = ENOENT;
    assert_false(shutdown_detach_devices());
    assert_int_equal(opened, 0);
    list_error = -ENOENT;
    calls[0] = '\0';
    assert_false(shutdown_detach_devices());
    assert_string_equal(calls, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lets_go_of_all, setup),
        cmocka_unit_test_setup(knows_that_nothing_went, setup),
        cmocka_unit_test_setup(one_is_enough, setup),
        cmocka_unit_test_setup(bears_what_is_missing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
