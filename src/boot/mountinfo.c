/* SPDX-License-Identifier: MIT */
#include "mountinfo.h"

#include "erlinit/arena.h"
#include "erlinit/files.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#define FIRST_READ_BYTES ((size_t)8192)

/* procfs doesn't tell sizes: as long as the buffer comes back full, it is read again into more. */
static int read_all(const char *path, char **content)
{
    for (size_t size = FIRST_READ_BYTES;; size *= 2) {
        char *buffer = arena_alloc(size);
        if (!buffer)
            return -ENOMEM;
        ssize_t length = file_read(path, buffer, size);
        if (length < 0)
            return (int)length;
        if ((size_t)length < size - 1) {
            *content = buffer;
            return 0;
        }
    }
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline and backslash as \ooo. In place. */
static void decode_octal(char *string)
{
    char *to = string;

    for (const char *from = string; *from != '\0'; to++) {
        if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static char *next_field(char **at)
{
    char *field = *at;
    char *end = strchrnul(field, ' ');

    *at = end;
    if (*end != '\0') {
        *end = '\0';
        *at = end + 1;
    }
    return field;
}

static int parse_number(const char *text, int *number)
{
    long long value;
    int result = text_to_number(text, 10, 0, INT_MAX, &value);

    if (result == 0)
        *number = (int)value;
    return result;
}

static int parse_device(char *text, dev_t *device)
{
    char *colon = strchr(text, ':');
    int big, small;

    if (!colon)
        return -EINVAL;
    *colon = '\0';
    if (parse_number(text, &big) < 0 || parse_number(colon + 1, &small) < 0)
        return -EINVAL;
    *device = makedev((unsigned int)big, (unsigned int)small);
    return 0;
}

static int parse_line(char *line, struct mountinfo_entry *entry)
{
    if (parse_number(next_field(&line), &entry->id) < 0 ||
        parse_number(next_field(&line), &entry->parent) < 0 ||
        parse_device(next_field(&line), &entry->device) < 0)
        return -EINVAL;
    (void)next_field(&line); /* root of the mount within its file system */
    char *point = next_field(&line);
    (void)next_field(&line); /* options of the mount */
    /* Optional fields, then a lone hyphen. */
    while (*line != '\0' && !text_equal(next_field(&line), "-"))
        ;
    char *type = next_field(&line);
    char *source = next_field(&line);
    char *options = next_field(&line);
    if (*point == '\0' || *type == '\0')
        return -EINVAL;
    decode_octal(point);
    decode_octal(source);
    decode_octal(options);
    entry->point = point;
    entry->type = type;
    entry->source = source;
    entry->options = options;
    return 0;
}

int mountinfo_load(const char *path, struct mountinfo *mounts)
{
    char *content = NULL;
    struct mountinfo parsed = {0};
    size_t lines = 1;

    int result = read_all(path, &content);
    if (result < 0)
        return result;
    for (const char *at = content; *at != '\0'; at++)
        lines += *at == '\n';
    parsed.item = arena_alloc(lines * sizeof *parsed.item);
    if (!parsed.item)
        return -ENOMEM;
    while (*content != '\0') {
        char *end = strchrnul(content, '\n');
        char *next = *end != '\0' ? end + 1 : end;
        *end = '\0';
        if (parse_line(content, &parsed.item[parsed.count]) == 0)
            parsed.count++;
        content = next;
    }
    *mounts = parsed;
    return 0;
}

static bool leads_to(const char *point, const char *path)
{
    size_t length = strlen(point);

    if (length == 1) /* "/" */
        return path[0] == '/';
    return strncmp(point, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

const struct mountinfo_entry *mountinfo_of_path(const struct mountinfo *mounts, const char *path)
{
    const struct mountinfo_entry *best = NULL;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct mountinfo_entry *entry = &mounts->item[i];
        if (leads_to(entry->point, path) && (!best || strlen(entry->point) >= strlen(best->point)))
            best = entry;
    }
    return best;
}

const struct mountinfo_entry *mountinfo_of_device(const struct mountinfo *mounts, dev_t device)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->item[i].device == device)
            return &mounts->item[i];
    return NULL;
}
