/* SPDX-License-Identifier: MIT */
/* The machine's name: from a pattern and the board's id, else from /etc/hostname. */
#include "erlinit/boot.h"
#include "erlinit/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES 4096

static void make_name(const struct boot *boot, char *name, size_t size)
{
    const char *pattern = boot->options->hostname_pattern.text;

    if (pattern) {
        hostname_expand(pattern, boot->id, name, size);
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

    make_name(boot, name, sizeof name);
    if (name[0] == '\0') {
        if (pattern->text)
            log_at(LOG_WARNING, &pattern->origin, "'%s' gives no hostname, none is set",
                   pattern->text);
        else
            log_warning("no hostname pattern and no name in /etc/hostname: no hostname is set");
        return STEP_WARNED;
    }
    if (sethostname(name, strlen(name)) < 0) {
        log_warning("hostname '%s' can't be set: %m; it stays as it is", name);
        return STEP_WARNED;
    }
    log_debug("hostname %s", name);
    return STEP_DONE;
}
