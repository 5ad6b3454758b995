/* SPDX-License-Identifier: MIT */
#include "erlinit/options.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"
#include "find.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define SHOWN_BYTES 160 /* of a foreign text in a log line */
/* Unknown options that get a line each. More of them is no config: a million lines at the speed of
 * a serial console take hours, and looking for what is near each takes a minute. */
#define UNKNOWN_MOST 50

/* Goes through the words. Whoever takes a value takes the next word with it. */
struct parser {
    const struct words *words;
    size_t next;
    struct options *options;
    bool no_memory;
    unsigned int unknown;
};

#define SHOW(name, string, length)                                                                 \
    TEXT_ON_STACK(name, SHOWN_BYTES);                                                              \
    text_add_printable(&(name), string, length)

#ifdef ERLINIT_DESK
static void (*use_watcher)(const struct option_use *use);

void options_set_watcher(void (*watcher)(const struct option_use *use))
{
    use_watcher = watcher;
}

static void tell(const struct parser *parser, const struct option_row *row,
                 const struct word *value, bool on)
{
    const struct option_use use = {row, parser->next, value, on};
    if (use_watcher != NULL)
        use_watcher(&use);
}
#else
#define tell(parser, row, value, on) ((void)0)
#endif

static void *place_of(const struct parser *parser, const struct option_row *row)
{
    return (char *)parser->options + row->offset;
}

static const struct word *peek(const struct parser *parser)
{
    return parser->next < parser->words->count ? &parser->words->item[parser->next] : NULL;
}

static bool is_truth(const char *text, bool *truth)
{
    bool is_true = strcmp(text, "true") == 0;
    if (is_true || strcmp(text, "false") == 0) {
        *truth = is_true;
        return true;
    }
    return false;
}

static void store_flag(const struct parser *parser, const struct option_row *row, bool on)
{
    tell(parser, row, NULL, on);
    if (row->kind == OPTION_FLAG)
        *(bool *)place_of(parser, row) = on;
    else if (on)
        *(enum action *)place_of(parser, row) = (enum action)row->value;
}

/* An empty text is as good as none: that is how one line takes back what an earlier one gave. */
static void store_text(const struct parser *parser, const struct option_row *row, struct word value)
{
    struct word *place = place_of(parser, row);
    *place = *value.text != '\0' ? value : (struct word){.text = row->text};
}

static const char *part_end(const char *text, char separator)
{
    const char *end = text;
    while (*end != '\0' && *end != separator)
        end += end[0] == '\\' && end[1] == separator ? 2 : 1;
    return end;
}

static void store_list(struct parser *parser, const struct option_row *row, struct word value)
{
    struct words *place = place_of(parser, row);
    const char *at = value.text;
    while (*at != '\0') {
        const char *end = row->value != 0 ? part_end(at, (char)row->value) : at + strlen(at);
        const char *part = *end == '\0' ? at : arena_copy(at, (size_t)(end - at));
        if (end > at && (part == NULL || words_add(place, part, value.origin) < 0))
            parser->no_memory = true;
        at = *end == '\0' ? end : end + 1;
    }
}

static void store_number(const struct parser *parser, const struct option_row *row,
                         struct word value)
{
    long long number = 0;
    int result = text_to_number(value.text, 10, LLONG_MIN, LLONG_MAX, &number);
    if (result == -ERANGE) {
        number = strchr(value.text, '-') != NULL ? LLONG_MIN : LLONG_MAX;
    } else if (result < 0) {
        SHOW(shown, value.text, strlen(value.text));
        log_at(LOG_WARNING, &value.origin, "--%s: \"%s\" is no number of %s, ignored", row->name,
               shown.at, row->argument);
        return;
    }
    if (number > row->maximum) {
        log_at(LOG_WARNING, &value.origin, "--%s: too large, %d is used", row->name, row->maximum);
        number = row->maximum;
    }
    *(long long *)place_of(parser, row) = number < row->minimum ? row->minimum : number;
}

static void store_value(struct parser *parser, const struct option_row *row, struct word value)
{
    tell(parser, row, &value, true);
    switch (row->kind) {
    case OPTION_TEXT:
        store_text(parser, row, value);
        break;
    case OPTION_LIST:
        store_list(parser, row, value);
        break;
    default:
        store_number(parser, row, value);
        break;
    }
}

/* The value of an option that takes one: attached to its word, else the whole next word whatever it
 * looks like. */
static void take_value(struct parser *parser, const struct option_row *row, const char *attached,
                       const struct word *word)
{
    if (attached != NULL) {
        store_value(parser, row, (struct word){attached, word->origin});
        return;
    }
    const struct word *next = peek(parser);
    if (next == NULL) {
        log_at(LOG_WARNING, &word->origin, "--%s needs a value (%s), ignored", row->name,
               row->argument);
        return;
    }
    parser->next++;
    store_value(parser, row, *next);
}

/* Build tools that don't know a flag write `--flag true`. */
static void take_flag(struct parser *parser, const struct option_row *row)
{
    bool on = true;
    const struct word *next = peek(parser);
    if (next != NULL && is_truth(next->text, &on))
        parser->next++;
    store_flag(parser, row, on);
}

static void take_attached_flag(const struct parser *parser, const struct option_row *row,
                               const char *attached, const struct word *word)
{
    bool on = true;
    if (is_truth(attached, &on)) {
        store_flag(parser, row, on);
        return;
    }
    SHOW(shown, attached, strlen(attached));
    log_at(LOG_WARNING, &word->origin, "--%s takes no value but true or false: \"%s\", ignored",
           row->name, shown.at);
}

/* Whether this unknown option gets a line of its own. */
static bool may_warn(struct parser *parser, const struct word *word)
{
    if (parser->unknown == UNKNOWN_MOST)
        log_at(LOG_WARNING, &word->origin,
               "too many unknown options, the rest is ignored silently");
    if (parser->unknown <= UNKNOWN_MOST)
        parser->unknown++;
    return parser->unknown <= UNKNOWN_MOST;
}

static void warn_unknown(const struct word *word, const char *name, size_t length)
{
    SHOW(shown, word->text, strlen(word->text));
    const struct option_row *nearest = find_nearest(name, length);
    if (nearest == NULL) {
        log_at(LOG_WARNING, &word->origin, "unknown option \"%s\", ignored", shown.at);
    } else {
        log_at(LOG_WARNING, &word->origin, "unknown option \"%s\", ignored; did you mean --%s?",
               shown.at, nearest->name);
    }
}

static void warn_ambiguous(const struct word *word, const char *name, size_t length)
{
    TEXT_ON_STACK(candidates, 512);
    for (size_t i = 0; i < options_table_count; i++)
        if (find_is_prefix(&options_table[i], name, length))
            text_format(&candidates, " --%s", options_table[i].name);
    SHOW(shown, word->text, strlen(word->text));
    log_at(LOG_WARNING, &word->origin, "\"%s\" is ambiguous, ignored; it can be:%s", shown.at,
           candidates.at);
}

static void take_long(struct parser *parser, const struct word *word)
{
    const char *name = word->text + 2;
    size_t length = strcspn(name, "=");
    const char *attached = name[length] == '=' ? name + length + 1 : NULL;
    const struct option_row *row = NULL;
    size_t found = find_name(name, length, &row);
    if (found == 0 && may_warn(parser, word))
        warn_unknown(word, name, length);
    else if (found > 1 && may_warn(parser, word))
        warn_ambiguous(word, name, length);
    else if (found != 1)
        return;
    else if (row->argument != NULL)
        take_value(parser, row, attached, word);
    else if (attached != NULL)
        take_attached_flag(parser, row, attached, word);
    else
        take_flag(parser, row);
}

/* -vt, -cttyS0, -vcttyS0: what takes a value ends the cluster. One complaint a word: rubbish is all
 * unknown letters. */
static void take_cluster(struct parser *parser, const struct word *word)
{
    bool warned = false;
    for (const char *letter = word->text + 1; *letter != '\0'; letter++) {
        const struct option_row *row = find_letter(*letter);
        bool is_last = letter[1] == '\0';
        if (row == NULL) {
            SHOW(shown, letter, 1);
            if (!warned && may_warn(parser, word))
                log_at(LOG_WARNING, &word->origin, "unknown option -%s, ignored", shown.at);
            warned = true;
        } else if (row->argument != NULL) {
            take_value(parser, row, is_last ? NULL : letter + 1, word);
            return;
        } else if (is_last) {
            take_flag(parser, row);
        } else {
            store_flag(parser, row, true);
        }
    }
}

void options_parse(const struct words *words, struct options *options)
{
    struct parser parser = {.words = words, .options = options};
    const struct word *word;
    while ((word = peek(&parser)) != NULL) {
        parser.next++;
        if (text_equal(word->text, "--"))
            continue; /* what follows are options too: the kernel puts its own `--` before them */
        if (text_starts_with(word->text, "--"))
            take_long(&parser, word);
        else if (*word->text == '-')
            take_cluster(&parser, word);
    }
    if (parser.no_memory)
        log_error("no memory for the whole configuration, part of it is ignored");
}

void options_defaults(struct options *options)
{
    memset(options, 0, sizeof *options);
    struct parser parser = {.options = options};
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *row = &options_table[i];
        if (row->kind == OPTION_NUMBER)
            *(long long *)place_of(&parser, row) = row->value;
        else if (row->kind == OPTION_TEXT)
            *(struct word *)place_of(&parser, row) = (struct word){.text = row->text};
    }
}
