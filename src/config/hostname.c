/* SPDX-License-Identifier: MIT */
/* The hostname, as far as it is text: the pattern, and what a name may look like. */
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <string.h>

#define NAME_MOST_BYTES 63 /* of a label, RFC 1035; the kernel takes 64 in all */

/* What a % asks for: the first or the last `most` bytes of the id. */
struct directive {
    bool from_end;
    size_t most;
};

/* One or two digits and the s. Returns what is behind, or NULL. */
static const char *parse_count(const char *at, size_t *count)
{
    if (!text_is_digit(*at))
        return NULL;
    *count = 0;
    for (int digits = 0; digits < 2 && text_is_digit(*at); digits++)
        *count = 10 * *count + (size_t)(*at++ - '0');
    return *at == 's' ? at + 1 : NULL;
}

/* %s, %.Ns, %-.Ns and %-0.Ns; `at` is behind the %. Returns what is behind, or NULL if it is
 * something else. */
static const char *parse_directive(const char *at, struct directive *directive)
{
    *directive = (struct directive){.from_end = false, .most = SIZE_MAX};
    if (*at == 's')
        return at + 1;
    if (*at == '-') {
        directive->from_end = true;
        at += at[1] == '0' ? 2 : 1;
    }
    return *at == '.' ? parse_count(at + 1, &directive->most) : NULL;
}

void hostname_expand(const char *pattern, const char *id, char *buffer, size_t size)
{
    struct text text = text_into(buffer, size);
    size_t length = strlen(id);
    while (*pattern != '\0') {
        if (*pattern != '%') {
            text_add_bytes(&text, pattern++, 1);
            continue;
        }
        struct directive directive;
        pattern = parse_directive(pattern + 1, &directive);
        if (pattern == NULL)
            return;
        size_t count = directive.most < length ? directive.most : length;
        text_add_bytes(&text, directive.from_end ? id + length - count : id, count);
    }
}

static char clean_character(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    bool kept = (c >= 'a' && c <= 'z') || text_is_digit(c) || c == '-' || c == '.';
    if (!kept)
        c = '\0';
    return c;
}

static bool is_edge(char c)
{
    return c == '-' || c == '.';
}

void hostname_clean(char *name)
{
    char *to = name;
    for (const char *from = name; *from != '\0' && to - name < NAME_MOST_BYTES; from++) {
        char c = clean_character(*from);
        if (c != '\0' && !(to == name && is_edge(c)))
            *to++ = c;
    }
    while (to > name && is_edge(to[-1]))
        to--;
    *to = '\0';
}
