/* SPDX-License-Identifier: MIT */
/* --hostname-pattern, and the id that it asks for. */
#include "check.h"

#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <string.h>

static const struct check_kind hostname_percent = {"hostname-percent", CHECK_WARNING};
static const struct check_kind hostname_character = {"hostname-character", CHECK_WARNING};
static const struct check_kind hostname_case = {"hostname-case", CHECK_NOTE};
static const struct check_kind hostname_long = {"hostname-long", CHECK_WARNING};
static const struct check_kind hostname_empty = {"hostname-empty", CHECK_ERROR};
static const struct check_kind hostname_no_id = {"hostname-no-id", CHECK_WARNING};
static const struct check_kind without_effect = {"without-effect", CHECK_NOTE};

#define DIRECTIVE_BYTES 8 /* %-0.99s and one more */
#define SHOWN_DIRECTIVE 6
#define SOME_ID         "00000000" /* what the id is if there is none */
#define NAME_MOST_BYTES 63
#define NAME_BYTES      4096

/* Whether PID 1 goes on behind the % at `at`: with a mark behind, the mark is in the result. */
static bool is_understood(const char *at)
{
    char result[DIRECTIVE_BYTES + sizeof SOME_ID];
    TEXT_ON_STACK(piece, DIRECTIVE_BYTES + 2);
    size_t length = 1 + strcspn(at + 1, "%");
    text_add_bytes(&piece, at, length < DIRECTIVE_BYTES ? length : DIRECTIVE_BYTES);
    text_add(&piece, "!");
    hostname_expand(piece.at, SOME_ID, result, sizeof result);
    return text_ends_with(result, "!");
}

/* What comes of one character: itself, another one, or NUL (then the second x is in its place). */
static char cleaned(char c)
{
    char name[] = {'x', c, 'x', '\0'}; /* in the middle: edges are cleaned too */
    hostname_clean(name);
    if (name[2] == '\0')
        name[1] = '\0';
    return name[1];
}

/* The first character of each sort is enough. */
static void check_characters(struct check *check, const struct use *use, const char *end)
{
    const char *dropped = NULL, *lowered = NULL;
    for (const char *at = use->value.text; at < end; at++) {
        char c = cleaned(*at);
        if (*at == '%')
            c = '%';
        if (c == '\0' && dropped == NULL)
            dropped = at;
        else if (c != *at && c != '\0' && lowered == NULL)
            lowered = at;
    }
    if (dropped != NULL) {
        struct origin origin = check_place(check, use->holder, dropped);
        size_t whole = text_utf8_length(dropped, strlen(dropped));
        check_say(check, &hostname_character, &origin,
                  "\"%s\" is left out: only a-z, 0-9, hyphen and dot are kept in a hostname",
                  check_shown(dropped, whole > 0 ? whole : 1));
    }
    if (lowered != NULL) {
        struct origin origin = check_place(check, use->holder, lowered);
        check_say(check, &hostname_case, &origin, "capitals become small letters in a hostname");
    }
}

/* Where the expansion ends; *has_id: the id is part of it. */
static const char *check_directives(struct check *check, const struct use *use, bool *has_id)
{
    const char *text = use->value.text;
    *has_id = false;
    for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at + 1, '%')) {
        if (!is_understood(at)) {
            struct origin origin = check_place(check, use->holder, at);
            check_say(check, &hostname_percent, &origin,
                      "`%s` is not understood, and the hostname ends before it; there are %%s, "
                      "%%.4s and %%-.4s",
                      check_shown(at, strnlen(at, SHOWN_DIRECTIVE)));
            return at;
        }
        *has_id = true;
    }
    return text + strlen(text);
}

static void check_result(struct check *check, const struct use *use)
{
    char name[NAME_BYTES];
    hostname_expand(use->value.text, SOME_ID, name, sizeof name);
    size_t length = strlen(name);
    hostname_clean(name);
    if (*name == '\0')
        check_say(check, &hostname_empty, &use->value.origin, "'%s' gives no hostname, none is set",
                  CHECK_SHOWN(use->value.text));
    else if (length > NAME_MOST_BYTES)
        check_say(check, &hostname_long, &use->value.origin, "the hostname is cut at %d characters",
                  NAME_MOST_BYTES);
}

void check_hostname(struct check *check)
{
    const struct use *pattern = CHECK_USE_OF(check, hostname_pattern);
    const struct use *command = CHECK_USE_OF(check, uniqueid_exec);
    bool has_id = false;
    bool is_whole = true;
    if (pattern != NULL) {
        const char *end = check_directives(check, pattern, &has_id);
        is_whole = *end == '\0';
        check_characters(check, pattern, end);
        check_result(check, pattern);
    }
    if (has_id && command == NULL)
        check_say(check, &hostname_no_id, &pattern->value.origin,
                  "without --uniqueid-exec the id of every board is " SOME_ID);
    if (!has_id && is_whole && command != NULL)
        check_say(check, &without_effect, &command->option->origin,
                  "--uniqueid-exec does nothing: no --hostname-pattern asks for the id");
}
