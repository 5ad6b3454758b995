/* SPDX-License-Identifier: MIT */
/*
 * --uniqueid-exec: the board's id, for the hostname. Where mounts keep the boot waiting it runs
 * beside them. It may read what one of them holds, which can't be known: so what fails beside the
 * mounts is run again after them.
 */
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>

#define ID_BYTES 4096
#define NO_ID    "00000000"

struct id_command {
    struct command command;
    struct command_running *running;
    uint64_t start_us;
    char output[ID_BYTES];
};

static void warn_no_id(const struct word *command, int status)
{
    const struct origin *origin = &command->origin;

    if (status < 0) {
        errno = -status;
        log_at(LOG_WARNING, origin, "id command '%s' failed, the id is " NO_ID ": %m",
               command->text);
    } else if (status > 0) {
        log_at(LOG_WARNING, origin, "id command '%s' failed with %s %d, the id is " NO_ID,
               command->text, status > 255 ? "signal" : "status",
               status > 255 ? status - 256 : status);
    } else {
        log_at(LOG_WARNING, origin, "id command '%s' printed nothing, the id is " NO_ID,
               command->text);
    }
}

bool boot_id_is_wanted(const struct boot *boot)
{
    return boot->options->hostname_pattern.text && boot->options->uniqueid_exec.text;
}

int boot_id_begin(struct boot *boot)
{
    struct id_command *id = arena_alloc(sizeof *id);

    if (!id)
        return -ENOMEM;
    id->command = (struct command){.line = boot->options->uniqueid_exec.text,
                                   .limit_ms = boot->options->uniqueid_timeout_ms,
                                   .output = id->output,
                                   .output_size = sizeof id->output};
    id->start_us = time_us();
    int result = command_begin(&id->command, &id->running);
    if (result == 0)
        boot->id_command = id;
    return result;
}

/* What command_run() would say, and the id, which may be empty. */
static int end(struct boot *boot)
{
    struct id_command *id = boot->id_command;
    int status = command_end(id->running);
    char *text = text_trim_in_place(id->output);
    size_t length = 0;

    while (text[length] != '\0' && !text_is_space(text[length]))
        length++;
    text[length] = '\0';
    boot->id = text;
    boot->id_command = NULL;
    boot->aside = (struct boot_span){id->start_us, command_over_us(id->running)};
    return status;
}

enum step_result boot_id(struct boot *boot)
{
    bool again = boot->id_command != NULL;

    boot->id = NO_ID;
    if (!boot_id_is_wanted(boot))
        return STEP_SKIPPED;
    for (;; again = false) {
        int status = boot->id_command ? 0 : boot_id_begin(boot);
        if (status == 0)
            status = end(boot);
        if (status == 0 && boot->id[0] != '\0')
            return STEP_DONE;
        if (again && status != -ETIMEDOUT)
            continue;
        warn_no_id(&boot->options->uniqueid_exec, status);
        boot->id = NO_ID;
        return STEP_WARNED;
    }
}
