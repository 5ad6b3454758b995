/* SPDX-License-Identifier: MIT */
#include "find.h"

#include <string.h>

#define MISTAKES_MOST   2
#define NAME_MOST_BYTES 48 /* longer than any name in the table: nothing is near a longer one */

const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < options_table_count; i++)
        if (options_table[i].letter == letter)
            return &options_table[i];
    return NULL;
}

bool find_is_prefix(const struct option_row *row, const char *name, size_t length)
{
    return length > 0 && strncmp(row->name, name, length) == 0;
}

static size_t find_prefix(const char *name, size_t length, bool ours, const struct option_row **row)
{
    size_t found = 0;
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *candidate = &options_table[i];
        if (candidate->ours != ours || !find_is_prefix(candidate, name, length))
            continue;
        if (candidate->name[length] == '\0') {
            *row = candidate;
            return 1;
        }
        if (found++ == 0)
            *row = candidate;
    }
    return found;
}

size_t find_name(const char *name, size_t length, const struct option_row **row)
{
    size_t found = find_prefix(name, length, false, row);
    return found > 0 ? found : find_prefix(name, length, true, row);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row of its matrix at a time. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t cost[NAME_MOST_BYTES + 1];
    for (size_t j = 0; j <= b_length; j++)
        cost[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = cost[0];
        cost[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = cost[j];
            cost[j] = least(replace, 1 + least(cost[j], cost[j - 1]));
        }
    }
    return cost[b_length];
}

const struct option_row *find_nearest(const char *name, size_t length)
{
    const struct option_row *nearest = NULL;
    size_t mistakes = MISTAKES_MOST + 1;
    for (size_t i = 0; length <= NAME_MOST_BYTES && i < options_table_count; i++) {
        const char *other = options_table[i].name;
        size_t here = distance(other, strlen(other), name, length);
        if (here < mistakes) {
            mistakes = here;
            nearest = &options_table[i];
        }
    }
    return nearest;
}
