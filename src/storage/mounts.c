/* SPDX-License-Identifier: MIT */
#include "erlinit/mounts.h"

#include "erlinit/arena.h"
#include "erlinit/log.h"
#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Cuts the next space-separated field off. NULL at the end of the line. */
static char *next_field(char **rest)
{
    char *field = *rest;
    if (field == NULL || *field == '\0')
        return NULL;
    char *end = field + strcspn(field, " ");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return field;
}

/* proc(5): space, tab, newline and backslash are written as \ooo. */
void mounts_unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        bool octal = from[0] == '\\';
        for (int i = 1; i <= 3 && octal; i++)
            octal = from[i] >= '0' && from[i] <= '7';
        if (octal) {
            *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static bool has_option(const char *options, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *at = options; *at != '\0';) {
        size_t this = strcspn(at, ",");
        if (this == length && memcmp(at, wanted, length) == 0)
            return true;
        at += this + (at[this] == ',' ? 1 : 0);
    }
    return false;
}

static bool parse_device(char *field, dev_t *device)
{
    char *colon = strchr(field, ':');
    long long major_number = 0;
    long long minor_number = 0;
    if (colon == NULL)
        return false;
    *colon = '\0';
    if (text_to_number(field, 10, 0, 0xfff, &major_number) < 0 ||
        text_to_number(colon + 1, 10, 0, 0xfffff, &minor_number) < 0)
        return false;
    *device = makedev((unsigned int)major_number, (unsigned int)minor_number);
    return true;
}

/* id parent major:minor root target options [optional...] - type source super-options */
static bool parse_line(char *line, struct mount_entry *entry)
{
    char *field[6];
    for (int i = 0; i < 6; i++)
        if ((field[i] = next_field(&line)) == NULL)
            return false;
    char *mark = next_field(&line);
    while (mark != NULL && !text_equal(mark, "-"))
        mark = next_field(&line);
    char *type = next_field(&line);
    char *source = next_field(&line);
    char *super_options = next_field(&line);
    long long id = 0;
    long long parent = 0;
    if (mark == NULL || type == NULL || source == NULL ||
        text_to_number(field[0], 10, 0, 0x7fffffff, &id) < 0 ||
        text_to_number(field[1], 10, 0, 0x7fffffff, &parent) < 0 ||
        !parse_device(field[2], &entry->device))
        return false;
    mounts_unescape(field[4]);
    mounts_unescape(source);
    entry->id = (int)id;
    entry->parent = (int)parent;
    entry->target = field[4];
    entry->type = type;
    entry->source = source;
    entry->super_options = super_options != NULL ? super_options : "";
    entry->super_read_only = has_option(entry->super_options, "ro");
    return true;
}

int mounts_parse(char *text, struct mount_table *table)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n' ? 1 : 0;
    struct mount_entry *item = arena_alloc(lines * sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    size_t count = 0;
    while (*text != '\0') {
        char *end = text + strcspn(text, "\n");
        char *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        if (parse_line(text, &item[count]))
            count++;
        text = next;
    }
    table->item = item;
    table->count = count;
    return 0;
}

/* Procfs files tell no size: read with a larger buffer until one read has room left. */
static int load_text(char **text)
{
    for (size_t size = 16384;; size *= 4) {
        char *buffer = arena_alloc(size);
        if (buffer == NULL)
            return -ENOMEM;
        int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        size_t length = 0;
        ssize_t got = 0;
        while (length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
            length += (size_t)got;
        int reason = errno;
        (void)close(fd);
        if (got < 0)
            return -reason;
        if (got == 0) {
            *text = buffer;
            return 0;
        }
    }
}

int mounts_load(struct mount_table *table)
{
    char *text = NULL;
    int result = load_text(&text);
    return text == NULL ? result : mounts_parse(text, table);
}

bool mount_is_block(const struct mount_entry *entry)
{
    /* anonymous devices (tmpfs, proc, overlay, network) have major number 0; btrfs has too, but
     * names its disk */
    return major(entry->device) != 0 || text_starts_with(entry->source, "/dev/");
}
