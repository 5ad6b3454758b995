/* SPDX-License-Identifier: MIT */
/* Words that are no options, options that are values, and options that are written twice. */
#include "../config/find.h"
#include "check.h"

#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const struct check_kind stray_word = {"stray-word", CHECK_WARNING};
static const struct check_kind swallowed_option = {"swallowed-option", CHECK_WARNING};
const struct check_kind check_override = {"override", CHECK_WARNING};
const struct check_kind check_cmdline_override = {"cmdline-override", CHECK_NOTE};
const struct check_kind check_repeated = {"repeated", CHECK_NOTE};
static const struct check_kind false_without_effect = {"false-without-effect", CHECK_WARNING};
static const struct check_kind number_too_small = {"number-too-small", CHECK_WARNING};
static const struct check_kind milliseconds = {"milliseconds", CHECK_WARNING};

#define FEW_MS 100 /* whoever writes less means seconds */

/* ---- words that belong to nothing ---- */

static bool is_exact_name(const char *text)
{
    const struct option_row *row;
    size_t length = strlen(text);
    return find_name(text, length, &row) == 1 && row->name[length] == '\0';
}

/* Directly behind a closing quote: that was said about the quote already. */
static bool is_glued(const struct check *check, const struct word *word)
{
    size_t column = word->origin.column - 1;
    return column > 0 && !check_is_on_cmdline(word) &&
           check->content[check->lines[word->origin.line - 1] + column - 1] == '"';
}

static const char *stray_hint(const struct word *word, const struct use *before)
{
    if (is_exact_name(word->text))
        return "; an option begins with --";
    if (check_is_on_cmdline(word) && strchr(word->text, '=') != NULL)
        return "; behind `--` it is no environment either";
    if (before != NULL && before->row->argument == NULL)
        return "; flags are followed by `true`, `false` or nothing";
    return "";
}

/* `use_of` has the numbers for `words`. */
static void check_stray(struct check *check, const struct words *words, size_t i,
                        const unsigned int *use_of)
{
    const struct word *word = &words->item[i];
    bool is_dashed = *word->text == '-' && word->text[1] != '\0';
    /* what follows an unknown option is its value, most likely: one complaint is enough */
    bool follows_unknown = i > 0 && use_of[i - 1] == 0 && *words->item[i - 1].text == '-';
    if (use_of[i] > 0 || is_dashed || follows_unknown || is_glued(check, word))
        return;
    bool follows_use = i > 0 && use_of[i - 1] > 0;
    const struct use *before = follows_use ? &check->uses.item[use_of[i - 1] - 1] : NULL;
    check_say(check, &stray_word, &word->origin,
              "\"%s\" is neither an option nor the value of one%s", CHECK_SHOWN(word->text),
              stray_hint(word, before));
}

void check_strays(struct check *check)
{
    for (size_t i = 0; i < check->words.count; i++)
        check_stray(check, &check->words, i, check->use_of);
    /* before `--` the kernel hands over whatever it doesn't know */
    size_t first = 0;
    for (size_t i = 0; i < check->cmdline.count; i++)
        first += check->cmdline.word[i].fate == CMDLINE_ARGUMENT &&
                 !check->cmdline.word[i].behind_dashes;
    for (size_t i = first; i < check->arguments.count; i++)
        check_stray(check, &check->arguments, i, check->use_of + check->words.count);
}

/* ---- options that became a value ---- */

static bool looks_like_option(const char *text)
{
    const struct option_row *row;
    if (text_starts_with(text, "--"))
        return find_name(text + 2, strcspn(text + 2, "="), &row) > 0;
    return *text == '-' && text[1] != '\0' && find_letter(text[1]) != NULL;
}

void check_swallowed(struct check *check)
{
    for (size_t i = 0; i < check->uses.count; i++) {
        const struct use *use = &check->uses.item[i];
        if (use->value.text == NULL || use->holder == use->option ||
            check_is_quoted(check, use->holder) || !looks_like_option(use->value.text))
            continue;
        check_say(check, &swallowed_option, &use->value.origin,
                  "\"%s\" is taken as the value of --%s, and is no option here",
                  CHECK_SHOWN(use->value.text), use->row->name);
    }
}

/* ---- the last one counts ---- */

static bool is_same(const struct use *a, const struct use *b)
{
    if (a->row->kind == OPTION_ACTION)
        return a->row->value == b->row->value;
    return a->value.text == NULL ? a->on == b->on : text_equal(a->value.text, b->value.text);
}

static const struct check_kind *kind_of_override(const struct use *earlier, const struct use *use)
{
    if (is_same(earlier, use))
        return &check_repeated;
    bool across = !check_is_on_cmdline(earlier->option) && check_is_on_cmdline(use->option);
    return across ? &check_cmdline_override : &check_override;
}

static void say_override(struct check *check, const struct use *earlier, const struct use *use)
{
    const struct check_kind *kind = kind_of_override(earlier, use);
    const char *verb = kind == &check_repeated ? "is the same as" : "overrides";
    const char *where = check_where(earlier->option);
    if (use->value.text == NULL)
        check_say(check, kind, &use->option->origin, "--%s%s %s --%s%s of %s", use->row->name,
                  use->on ? "" : " false", verb, earlier->row->name, earlier->on ? "" : " false",
                  where);
    else
        check_say(check, kind, &use->option->origin, "--%s \"%s\" %s \"%s\" of %s", use->row->name,
                  CHECK_SHOWN(use->value.text), verb, CHECK_SHOWN(earlier->value.text), where);
}

void check_overrides(struct check *check)
{
    const struct use *earlier[sizeof(struct options)] = {NULL};
    for (size_t i = 0; i < check->uses.count; i++) {
        const struct use *use = &check->uses.item[i];
        const struct use **before = &earlier[use->row->offset];
        if (use->row->kind == OPTION_ACTION && !use->on && *before != NULL &&
            (*before)->row == use->row)
            check_say(check, &false_without_effect, &use->option->origin,
                      "`false` doesn't take back --%s of %s: only another action does",
                      use->row->name, check_where((*before)->option));
        if (use->row->kind == OPTION_LIST || !use->effective)
            continue;
        if (*before != NULL)
            say_override(check, *before, use);
        *before = use;
    }
}

/* ---- numbers ---- */

static void check_number(struct check *check, const struct use *use)
{
    const struct option_row *row = use->row;
    struct origin origin = check_place(check, use->holder, use->value.text);
    long long number = 0;
    int result = text_to_number(use->value.text, 10, LLONG_MIN, LLONG_MAX, &number);
    if (result == -EINVAL)
        return;
    bool is_small =
        result == -ERANGE ? strchr(use->value.text, '-') != NULL : number < row->minimum;
    if (is_small)
        check_say(check, &number_too_small, &origin, "--%s: too small, %d is used", row->name,
                  row->minimum);
    else if (result == 0 && number > 0 && number < FEW_MS && text_equal(row->argument, "ms"))
        check_say(check, &milliseconds, &origin, "--%s %lld: this is in milliseconds", row->name,
                  number);
}

void check_numbers(struct check *check)
{
    for (size_t i = 0; i < check->uses.count; i++)
        if (check->uses.item[i].row->kind == OPTION_NUMBER && check->uses.item[i].counts)
            check_number(check, &check->uses.item[i]);
}
