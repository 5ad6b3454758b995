/* SPDX-License-Identifier: MIT */
/* A command's words. */
#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/text.h"
#include "fuzz.h"

#include <errno.h>

/* One word so that it is read as itself: each piece in the quotes that it doesn't have. */
static void add_quoted(struct text *line, const char *word)
{
    text_add(line, "''");
    while (*word != '\0') {
        const char *quote = *word == '\'' ? "\"" : "'";
        size_t length = strcspn(word, quote);
        text_format(line, "%s%.*s%s", quote, (int)length, word, quote);
        word += length;
    }
    text_add(line, " ");
}

static void round_trip(const struct strings *words, size_t length)
{
    size_t room = 4 * length + 4 * words->count + 1;
    char *content = malloc(room);
    FUZZ_CHECK(content != NULL);
    struct text line = text_into(content, room);
    for (size_t i = 0; i < words->count; i++)
        add_quoted(&line, words->item[i]);
    struct strings again = {0};
    FUZZ_CHECK(!line.cut && command_split(line.at, &again) == 0 && again.count == words->count);
    for (size_t i = 0; i < words->count; i++)
        FUZZ_CHECK(strcmp(again.item[i], words->item[i]) == 0);
    free(content);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *line = fuzz_string(bytes, size);
    struct strings words = {0};
    int result = command_split(line, &words);
    if (result < 0) {
        FUZZ_CHECK(result == -ENOMEM ? fuzz_starved() : result == -EINVAL);
        FUZZ_CHECK(words.count == 0 && words.item == NULL);
        return;
    }
    FUZZ_CHECK(words.count > 0 && words.item[words.count] == NULL);
    size_t length = words.count - 1; /* a space between two words at least */
    for (size_t i = 0; i < words.count; i++)
        length += strlen(words.item[i]);
    FUZZ_CHECK(length <= strlen(line));
    if (!fuzz_may_starve())
        round_trip(&words, strlen(line));
}
