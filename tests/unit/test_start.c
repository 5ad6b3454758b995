/* SPDX-License-Identifier: MIT */
/* The first moments of PID 1. */
/* wrap: write fcntl open umask mount log_open */
/* wrap: options_configure options_defaults boot_start */
#include "erlinit/start.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t __wrap_write(int fd, const void *bytes, size_t length);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_open(const char *path, int flags, ...);
mode_t __wrap_umask(mode_t bits);
int __real_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data);
bool __wrap_log_open(void);
void __wrap_options_configure(const char *path, int argc, char *argv[], struct options *options);
void __wrap_options_defaults(struct options *options);
pid_t __wrap_boot_start(struct boot *boot, int *events_fd);

static char calls[512];
static bool open_fds[3];
static bool no_kmsg;
static pid_t boot_pid;
static struct machine machine;
static struct options options;

static void note(const char *what)
{
    size_t length = strlen(calls);
    (void)snprintf(calls + length, sizeof calls - length, "%s;", what);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    assert_int_equal(fd, STDERR_FILENO);
    size_t used = strlen(calls);
    (void)snprintf(calls + used, sizeof calls - used, "%.*s", (int)length, (const char *)bytes);
    return (ssize_t)length;
}

int __wrap_fcntl(int fd, int command, ...)
{
    assert_int_equal(command, F_GETFD);
    errno = EBADF;
    return open_fds[fd] ? 0 : -1;
}

int __wrap_open(const char *path, int flags, ...)
{
    int fd = 0;
    assert_string_equal(path, "/");
    assert_int_equal(flags, O_PATH | O_DIRECTORY);
    while (open_fds[fd])
        fd++;
    open_fds[fd] = true;
    note(fd == 0 ? "0" : fd == 1 ? "1" : "2");
    return fd;
}

mode_t __wrap_umask(mode_t bits)
{
    assert_int_equal(bits, 022);
    note("umask");
    return 0;
}

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
                 const void *data)
{
    (void)source;
    assert_ptr_not_equal(__real_mount, __wrap_mount);
    assert_string_equal(target, "/dev");
    assert_string_equal(type, "devtmpfs");
    assert_int_equal(flags, MS_NOSUID | MS_NOEXEC);
    assert_string_equal((const char *)data, "size=1024k");
    note("mount");
    errno = ENODEV;
    return -1;
}

bool __wrap_log_open(void)
{
    note("log");
    return !no_kmsg;
}

void __wrap_options_configure(const char *path, int argc, char *argv[], struct options *given)
{
    (void)argv;
    assert_string_equal(path, OPTIONS_CONFIG_FILE);
    assert_int_equal(argc, 7);
    assert_ptr_equal(given, &options);
    note("configure");
}

void __wrap_options_defaults(struct options *given)
{
    assert_ptr_equal(given, &options);
    note("defaults");
}

pid_t __wrap_boot_start(struct boot *boot, int *events_fd)
{
    assert_ptr_equal(boot->options, &options);
    note("boot");
    if (boot_pid > 0)
        *events_fd = 66;
    return boot_pid;
}

static int setup(void **state)
{
    (void)state;
    log_spy_reset();
    calls[0] = '\0';
    machine = (struct machine){.boot_events_fd = -1};
    options = (struct options){.on_fatal = ACTION_HALT};
    return 0;
}

static void does_nothing_as_another_process(void **state)
{
    (void)state;
    assert_int_equal(start_otherwise(1, (char *[]){(char[]){"erlinit"}, NULL}), 1);
    assert_non_null(strstr(calls, "does nothing unless the kernel starts it"));
    assert_int_equal(calls[strlen(calls) - 1], '\n');
}

static void fills_the_first_descriptors(void **state)
{
    (void)state;
    memset(open_fds, 0, sizeof open_fds);
    start_descriptors();
    assert_string_equal(calls, "umask;0;1;2;");
    calls[0] = '\0';
    start_descriptors();
    assert_string_equal(calls, "umask;");
    calls[0] = '\0';
    open_fds[1] = false;
    start_descriptors();
    assert_string_equal(calls, "umask;1;");
}

static void has_devices_for_its_log(void **state)
{
    (void)state;
    no_kmsg = false;
    start_devices();
    assert_string_equal(calls, "log;");
    calls[0] = '\0';
    no_kmsg = true;
    start_devices();
    assert_string_equal(calls, "log;mount;log;");
}

static void configure(void)
{
    calls[0] = '\0';
    start_configure(7, NULL, &options, &machine);
}

static void configures(void **state)
{
    (void)state;
    configure();
    assert_string_equal(calls, "configure;");
    assert_int_equal(machine.configured, 1);
    assert_true(log_spy_contains("Starting erlinit " ERLINIT_VERSION));
}

static void leaves_out_what_makes_it_crash(void **state)
{
    (void)state;
    machine.crashes = 1;
    configure();
    assert_string_equal(calls, "defaults;");
    assert_int_equal(machine.configured, 0);
    assert_true(log_spy_contains("Reading the configuration makes erlinit crash"));
    assert_false(log_spy_contains("Starting erlinit"));
}

/* The new program has forgotten all; it was not the configuration that made the old one crash. */
static void configures_again_after_another_crash(void **state)
{
    (void)state;
    machine.crashes = 1;
    machine.configured = 1;
    configure();
    assert_string_equal(calls, "configure;");
    assert_int_equal(machine.configured, 1);
    assert_false(log_spy_contains("Starting erlinit"));
}

static void boots(void **state)
{
    (void)state;
    struct boot boot = {.options = &options};
    boot_pid = 55;
    start_boot(&boot, &machine);
    assert_int_equal(machine.vm_pid, 55);
    assert_int_equal(machine.boot_events_fd, 66);
    assert_int_equal(machine.life.phase, PHASE_BOOTING);
    /* after a crash it is there already */
    start_boot(&boot, &machine);
    assert_string_equal(calls, "boot;");
}

static void ends_when_it_cannot_boot(void **state)
{
    (void)state;
    struct boot boot = {.options = &options};
    boot_pid = -ENOMEM;
    start_boot(&boot, &machine);
    assert_int_equal(machine.vm_pid, 0);
    assert_int_equal(machine.boot_events_fd, -1);
    assert_int_equal(machine.life.phase, PHASE_ENDING);
    assert_int_equal(machine.life.action, ACTION_HALT);
    assert_true(machine.life.fatal);
    assert_true(log_spy_contains("Can't start the boot process: Cannot allocate memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(does_nothing_as_another_process, setup),
        cmocka_unit_test_setup(fills_the_first_descriptors, setup),
        cmocka_unit_test_setup(has_devices_for_its_log, setup),
        cmocka_unit_test_setup(configures, setup),
        cmocka_unit_test_setup(leaves_out_what_makes_it_crash, setup),
        cmocka_unit_test_setup(configures_again_after_another_crash, setup),
        cmocka_unit_test_setup(boots, setup),
        cmocka_unit_test_setup(ends_when_it_cannot_boot, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
