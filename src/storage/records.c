/* SPDX-License-Identifier: MIT */
#include "erlinit/records.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/state.h"

#include <errno.h>
#include <unistd.h>

/* Changes when a reader of the old one would be misled; docs/timeline.md. */
#define SCHEMA "1"

#define DIRECTORY_MODE 0755
#define FILE_MODE      0644

void record_begin(struct text *text)
{
    char boot_id[40] = "";
    (void)file_read_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id);
    text_format(text,
                "{\"schema\":" SCHEMA ",\"erlinit\":\"" ERLINIT_VERSION "\",\"boot_id\":\"%s\"",
                boot_id);
}

static int publish(const char *name, const struct text *text)
{
    int directory = state_directory_open(RECORD_DIRECTORY, DIRECTORY_MODE);
    if (directory < 0)
        return directory;
    int result =
        text->cut ? -EMSGSIZE : file_replace(directory, name, FILE_MODE, text->at, text->length);
    (void)close(directory);
    return result;
}

void record_publish(const char *name, struct text *text, const char *end)
{
    text_add(text, end);
    int result = publish(name, text);
    errno = -result;
    if (result < 0)
        log_warning("Can't write /run/erlinit/%s: %m. The application has to do without", name);
}
