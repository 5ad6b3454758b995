/* SPDX-License-Identifier: MIT */
/* The seed of the last run goes into the kernel's pool, a new one takes its place. */
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/seed.h"

#include <errno.h>
#include <stddef.h>

/* It writes to the disk and waits for it, four times: a tenth of a second on slow flash. A disk
 * that takes longer may never answer, and the device shall come up all the same: that is worth a
 * process. */
static int refresh(void *directory)
{
    return -seed_refresh(directory);
}

enum step_result boot_entropy(struct boot *boot)
{
    char *directory = arena_format("%s/seedrng", boot->options->state_directory.text);

    if (!directory) {
        log_warning("no memory for the name of the seed's directory: no seed is read or stored");
        return STEP_WARNED;
    }
    int result = child_call(refresh, directory, boot->options->seed_timeout_ms);
    errno = -result;
    /* other failures have been told of where they happened */
    if (result == -ETIMEDOUT || result == -EINTR)
        log_warning("entropy seed in %s: %m; the boot goes on without it", directory);
    return result < 0 ? STEP_WARNED : STEP_DONE;
}
