/* SPDX-License-Identifier: MIT */
/* /proc/self/mountinfo, and questions to it: a path on the first line, then the table. */
#include "../../../src/boot/mountinfo.h"
#include "fuzz.h"

#include <errno.h>

static void entry_holds(const struct mount_entry *entry, const char *start, const char *end)
{
    const char *const texts[] = {entry->target, entry->type, entry->source};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        FUZZ_CHECK(texts[i] >= start && texts[i] + strlen(texts[i]) < end);
    FUZZ_CHECK(*entry->super_options == '\0' ||
               (entry->super_options >= start && entry->super_options < end));
    FUZZ_CHECK(entry->id >= 0 && entry->parent >= 0);
    FUZZ_CHECK(strchr(entry->type, ' ') == NULL);
    (void)mount_is_block(entry);
}

static void answers_hold(const struct mount_table *table, const char *path)
{
    const struct mount_entry *entry = mountinfo_of_path(table, path);
    if (entry != NULL) {
        size_t length = strlen(entry->target);
        FUZZ_CHECK(entry >= table->item && entry < table->item + table->count);
        FUZZ_CHECK(length == 1 || strncmp(entry->target, path, length) == 0);
        FUZZ_CHECK(mountinfo_of_device(table, entry->device) != NULL);
    }
    entry = mountinfo_first_block(table);
    FUZZ_CHECK(entry == NULL || mount_is_block(entry));
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_line(&bytes, &size);
    char *text = fuzz_string(bytes, size);
    const char *end = text + strlen(text) + 1;
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n' ? 1 : 0;
    struct mount_table table = {0};
    int result = mounts_parse(text, &table);
    FUZZ_CHECK(result == 0 || (result == -ENOMEM && fuzz_starved()));
    FUZZ_CHECK(table.count <= lines);
    for (size_t i = 0; i < table.count; i++)
        entry_holds(&table.item[i], text, end);
    answers_hold(&table, path);
}
