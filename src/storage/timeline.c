/* SPDX-License-Identifier: MIT */
/* The boot as a time line: boot.json, and the summary of --print-timing. */
#include "erlinit/records.h"

#include "erlinit/boot.h"
#include "erlinit/log.h"

#define SLOWEST_SHOWN 3

/* The slowest step of those that took less than `below_us`; of two that took as long, the first. */
static size_t find_slowest(const struct machine *machine, uint32_t below_us)
{
    size_t slowest = MACHINE_LAUNCH; /* which takes no time */
    for (size_t i = 0; i < MACHINE_LAUNCH; i++) {
        uint32_t duration_us = machine->steps[i].duration_us;
        if (duration_us < below_us && duration_us > machine->steps[slowest].duration_us)
            slowest = i;
    }
    return slowest;
}

static void log_summary(const struct machine *machine, uint64_t launch_us)
{
    TEXT_ON_STACK(slowest, 128);
    uint32_t below_us = UINT32_MAX;
    for (int i = 0; i < SLOWEST_SHOWN; i++) {
        size_t step = find_slowest(machine, below_us);
        below_us = machine->steps[step].duration_us;
        text_format(&slowest, "%s%s %u us", i == 0 ? "" : ", ", boot_step_name(step), below_us);
    }
    log_notice("boot: %llu us, %llu us since the kernel's start; slowest: %s",
               (unsigned long long)(launch_us - machine->start_us), (unsigned long long)launch_us,
               slowest.at);
}

void record_boot(const struct options *options, const struct machine *machine)
{
    TEXT_ON_STACK(text, RECORD_BYTES);
    uint64_t launch_us = machine->steps[MACHINE_LAUNCH].start_us;
    const char *name = NULL;
    record_begin(&text);
    text_format(&text, ",\"start_us\":%lu,\"vm_start_us\":%lu,\"crashes\":%u,\"steps\":[",
                (unsigned long)machine->start_us, (unsigned long)launch_us, machine->crashes);
    for (size_t i = 0; (name = boot_step_name(i)) != NULL; i++)
        record_add_step(&text, name, &machine->steps[i]);
    text_add(&text, "]}\n");
    record_put(RECORD_DIRECTORY, "boot.json", &text);
    /* 0: the boot child died on its way */
    if (options->print_timing && launch_us > 0)
        log_summary(machine, launch_us);
}
