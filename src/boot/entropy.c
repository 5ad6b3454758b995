/* SPDX-License-Identifier: MIT */
/* The seed of the last run goes into the kernel's pool, a new one takes its place. */
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/seed.h"

#include <stddef.h>

enum step_result boot_entropy(struct boot *boot)
{
    const char *directory = arena_format("%s/seedrng", boot->options->state_directory.text);

    if (!directory) {
        log_warning("no memory for the name of the seed's directory: no seed is read or stored");
        return STEP_WARNED;
    }
    return seed_refresh(directory) < 0 ? STEP_WARNED : STEP_DONE;
}
