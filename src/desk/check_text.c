/* SPDX-License-Identifier: MIT */
/* Places: where in the file, or on the command line, a part of a word stands. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>

#define SHOWN_BYTES 80

static size_t count_lines(const char *content, size_t length)
{
    size_t count = 1;
    for (size_t i = 0; i < length; i++)
        count += content[i] == '\n';
    return count;
}

int check_index_lines(struct check *check)
{
    size_t count = count_lines(check->content, check->length);
    size_t *lines = arena_alloc(count * sizeof *lines);
    if (lines == NULL)
        return -ENOMEM;
    size_t line = 1;
    for (size_t i = 0; i < check->length; i++)
        if (check->content[i] == '\n')
            lines[line++] = i + 1;
    check->lines = lines;
    check->line_count = count;
    return 0;
}

bool check_is_on_cmdline(const struct word *word)
{
    return text_equal(word->origin.file, CHECK_CMDLINE);
}

bool check_is_quoted(const struct check *check, const struct word *word)
{
    size_t column = word->origin.column - 1;
    if (check_is_on_cmdline(word))
        return check->cmdline_text[column] == '"';
    return check->content[check->lines[word->origin.line - 1] + column] == '"';
}

struct origin check_place(const struct check *check, const struct word *holder, const char *at)
{
    struct origin origin = holder->origin;
    origin.column += (unsigned int)(at - holder->text);
    if (at != holder->text && check_is_quoted(check, holder))
        origin.column++;
    return origin;
}

const char *check_where(const struct word *word)
{
    const char *where = "the kernel command line";
    const char *line = NULL;
    if (!check_is_on_cmdline(word))
        line = arena_format("line %u", word->origin.line);
    return line != NULL ? line : where;
}

const char *check_shown(const char *text, size_t length)
{
    TEXT_ON_STACK(shown, SHOWN_BYTES);
    text_add_printable(&shown, text, length);
    const char *copy = arena_string(shown.at);
    return copy != NULL ? copy : "...";
}
