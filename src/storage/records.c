/* SPDX-License-Identifier: MIT */
#include "erlinit/records.h"

#include "erlinit/boot.h"
#include "erlinit/files.h"
#include "erlinit/json.h"
#include "erlinit/log.h"
#include "erlinit/state.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define DIRECTORY_MODE 0755
#define FILE_MODE      0644

void record_begin(struct text *text)
{
    char id[40] = "";
    (void)file_read_line("/proc/sys/kernel/random/boot_id", id, sizeof id);
    text_format(
        text,
        "{\"schema\":" RECORD_SCHEMA ",\"erlinit\":\"" ERLINIT_VERSION "\",\"boot_id\":\"%s\"", id);
}

void record_add_step(struct text *text, const char *name, const struct step_time *step)
{
    text_format(text,
                "%s\n{\"name\":\"%s\",\"start_us\":%lu,\"duration_us\":%lu,\"result\":\"%s\"}",
                text->at[text->length - 1] == '[' ? "" : ",", name, (unsigned long)step->start_us,
                (unsigned long)step->duration_us,
                step->ran != 0 ? boot_result_name(step->result) : "not run");
}

static int put(const char *path, const char *name, const struct text *text)
{
    int directory = state_directory_open(path, DIRECTORY_MODE);
    if (directory < 0)
        return directory;
    int result =
        text->cut ? -EMSGSIZE : file_replace(directory, name, FILE_MODE, text->at, text->length);
    (void)close(directory);
    return result;
}

void record_put(const char *path, const char *name, const struct text *text)
{
    int result = put(path, name, text);
    errno = -result;
    if (result < 0)
        log_warning("Can't write %s/%s: %m. The application has to do without", path, name);
}

static void add_none(struct text *text, int reason)
{
    struct strings names = {0};
    errno = reason;
    text_format(text,
                "{\"schema\":" RECORD_SCHEMA ",\"recorded\":false,\"reason\":\"%m\",\"pstore\":[");
    (void)directory_list("/sys/fs/pstore", NULL, &names);
    for (size_t i = 0; i < names.count; i++)
        json_string(text, NULL, names.item[i]);
    text_add(text, "]}\n");
}

/* What is read is gone from the disk, or it is not believed: the next boot, after a power cut, must
 * not be told of it again. The length or -errno. */
static ssize_t take(const struct options *options, char *record, size_t size)
{
    TEXT_ON_STACK(path, PATH_MAX);
    text_format(&path, RECORD_STATE, options->state_directory.text);
    int directory = state_directory_open(path.at, DIRECTORY_MODE);
    if (directory < 0)
        return directory;
    ssize_t length = state_read(directory, RECORD_END, record, size);
    if (unlinkat(directory, RECORD_END, 0) < 0 || fsync(directory) < 0)
        length = -errno;
    (void)close(directory);
    return length;
}

void record_previous(const struct options *options, const struct machine *machine)
{
    (void)machine;
    TEXT_ON_STACK(text, RECORD_BYTES);
    ssize_t length = take(options, text.at, text.size);
    if (length > 0 && text.at[0] == '{' && text.at[length - 1] == '\n')
        text.length = (size_t)length;
    else
        add_none(&text, length < 0 ? -(int)length : EBADMSG);
    record_put(RECORD_DIRECTORY, "previous.json", &text);
}
