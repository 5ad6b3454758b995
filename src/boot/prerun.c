/* SPDX-License-Identifier: MIT */
/* --pre-run-exec: commands that run to their end just before the VM. */
#include "erlinit/boot.h"
#include "erlinit/child.h"

#include <errno.h>

static int run_one(const struct word *word, int64_t limit_ms)
{
    const struct command command = {.line = word->text, .limit_ms = limit_ms, .foreground = true};
    int status = command_run(&command);

    if (status == -ETIMEDOUT) {
        log_at(LOG_WARNING, &word->origin,
               "'%s' was ended after %lld ms without an exit; the boot goes on", word->text,
               (long long)limit_ms);
    } else if (status < 0) {
        errno = -status;
        log_at(LOG_WARNING, &word->origin, "'%s' can't be run: %m; the boot goes on", word->text);
    } else if (status > 255) {
        log_at(LOG_WARNING, &word->origin, "'%s' died of signal %d; the boot goes on", word->text,
               status - 256);
    } else if (status > 0) {
        log_at(LOG_WARNING, &word->origin, "'%s' failed with status %d; the boot goes on",
               word->text, status);
    }
    return status;
}

enum step_result boot_prerun(struct boot *boot)
{
    const struct words *commands = &boot->options->pre_run_exec;
    enum step_result result = commands->count > 0 ? STEP_DONE : STEP_SKIPPED;

    for (size_t i = 0; i < commands->count; i++)
        if (run_one(&commands->item[i], boot->options->command_timeout_ms) != 0)
            result = STEP_WARNED;
    return result;
}
