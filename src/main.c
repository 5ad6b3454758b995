/* SPDX-License-Identifier: MIT */
/* PID 1 in four words: configure, boot, supervise, shut down. */
#include "erlinit/boot.h"
#include "erlinit/machine.h"
#include "erlinit/options.h"
#include "erlinit/shutdown.h"
#include "erlinit/start.h"
#include "erlinit/supervisor.h"
#include "erlinit/survive.h"

#include <unistd.h>

/* .bss: found again by whoever reads a core, and not on a stack that grows */
static struct options options;
static struct boot boot;

int main(int argc, char *argv[])
{
    if (getpid() != 1)
        return start_otherwise(argc, argv);
    start_descriptors();
    start_devices();
    struct machine *machine = survive_start(argv);

    /* From here on nothing may end this process but reboot(2). */
    supervisor_take_signals();
    start_configure(argc, argv, &options, machine);

    boot.options = &options;
    boot_early(&boot, machine);
    start_boot(&boot, machine);

    supervise(&options, machine);

    shut_down(&options, machine);
}
