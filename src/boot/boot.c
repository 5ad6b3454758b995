/* SPDX-License-Identifier: MIT */
/*
 * The two tables of boot, and the one loop that runs them. To add a step: write the function in a
 * file of its own, declare it in boot.h, and put a row where it belongs.
 */
#include "erlinit/boot.h"

#include "erlinit/child.h"
#include "erlinit/log.h"
#include "erlinit/terminal.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What only PID 1 can do for itself: nothing here parses what others wrote, or waits for a device.
 */
const struct boot_step boot_early_steps[] = {
    {"root-device", boot_rootdevice},
    {"overlay", boot_overlay},
    {"pseudo-file-systems", boot_pseudofs},
    {"console", boot_console},
    {NULL, NULL},
};

/* In the boot child: a crash or a hang here is an event for PID 1, not its end. */
const struct boot_step boot_steps[] = {
    {"rootdisk-links", boot_rootdisk},
    {"scratch", boot_scratch},
    {"mounts", boot_mounts},
    {"clock", boot_clock},
    {"identity", boot_identity},
    {"release", boot_release},
    {"core-pattern", boot_corepattern},
    {"loopback", boot_loopback},
    {"id-command", boot_id},
    {"hostname", boot_hostname},
    {"working-directory", boot_workdir},
    {"entropy", boot_entropy},
    {"pre-run", boot_prerun},
    {"limits", boot_limits},
    {NULL, NULL},
};

#define EARLY_STEPS (sizeof boot_early_steps / sizeof boot_early_steps[0] - 1)
#define STEPS       (sizeof boot_steps / sizeof boot_steps[0] - 1)
_Static_assert(EARLY_STEPS + STEPS <= MACHINE_LAUNCH, "struct machine has a row for every step");

const char *boot_step_name(size_t index)
{
    const struct boot_step *step =
        index < EARLY_STEPS ? &boot_early_steps[index] : &boot_steps[index - EARLY_STEPS];
    return index < EARLY_STEPS + STEPS ? step->name : NULL;
}

const char *boot_result_name(unsigned int result)
{
    static const char *const names[] = {"done", "nothing to do", "with warnings", "failed"};
    return names[result];
}

static struct step_time run_step(const struct boot_step *step, struct boot *boot)
{
    struct boot_span span = {.start_us = time_us()};
    boot->aside = (struct boot_span){0};
    enum step_result result = step->run(boot);
    span.over_us = time_us();
    if (boot->aside.start_us != 0)
        span = boot->aside;
    uint64_t duration = span.over_us - span.start_us;
    const char *name = boot_result_name(result);
    if (boot->options->print_timing)
        log_notice("%s: %s, %lu us", step->name, name, (unsigned long)duration);
    else
        log_debug("%s: %s, %lu us", step->name, name, (unsigned long)duration);
    return (struct step_time){.start_us = span.start_us,
                              .duration_us = (uint32_t)duration,
                              .result = (uint8_t)result,
                              .ran = 1};
}

void boot_early(struct boot *boot, struct machine *machine)
{
    if (boot->options->print_timing && machine->crashes == 0)
        log_notice("start");
    /* after a crash: on behind the step that crashed */
    for (size_t i = machine->early_begun; i < EARLY_STEPS; i++) {
        machine->early_begun = (uint32_t)i + 1;
        machine->steps[i] = run_step(&boot_early_steps[i], boot);
    }
}

struct boot_child {
    struct boot *boot;
    int events[2];
    size_t count;
    struct boot_record records[STEPS + 2]; /* and the launch, and the seed */
};

static void note(struct boot_child *child, size_t index, struct step_time time)
{
    child->records[child->count++] = (struct boot_record){.index = (uint8_t)index, .time = time};
}

static void note_launch(struct boot_child *child, enum step_result result)
{
    note(child, MACHINE_LAUNCH,
         (struct step_time){.start_us = time_us(), .result = (uint8_t)result, .ran = 1});
}

/* All in one write, less than a pipe takes at once (pipe(7)): PID 1 need not wake up for each step.
 * Should it fail, the boot goes on all the same. */
static void tell(const struct boot_child *child)
{
    (void)!write(child->events[1], child->records, child->count * sizeof child->records[0]);
}

/* Said before PID 1 is told, which then ends everything, this process first. */
static void log_fatal(void)
{
    log_line(LOG_EMERGENCY, "erlinit can't continue");
}

static bool run_steps(struct boot_child *child)
{
    for (size_t i = 0; boot_steps[i].run != NULL; i++) {
        struct step_time time = run_step(&boot_steps[i], child->boot);
        if (time.result == STEP_FATAL) {
            log_line(LOG_EMERGENCY, "Step %s of the boot has failed", boot_steps[i].name);
            log_fatal();
        }
        note(child, EARLY_STEPS + i, time);
        if (time.result == STEP_FATAL)
            return false;
    }
    return true;
}

mode_t boot_umask(const struct options *options)
{
    long long mask = 0022;
    const struct word *word = &options->umask;
    if (word->text != NULL && text_to_number(word->text, 8, 0, 0777, &mask) < 0)
        log_at(LOG_WARNING, &word->origin, "--umask %s is no octal number up to 0777: using 0022",
               word->text);
    return (mode_t)mask;
}

static void become_vm(struct boot_child *child)
{
    struct boot *boot = child->boot;
    mode_t mask = boot_umask(boot->options);
    log_milestone("Launching erl...");
    if (boot->options->print_timing)
        log_notice("stop");
    note_launch(child, STEP_DONE);
    struct boot_record *seed = &child->records[child->count++];
    seed->index = BOOT_SEED;
    memcpy(seed->seed_chain, boot->seed_chain, sizeof seed->seed_chain);
    tell(child);
    int result = vm_launch(&boot->vm, mask);
    errno = -result;
    log_line(LOG_EMERGENCY, "Can't start %s: %m", boot->vm.program);
    log_fatal();
    child->count = 0;
    note_launch(child, STEP_FATAL);
}

static int boot_child(void *argument)
{
    struct boot_child *child = argument;
    /* that it closes tells PID 1 that the VM runs, whatever hangs then */
    child_keep_private(child->events[1]);
    /* its own group, in front: keys that mean signals are for the VM, not for PID 1 */
    (void)setpgid(0, 0);
    terminal_foreground(getpid());
    if (run_steps(child))
        become_vm(child);
    tell(child);
    return 1;
}

pid_t boot_start(struct boot *boot, int *events)
{
    struct boot_child child = {.boot = boot};
    if (pipe2(child.events, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    pid_t pid = child_start(boot_child, &child);
    (void)close(child.events[1]);
    if (pid < 0)
        (void)close(child.events[0]);
    else
        *events = child.events[0];
    return pid;
}
