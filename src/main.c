/* SPDX-License-Identifier: MIT */
/* PID 1 in four words: configure, boot, supervise, shut down. */
#include "erlinit/boot.h"
#include "erlinit/log.h"
#include "erlinit/machine.h"
#include "erlinit/options.h"
#include "erlinit/shutdown.h"
#include "erlinit/start.h"
#include "erlinit/supervisor.h"

#include <unistd.h>

/* .bss: found again by whoever reads a core, and not on a stack that grows */
static struct options options;
static struct boot boot;

int main(int argc, char *argv[])
{
    if (getpid() != 1)
        return start_refuse(argc, argv);
    start_descriptors();
    start_devices();
    log_milestone("Starting erlinit " ERLINIT_VERSION);

    options_configure(OPTIONS_CONFIG_FILE, argc, argv, &options);

    /* From here on nothing may end this process but reboot(2). */
    struct machine *machine = start_machine();
    supervisor_take_signals();
    boot.options = &options;
    boot_early(&boot, machine);
    int boot_events = start_boot(&boot, machine);

    supervise(&options, machine, boot_events);

    shut_down(&options, machine);
}
