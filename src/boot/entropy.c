/* SPDX-License-Identifier: MIT */
/*
 * The seed of the last run goes into the kernel's pool, before anybody can want random numbers. The
 * new one that takes its place is stored when the VM runs (late.c).
 */
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/seed.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

/* In memory that the child shares. */
struct work {
    const char *directory;
    unsigned char chain[SEED_CHAIN_BYTES];
};

static int use(void *argument)
{
    struct work *work = argument;
    return -seed_use(work->directory, work->chain);
}

/* Removing the seed writes to the disk and waits for it. A disk that takes too long may never
 * answer, and the device shall come up all the same: that is worth a process. */
static int use_in_time(struct boot *boot, const char *directory)
{
    struct work *work =
        mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work == MAP_FAILED)
        return -errno;
    work->directory = directory;
    int result = child_call(use, work, boot->options->seed_timeout_ms);
    memcpy(boot->seed_chain, work->chain, sizeof boot->seed_chain);
    return result;
}

enum step_result boot_entropy(struct boot *boot)
{
    const char *directory = seed_directory(boot->options->state_directory.text);

    if (!directory)
        return STEP_WARNED;
    if (!seed_waits(directory))
        return STEP_SKIPPED;
    int result = use_in_time(boot, directory);
    errno = -result;
    /* other failures have been told of where they happened */
    if (result == -ETIMEDOUT || result == -EINTR || result == -ENOMEM)
        log_warning("entropy seed in %s: %m; the boot goes on without it", directory);
    return result < 0 ? STEP_WARNED : STEP_DONE;
}
