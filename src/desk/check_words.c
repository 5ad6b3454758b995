/* SPDX-License-Identifier: MIT */
/* How the words of the file end, and what stands in them that only looks right. */
#include "check.h"

#include "erlinit/text.h"

#include <string.h>

static const struct check_kind unclosed_quote = {"unclosed-quote", CHECK_WARNING};
static const struct check_kind text_after_quote = {"text-after-quote", CHECK_WARNING};
static const struct check_kind quote_in_word = {"quote-in-word", CHECK_WARNING};
static const struct check_kind comment_in_word = {"comment-in-word", CHECK_WARNING};
static const struct check_kind control_character = {"control-character", CHECK_WARNING};
static const struct check_kind lookalike = {"lookalike-character", CHECK_WARNING};

/* Bytes that are taken for something else by who reads the file in an editor. */
static const struct {
    const char *bytes;
    const char *what;
    enum { ANYWHERE, AT_START, AT_EDGE } where;
} lookalikes[] = {
    {"\xe2\x80\x9c", "a typographic quote, which quotes nothing", AT_EDGE},
    {"\xe2\x80\x9d", "a typographic quote, which quotes nothing", AT_EDGE},
    {"\xe2\x80\x9e", "a typographic quote, which quotes nothing", AT_EDGE},
    {"\xe2\x80\x98", "a typographic quote, which quotes nothing", AT_EDGE},
    {"\xe2\x80\x99", "a typographic quote, which quotes nothing", AT_EDGE},
    {"\xe2\x80\x93", "a dash that is no hyphen: this is no option", AT_START},
    {"\xe2\x80\x94", "a dash that is no hyphen: this is no option", AT_START},
    {"\xe2\x88\x92", "a minus sign that is no hyphen: this is no option", AT_START},
    {"\xc2\xa0", "a no-break space, which separates no words", ANYWHERE},
    {"\xe2\x80\x8b", "an invisible space, which is part of the word", ANYWHERE},
    {"\xef\xbb\xbf", "an invisible byte order mark, which is part of the word", ANYWHERE},
};

static bool is_blank(char c)
{
    return c == '\0' || text_is_space(c);
}

/* What the file has behind the word: where its text ends, before a closing quote. */
static size_t end_of(const struct check *check, const struct word *word)
{
    size_t start = check->lines[word->origin.line - 1] + word->origin.column - 1;
    return start + (check_is_quoted(check, word) ? 1 : 0) + strlen(word->text);
}

static bool is_at(const struct check *check, size_t at, char c)
{
    return at < check->length && check->content[at] == c;
}

static void check_quoted(struct check *check, const struct word *word)
{
    size_t end = end_of(check, word);
    if (!is_at(check, end, '"')) {
        check_say(check, &unclosed_quote, &word->origin,
                  "this quote is never closed: the word ends with the line");
        return;
    }
    end++;
    if (end >= check->length || is_blank(check->content[end]) || check->content[end] == '#')
        return;
    struct origin origin = word->origin;
    origin.column = (unsigned int)(end - check->lines[origin.line - 1]) + 1;
    check_say(check, &text_after_quote, &origin,
              "what follows a closing quote directly is a word of its own");
}

static void check_comment(struct check *check, const struct word *word)
{
    size_t end = end_of(check, word);
    if (!is_at(check, end, '#'))
        return;
    struct origin origin = word->origin;
    origin.column = (unsigned int)(end - check->lines[origin.line - 1]) + 1;
    check_say(check, &comment_in_word, &origin,
              "a comment begins here, in the middle of a word; what is left of it is \"%s\" "
              "(quotes around the whole word keep it together)",
              CHECK_SHOWN(word->text));
}

/* If one is open, this may be meant to close it, and both are one mistake. Returns whether one is
 * open now. */
static bool check_inner_quote(struct check *check, const struct word *word, bool is_open)
{
    const char *quote = strchr(word->text, '"');
    if (quote == NULL)
        return is_open;
    if (is_open)
        return false;
    struct origin origin = check_place(check, word, quote);
    check_say(check, &quote_in_word, &origin,
              "a quote in the middle of a word is part of it and keeps nothing together; the word "
              "is `%s` (quotes go around the whole word)",
              CHECK_SHOWN(word->text));
    return strchr(quote + 1, '"') == NULL;
}

static void check_lookalikes(struct check *check, const struct word *word)
{
    size_t length = strlen(word->text);
    for (size_t i = 0; i < sizeof lookalikes / sizeof lookalikes[0]; i++) {
        size_t size = strlen(lookalikes[i].bytes);
        const char *found = text_find(word->text, lookalikes[i].bytes);
        if (found != NULL && lookalikes[i].where == AT_EDGE && found != word->text &&
            text_ends_with(word->text, lookalikes[i].bytes))
            found = word->text + length - size;
        bool is_start = found == word->text;
        bool is_end = found != NULL && found[size] == '\0';
        if (found == NULL || (lookalikes[i].where == AT_START && !is_start) ||
            (lookalikes[i].where == AT_EDGE && !is_start && !is_end))
            continue;
        struct origin origin = check_place(check, word, found);
        check_say(check, &lookalike, &origin, "%s", lookalikes[i].what);
        return;
    }
}

/* One a line. Carriage returns are at the end of lines only, where they are left out. */
static void check_characters(struct check *check)
{
    for (size_t line = 0; line < check->line_count; line++) {
        size_t end = line + 1 < check->line_count ? check->lines[line + 1] - 1 : check->length;
        if (end > check->lines[line] && check->content[end - 1] == '\r')
            end--;
        for (size_t at = check->lines[line]; at < end; at++) {
            unsigned char c = (unsigned char)check->content[at];
            if ((c >= ' ' && c != 0x7f) || c == '\t')
                continue;
            struct origin origin = {check->name, (unsigned int)line + 1,
                                    (unsigned int)(at - check->lines[line]) + 1};
            check_say(check, &control_character, &origin, "a control character (0x%02x)%s",
                      (unsigned int)c, is_blank((char)c) ? ", which separates words" : "");
            break;
        }
    }
}

void check_words(struct check *check)
{
    unsigned int line = 0;
    bool is_open = false; /* a quote in the middle of a word, somewhere before in the line */
    check_characters(check);
    for (size_t i = 0; i < check->words.count; i++) {
        const struct word *word = &check->words.item[i];
        is_open = is_open && word->origin.line == line;
        line = word->origin.line;
        if (check_is_quoted(check, word)) {
            check_quoted(check, word);
        } else {
            check_comment(check, word);
            is_open = check_inner_quote(check, word, is_open);
        }
        check_lookalikes(check, word);
    }
}
