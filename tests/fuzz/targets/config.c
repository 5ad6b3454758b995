/* SPDX-License-Identifier: MIT */
/* A config file: words, and the options that they make. */
#include "erlinit/arena.h"
#include "erlinit/text.h"
#include "options_hold.h"

#include <errno.h>

/* Where a word begins in the file, by its line and column. */
static size_t place_of(const struct origin *origin, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    for (unsigned int line = 1; line < origin->line; line++) {
        const uint8_t *newline = memchr(bytes + at, '\n', size - at);
        FUZZ_CHECK(newline != NULL);
        at = (size_t)(newline - bytes) + 1;
    }
    FUZZ_CHECK(origin->column > 0 && origin->column <= size - at);
    return at + origin->column - 1;
}

/* A word is what the file has at its place, with spaces for NULs, and within one line. */
static size_t word_holds_at(const struct word *word, const uint8_t *bytes, size_t size)
{
    size_t at = place_of(&word->origin, bytes, size);
    at += bytes[at] == '"' ? 1 : 0;
    size_t length = strlen(word->text);
    FUZZ_CHECK(length <= size - at);
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(word->text[i] == (bytes[at + i] == '\0' ? ' ' : (char)bytes[at + i]));
    FUZZ_CHECK(strchr(word->text, '\n') == NULL);
    return at + length;
}

static void words_hold(const struct words *words, const uint8_t *bytes, size_t size)
{
    size_t end = 0;
    for (size_t i = 0; i < words->count; i++) {
        FUZZ_CHECK(place_of(&words->item[i].origin, bytes, size) >= end);
        end = word_holds_at(&words->item[i], bytes, size);
    }
}

/* Written down anew, the words are read as the same. Those with a quote inside can't be quoted, and
 * need not be. */
static void round_trip(const struct words *words)
{
    size_t room = 1;
    for (size_t i = 0; i < words->count; i++)
        room += strlen(words->item[i].text) + 3;
    char *content = malloc(room);
    FUZZ_CHECK(content != NULL);
    struct text text = text_into(content, room);
    for (size_t i = 0; i < words->count; i++) {
        const char *quote = strchr(words->item[i].text, '"') == NULL ? "\"" : "";
        text_format(&text, "%s%s%s\n", quote, words->item[i].text, quote);
    }
    struct words again = {0};
    FUZZ_CHECK(!text.cut);
    FUZZ_CHECK(words_from_config("again", content, text.length, &again) == 0);
    FUZZ_CHECK(again.count == words->count);
    for (size_t i = 0; i < words->count; i++)
        FUZZ_CHECK(strcmp(again.item[i].text, words->item[i].text) == 0);
    free(content);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    struct words words = {0};
    struct options options;
    options_defaults(&options);
    int result = words_from_config("erlinit.config", (const char *)bytes, size, &words);
    FUZZ_CHECK(result == 0 || (result == -ENOMEM && fuzz_starved()));
    words_hold(&words, bytes, size);
    options_parse(&words, &options);
    options_hold(&options);
    /* one complaint a word, and one for all that there was no memory for */
    FUZZ_CHECK(fuzz_log_lines() <= words.count + 1);
    if (!fuzz_may_starve())
        round_trip(&words);
}
