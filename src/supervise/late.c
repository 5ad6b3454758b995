/* SPDX-License-Identifier: MIT */
#include "erlinit/late.h"

#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/log.h"
#include "erlinit/records.h"
#include "erlinit/seed.h"

#include <errno.h>
#include <sys/resource.h>

#define LOWEST_PRIORITY 19 /* setpriority(2) */

static void store_seed(const struct options *options, const struct machine *machine)
{
    const char *directory = seed_directory(options->state_directory.text);
    if (directory != NULL)
        (void)seed_store(directory, machine->seed_chain);
}

static void (*const jobs[])(const struct options *options, const struct machine *machine) = {
    record_boot,
    record_previous,
    store_seed,
    console_note_others,
};

struct work {
    const struct options *options;
    const struct machine *machine;
};

static int work_off(void *argument)
{
    const struct work *work = argument;
    /* the VM comes first; should this fail, it has to share */
    (void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        jobs[i](work->options, work->machine);
    return 0;
}

void late_start(const struct options *options, const struct machine *machine)
{
    struct work work = {.options = options, .machine = machine};
    pid_t pid = child_start(work_off, &work);
    errno = -pid;
    if (pid < 0)
        log_warning("Can't start the late process: %m. /run/erlinit stays empty");
}
