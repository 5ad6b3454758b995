/* SPDX-License-Identifier: MIT */
/* What holds for options, whatever they were made of. */
#ifndef OPTIONS_HOLD_H
#define OPTIONS_HOLD_H

#include "erlinit/options.h"
#include "fuzz.h"

static inline void word_holds(const struct option_row *row, const struct word *word)
{
    bool is_default = word->text == row->text;
    FUZZ_CHECK(is_default || (word->text != NULL && *word->text != '\0'));
    FUZZ_CHECK(is_default || word->origin.column > 0);
}

static inline void list_holds(const struct words *list)
{
    FUZZ_CHECK(list->count <= list->room);
    for (size_t i = 0; i < list->count; i++)
        FUZZ_CHECK(*list->item[i].text != '\0' && list->item[i].origin.column > 0);
}

static inline void options_hold(const struct options *options)
{
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *row = &options_table[i];
        const void *place = (const char *)options + row->offset;
        long long number = row->kind == OPTION_NUMBER ? *(const long long *)place : 0;
        if (row->kind == OPTION_FLAG)
            FUZZ_CHECK(*(const unsigned char *)place <= 1);
        else if (row->kind == OPTION_ACTION)
            FUZZ_CHECK(*(const unsigned int *)place <= ACTION_POWEROFF);
        else if (row->kind == OPTION_TEXT)
            word_holds(row, place);
        else if (row->kind == OPTION_LIST)
            list_holds(place);
        else
            FUZZ_CHECK(number >= row->minimum && number <= row->maximum);
    }
}

#endif
