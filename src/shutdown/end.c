/* SPDX-License-Identifier: MIT */
/* What the next boot can tell of this end: docs/timeline.md. */
#include "erlinit/shutdown.h"

#include "erlinit/boot.h"
#include "erlinit/json.h"
#include "erlinit/records.h"
#include "erlinit/times.h"

#include <limits.h>
#include <sys/wait.h>

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

/* The boot step that could not be done; PID 1 itself, if it was none of them. */
static const char *fatal_step(const struct machine *machine)
{
    if (!machine->life.fatal)
        return NULL;
    if (machine->steps[MACHINE_LAUNCH].result == STEP_FATAL)
        return "launch";
    for (size_t i = 0; i < MACHINE_LAUNCH; i++)
        if (machine->steps[i].result == STEP_FATAL)
            return boot_step_name(i);
    return "PID 1";
}

static void add_facts(struct text *text, const struct machine *machine)
{
    const struct lifecycle *life = &machine->life;
    const struct requester *who = &machine->requester;
    const struct step_time *launch = &machine->steps[MACHINE_LAUNCH];
    text_format(text,
                "\",\"action\":\"%s\",\"intentional\":%s,\"graceful\":%s,\"vm_started\":%s,"
                "\"vm_status\":%d,\"vm_signal\":%d,\"crashes\":%u,"
                "\"signal\":%d,\"pid\":%d,\"uid\":%u,"
                "\"requested_ms\":%lld,\"shutdown_ms\":%lld,\"uptime_ms\":%lld",
                shutdown_action_name(life->action), truth(life->requested),
                truth(shutdown_was_graceful(machine)),
                truth(launch->ran != 0 && launch->result == STEP_DONE),
                life->vm_gone ? WEXITSTATUS(machine->vm_status) : -1, WTERMSIG(machine->vm_status),
                machine->crashes, who->signal, (int)who->pid, (unsigned int)who->uid,
                (long long)life->requested_at_ms, (long long)life->ended_at_ms,
                (long long)time_ms());
    json_string(text, "command", who->name);
    json_string(text, "fatal", fatal_step(machine));
}

void shutdown_record_end(const struct shutdown *self)
{
    struct timespec now = {0};
    TEXT_ON_STACK(path, PATH_MAX);
    TEXT_ON_STACK(text, RECORD_BYTES);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    record_begin(&text);
    text_add(&text, ",\"recorded\":true,\"time\":\"");
    time_add_iso8601(&text, &now);
    add_facts(&text, self->machine);
    json_string(&text, "argument", self->reboot_argument);
    text_add(&text, ",\"steps\":[");
    for (size_t i = 0; i + 1 < self->machine->shutdown_begun; i++)
        /* a crash of PID 1 forgets those before it */
        if (self->steps[i].ran != 0)
            record_add_step(&text, shutdown_steps[i].name, &self->steps[i]);
    text_add(&text, "]}\n");
    text_format(&path, RECORD_STATE, self->options->state_directory.text);
    record_put(path.at, RECORD_END, &text);
}
