/* SPDX-License-Identifier: MIT */
/* The machine's name: from a pattern and the board's id, else from /etc/hostname. */
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ID_BYTES   4096
#define NAME_BYTES 4096
#define NO_ID      "00000000"

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

static const char *run_id_command(const struct options *options, char *buffer, size_t size,
                                  bool *warned)
{
    const struct word *word = &options->uniqueid_exec;

    if (!word->text)
        return NO_ID;
    const struct command command = {.line = word->text,
                                    .limit_ms = options->uniqueid_timeout_ms,
                                    .output = buffer,
                                    .output_size = size};
    buffer[0] = '\0';
    int status = command_run(&command);
    char *id = text_trim_in_place(buffer);
    size_t length = 0;
    while (id[length] != '\0' && !text_is_space(id[length]))
        length++;
    id[length] = '\0';
    if (status == 0 && length > 0)
        return id;
    warn_no_id(word, status);
    *warned = true;
    return NO_ID;
}

static void make_name(const struct options *options, char *name, size_t size, bool *warned)
{
    if (options->hostname_pattern.text) {
        char id[ID_BYTES];
        hostname_expand(options->hostname_pattern.text,
                        run_id_command(options, id, sizeof id, warned), name, size);
    } else {
        ssize_t length = file_read_line("/etc/hostname", name, size);
        if (length < 0) {
            errno = (int)-length;
            log_debug("/etc/hostname: %m");
            name[0] = '\0';
        }
    }
    hostname_clean(name);
}

enum step_result boot_hostname(struct boot *boot)
{
    const struct word *pattern = &boot->options->hostname_pattern;
    char name[NAME_BYTES];
    bool warned = false;

    make_name(boot->options, name, sizeof name, &warned);
    if (name[0] == '\0') {
        if (pattern->text)
            log_at(LOG_WARNING, &pattern->origin, "'%s' gives no hostname, none is set",
                   pattern->text);
        else
            log_warning("no hostname pattern and no name in /etc/hostname: no hostname is set");
        return STEP_WARNED;
    }
    if (sethostname(name, strlen(name)) < 0) {
        log_warning("hostname '%s' can't be set: %m", name);
        return STEP_WARNED;
    }
    struct text copy = text_into(boot->hostname, sizeof boot->hostname);
    text_add(&copy, name);
    log_debug("hostname %s", name);
    return warned ? STEP_WARNED : STEP_DONE;
}
