/* SPDX-License-Identifier: MIT */
/*
 * What is fine here, and isn't elsewhere: for the established program (which cuts lines and the
 * list of words), and for the Nerves build tool. That one rewrites a configuration: long options,
 * one a line, the value unquoted after a space, and of an option given several times only one,
 * unless it is --env or --mount.
 */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <string.h>

#define OLD_LINE_BYTES 255
#define OLD_WORDS      63

static const struct check_kind long_line = {"long-line", CHECK_NOTE};
static const struct check_kind many_words = {"many-words", CHECK_NOTE};
static const struct check_kind build_tool_quotes = {"build-tool-quotes", CHECK_NOTE};
static const struct check_kind build_tool_repeated = {"build-tool-repeated", CHECK_NOTE};

void check_line_limits(struct check *check)
{
    unsigned int told_line = 0;
    for (size_t i = 0; i < check->words.count; i++) {
        const struct word *word = &check->words.item[i];
        size_t end = word->origin.column - 1 + strlen(word->text);
        if (end > OLD_LINE_BYTES && word->origin.line != told_line) {
            told_line = word->origin.line;
            check_say(check, &long_line, &word->origin,
                      "the established program cuts this line at %d characters: with it, this "
                      "doesn't boot the same",
                      OLD_LINE_BYTES);
        }
    }
    if (check->words.count > OLD_WORDS)
        check_say(check, &many_words, &check->words.item[OLD_WORDS].origin,
                  "the established program stops after %d words: with it, nothing from here on "
                  "counts",
                  OLD_WORDS);
}

/* A value that unquoted would be another one, or several words. */
static bool needs_quotes(const char *value)
{
    if (*value == '\0' || *value == '"')
        return true;
    for (; *value != '\0'; value++)
        if (*value == '#' || text_is_space(*value))
            return true;
    return false;
}

static bool is_kept_by_build_tool(const struct option_row *row)
{
    return row->kind != OPTION_LIST || row->offset == offsetof(struct options, env) ||
           row->offset == offsetof(struct options, mounts);
}

/* One note for all: they have one cause. */
static void check_unquoted(struct check *check)
{
    const struct use *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < check->uses.count; i++) {
        const struct use *use = &check->uses.item[i];
        if (!use->counts || use->value.text == NULL || check_is_on_cmdline(use->option) ||
            !needs_quotes(use->value.text))
            continue;
        first = first == NULL ? use : first;
        count++;
    }
    if (first == NULL)
        return;
    const char *others = count > 1 ? arena_format(" (and %zu more)", count - 1) : "";
    check_say(check, &build_tool_quotes, &first->value.origin,
              "where the Nerves build tool rewrites this file, the value of --%s loses its quotes "
              "and is cut%s",
              first->row->name, others != NULL ? others : "");
}

/* One note for an option. */
static void check_repeated_lists(struct check *check)
{
    size_t seen[sizeof(struct options)] = {0};
    for (size_t i = 0; i < check->uses.count; i++) {
        const struct use *use = &check->uses.item[i];
        if (check_is_on_cmdline(use->option) || is_kept_by_build_tool(use->row))
            continue;
        if (++seen[use->row->offset] == 2)
            check_say(check, &build_tool_repeated, &use->option->origin,
                      "where the Nerves build tool rewrites this file, only one --%s of several is "
                      "left",
                      use->row->name);
    }
}

void check_build_tool(struct check *check)
{
    check_unquoted(check);
    check_repeated_lists(check);
}
