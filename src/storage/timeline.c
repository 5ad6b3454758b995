/* SPDX-License-Identifier: MIT */
/* The boot as a time line: boot.json, and the summary of --print-timing. */
#include "erlinit/records.h"

#include "erlinit/boot.h"
#include "erlinit/log.h"

#define SLOWEST_SHOWN 3

static void add_steps(struct text *text, const struct machine *machine)
{
    const char *name = NULL;
    for (size_t i = 0; (name = boot_step_name(i)) != NULL; i++) {
        const struct step_time *step = &machine->steps[i];
        text_format(text,
                    "%s\n{\"name\":\"%s\",\"start_us\":%lu,\"duration_us\":%lu,\"result\":\"%s\"}",
                    i == 0 ? "" : ",", name, (unsigned long)step->start_us,
                    (unsigned long)step->duration_us,
                    step->ran != 0 ? boot_result_name(step->result) : "not run");
    }
}

/* The slowest step that is not in `shown` (a bit each). */
static size_t find_slowest(const struct machine *machine, uint32_t shown)
{
    size_t slowest = 0;
    for (size_t i = 0; boot_step_name(i) != NULL; i++)
        if ((shown >> i & 1) == 0 &&
            ((shown >> slowest & 1) != 0 ||
             machine->steps[i].duration_us > machine->steps[slowest].duration_us))
            slowest = i;
    return slowest;
}

static void log_summary(const struct machine *machine)
{
    TEXT_ON_STACK(slowest, 128);
    uint32_t shown = 0;
    for (int i = 0; i < SLOWEST_SHOWN; i++) {
        size_t step = find_slowest(machine, shown);
        shown |= 1U << step;
        text_format(&slowest, ", %s %lu us", boot_step_name(step),
                    (unsigned long)machine->steps[step].duration_us);
    }
    log_notice("boot: %lu us, %lu us since the kernel's start; slowest%s",
               (unsigned long)(machine->vm_start_us - machine->start_us),
               (unsigned long)machine->vm_start_us, slowest.at);
}

void record_boot(const struct options *options, const struct machine *machine)
{
    TEXT_ON_STACK(text, RECORD_BYTES);
    record_begin(&text);
    text_format(&text, ",\"start_us\":%lu,\"vm_start_us\":%lu,\"crashes\":%lu,\"steps\":[",
                (unsigned long)machine->start_us, (unsigned long)machine->vm_start_us,
                (unsigned long)machine->crashes);
    add_steps(&text, machine);
    record_publish("boot.json", &text, "]}\n");
    if (options->print_timing)
        log_summary(machine);
}
