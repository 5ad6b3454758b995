/* SPDX-License-Identifier: MIT */
#include "erlinit/start.h"

#include "erlinit/desk.h"
#include "erlinit/log.h"
#include "erlinit/survive.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL in a device's build: the room is left out. */
#pragma weak desk_main

int start_otherwise(int argc, char *argv[])
{
    if (desk_main != NULL)
        return desk_main(argc, argv);
    static const char message[] =
        "erlinit " ERLINIT_VERSION ": does nothing unless the kernel starts it, as PID 1; --check, "
        "--plan and --help are in the build for the desk (make desk)\n";
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    return 1;
}

void start_descriptors(void)
{
    (void)umask(022);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            /* the lowest free number: this one */
            (void)open("/", O_PATH | O_DIRECTORY);
}

void start_devices(void)
{
    /* CONFIG_DEVTMPFS_MOUNT may be off, and never works for an initramfs. A failure is seen again,
     * and reported, by the boot step that mounts the rest. */
    if (log_open())
        return;
    (void)mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "size=1024k");
    (void)log_open();
}

void start_configure(int argc, char *argv[], struct options *options, struct machine *machine)
{
    if (machine->crashes == 0)
        log_milestone("Starting erlinit " ERLINIT_VERSION);
    if (machine->crashes > 0 && machine->configured == 0) {
        log_error("Reading the configuration makes erlinit crash. Going on with the defaults");
        options_defaults(options);
        return;
    }
    options_configure(OPTIONS_CONFIG_FILE, argc, argv, options);
    machine->configured = 1;
}

void start_boot(struct boot *boot, struct machine *machine)
{
    /* after a crash: there is a VM, or the state is damaged and nobody knows */
    if (machine->vm_pid != 0 || survive_is_broken(machine))
        return;
    pid_t pid = boot_start(boot, &machine->boot_events_fd);
    if (pid > 0) {
        machine->vm_pid = pid;
        return;
    }
    errno = (int)-pid;
    log_line(LOG_EMERGENCY, "Can't start the boot process: %m");
    log_line(LOG_EMERGENCY, "erlinit can't continue");
    struct lifecycle_settings settings = {.on_fatal = boot->options->on_fatal};
    unsigned int actions = 0;
    machine->life =
        lifecycle_next(&machine->life, &settings, EVENT_FATAL, ACTION_REBOOT, time_ms(), &actions);
}
