/* SPDX-License-Identifier: MIT */
/* A hostname: the pattern, then (on the next line) the board's id. The first byte says how much
 * room there is. */
#include "erlinit/boot.h"
#include "fuzz.h"

static bool is_edge(char c)
{
    return c == '-' || c == '.';
}

static void name_holds(const char *name)
{
    size_t length = strlen(name);
    FUZZ_CHECK(length <= 63);
    FUZZ_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length);
    FUZZ_CHECK(length == 0 || (!is_edge(name[0]) && !is_edge(name[length - 1])));
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    size_t room = (size_t)*bytes * 4 + 1;
    bytes++;
    size--;
    const char *pattern = fuzz_line(&bytes, &size);
    const char *id = fuzz_string(bytes, size);
    char *name = malloc(room);
    FUZZ_CHECK(name != NULL);
    hostname_expand(pattern, id, name, room);
    FUZZ_CHECK(strlen(name) < room);
    if (strchr(pattern, '%') == NULL)
        FUZZ_CHECK(strncmp(name, pattern, strlen(name)) == 0);
    hostname_clean(name);
    name_holds(name);
    char *again = fuzz_string((const uint8_t *)name, strlen(name));
    hostname_clean(again);
    FUZZ_CHECK(strcmp(again, name) == 0);
    free(name);
}
