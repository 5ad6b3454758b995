/* SPDX-License-Identifier: MIT */
/*
 * The words of a configuration file. Nothing here is an error: whatever the bytes are, there are
 * words in them. A word keeps its place, so that a checker can look at what ended it (a comment in
 * its middle, the end of the line inside quotes) without the boot paying for that.
 */
#include "erlinit/options.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM_WORDS 32

struct line {
    const char *file;
    unsigned int number;
    const char *start;
    const char *end;
};

static int grow(struct words *words)
{
    size_t room = words->room == 0 ? FIRST_ROOM_WORDS : 2 * words->room;
    struct word *item = arena_alloc(room * sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    if (words->count > 0)
        memcpy(item, words->item, words->count * sizeof *item);
    words->item = item;
    words->room = room;
    return 0;
}

int words_add(struct words *words, const char *text, struct origin origin)
{
    if (words->count == words->room && grow(words) < 0)
        return -ENOMEM;
    words->item[words->count++] = (struct word){text, origin};
    return 0;
}

/* A NUL can't be in a C string; everywhere else it separates words, so it reads as a space. */
static bool is_blank(char c)
{
    return c == '\0' || text_is_space(c);
}

static int add_range(const struct line *line, const char *mark, const char *start, const char *end,
                     struct words *words)
{
    size_t length = (size_t)(end - start);
    char *text = arena_copy(start, length);
    if (text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    struct origin origin = {line->file, line->number, (unsigned int)(mark - line->start) + 1};
    return words_add(words, text, origin);
}

/* *at is at an opening quote, and afterwards behind the closing one or at the end of the line. */
static int take_quoted(const struct line *line, const char **at, struct words *words)
{
    const char *mark = *at;
    const char *start = mark + 1;
    const char *quote = memchr(start, '"', (size_t)(line->end - start));
    const char *end = quote == NULL ? line->end : quote;
    *at = quote == NULL ? end : quote + 1;
    return add_range(line, mark, start, end, words);
}

static int take_plain(const struct line *line, const char **at, struct words *words)
{
    const char *start = *at;
    const char *end = start;
    while (end < line->end && !is_blank(*end) && *end != '#')
        end++;
    *at = end;
    return add_range(line, start, start, end, words);
}

static int take_line(const struct line *line, struct words *words)
{
    int result = 0;
    const char *at = line->start;
    while (result == 0 && at < line->end && *at != '#')
        if (is_blank(*at))
            at++;
        else if (*at == '"')
            result = take_quoted(line, &at, words);
        else
            result = take_plain(line, &at, words);
    return result;
}

int words_from_config(const char *name, const char *content, size_t length, struct words *words)
{
    const char *end = content + length;
    struct line line = {.file = name, .number = 1, .start = content};
    int result = 0;
    while (result == 0 && line.start < end) {
        const char *newline = memchr(line.start, '\n', (size_t)(end - line.start));
        const char *next = newline == NULL ? end : newline + 1;
        line.end = newline == NULL ? end : newline;
        /* Files edited elsewhere: the carriage return belongs to no open quote. */
        if (line.end > line.start && line.end[-1] == '\r')
            line.end--;
        result = take_line(&line, words);
        line.number++;
        line.start = next;
    }
    return result;
}
