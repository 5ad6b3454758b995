/* SPDX-License-Identifier: MIT */
/* Reads the words as PID 1 does, with its own parser, and keeps what it was told about each. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define FIRST_ROOM 64

static const struct check_log_kind parser_says[] = {
    {"unknown option", {"unknown-option", CHECK_ERROR}},
    {"too many unknown", {"unknown-option", CHECK_ERROR}},
    {"is ambiguous", {"ambiguous-option", CHECK_ERROR}},
    {"needs a value", {"missing-value", CHECK_ERROR}},
    {"takes no value", {"flag-value", CHECK_ERROR}},
    {"is no number", {"not-a-number", CHECK_ERROR}},
    {"too large", {"number-too-large", CHECK_WARNING}},
    {NULL, {NULL, CHECK_ERROR}},
};

/* The parser's calls have no context of their own. */
static struct {
    struct check *check;
    const struct words *words;
    size_t first; /* number of its first word in check->use_of */
} reading;

static int grow(struct uses *uses)
{
    size_t room = uses->room == 0 ? FIRST_ROOM : 2 * uses->room;
    struct use *item = arena_alloc(room * sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    if (uses->count > 0)
        memcpy(item, uses->item, uses->count * sizeof *item);
    uses->item = item;
    uses->room = room;
    return 0;
}

/* How many words the use has: a value, or the `true` of a flag, can be a word of its own. */
static size_t words_of(const struct option_use *told, const struct word *last)
{
    bool apart = told->value != NULL ? told->value->text == last->text : *last->text != '-';
    return apart ? 2 : 1;
}

/* Whether it changes anything: an action's `false` doesn't, nor what is no number. */
static bool is_effective(const struct use *use)
{
    long long number;
    if (use->row->kind == OPTION_ACTION)
        return use->on;
    return use->row->kind != OPTION_NUMBER ||
           text_to_number(use->value.text, 10, LLONG_MIN, LLONG_MAX, &number) != -EINVAL;
}

static void keep(const struct option_use *told)
{
    struct check *check = reading.check;
    struct uses *uses = &check->uses;
    const struct word *last = &reading.words->item[told->behind - 1];
    size_t count = words_of(told, last);
    if (uses->count == uses->room && grow(uses) < 0) {
        check->findings->no_memory = true;
        return;
    }
    for (size_t i = told->behind - count; i < told->behind; i++)
        check->use_of[reading.first + i] = (unsigned int)uses->count + 1;
    struct use *use = &uses->item[uses->count];
    *use = (struct use){
        .row = told->row,
        .option = last - (count - 1),
        .holder = last,
        .value = told->value != NULL ? *told->value : (struct word){.text = NULL},
        .number = uses->count,
        .on = told->on,
    };
    use->effective = is_effective(use);
    uses->count++;
}

static void read_words(struct check *check, const struct words *words, size_t first)
{
    reading.check = check;
    reading.words = words;
    reading.first = first;
    options_parse(words, &check->options);
}

static void see_what_counts(struct check *check)
{
    bool seen[sizeof(struct options)] = {false};
    for (size_t i = check->uses.count; i > 0; i--) {
        struct use *use = &check->uses.item[i - 1];
        bool *later = &seen[use->row->offset];
        use->counts = use->effective && (use->row->kind == OPTION_LIST || !*later);
        *later = *later || use->counts;
    }
}

void check_read(struct check *check)
{
    options_defaults(&check->options);
    size_t words = check->words.count + check->arguments.count;
    check->use_of = arena_alloc((words + 1) * sizeof *check->use_of);
    if (check->use_of == NULL) {
        check->findings->no_memory = true;
        return;
    }
    const struct origin nowhere = {.file = check->name};
    check_take_log(check, parser_says, &nowhere);
    options_set_watcher(keep);
    read_words(check, &check->words, 0);
    read_words(check, &check->arguments, check->words.count);
    options_set_watcher(NULL);
    check_take_log(check, NULL, NULL);
    see_what_counts(check);
}

bool check_is_use_of(const struct use *use, size_t field)
{
    return use->row->offset == field && use->counts &&
           (use->value.text == NULL || *use->value.text != '\0');
}

const struct use *check_use_of(const struct check *check, size_t field)
{
    for (size_t i = check->uses.count; i > 0; i--)
        if (check_is_use_of(&check->uses.item[i - 1], field))
            return &check->uses.item[i - 1];
    return NULL;
}
