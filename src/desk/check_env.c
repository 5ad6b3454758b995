/* SPDX-License-Identifier: MIT */
/* --env: what will be in the VM's environment, and what wins over what. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <stdlib.h>
#include <string.h>

static const struct check_kind own = {"env-own", CHECK_NOTE};
static const struct check_kind name_odd = {"env-name", CHECK_WARNING};
static const struct check_kind single_quote = {"single-quote", CHECK_WARNING};
static const struct check_kind inherited = {"cmdline-environment", CHECK_NOTE};
static const struct check_kind environment_lost = {"cmdline-environment-lost", CHECK_WARNING};

static const struct check_log_kind environment_says[] = {
    {"is not NAME=value", {"env-setting", CHECK_ERROR}},
    {NULL, {NULL, CHECK_ERROR}},
};

/* NAME=value within a word. */
struct setting {
    const char *text;
    size_t name;   /* length of the name */
    size_t length; /* of all */
    const struct use *use;
    size_t number; /* in the order of reading */
};

struct settings {
    struct setting *item;
    size_t count;
};

static const struct release any_release = {.base = "", .sys_config = ""};

/* What erlinit sets itself: the environment that comes of no configuration at all. */
static int own_names(struct strings *names)
{
    char *nothing[] = {NULL};
    static struct options defaults;
    const struct vm vm = {.release = any_release, .erts = "", .identity = {.home = ""}};
    options_defaults(&defaults);
    return environment_build(nothing, &vm, &defaults, names);
}

static bool is_own(const struct strings *names, const char *text, size_t name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strncmp(names->item[i], text, name) == 0 && names->item[i][name] == '=')
            return true;
    return false;
}

/* PID 1's own words about what is no setting. */
static void build(struct check *check)
{
    char *nothing[] = {NULL};
    struct strings environment = {0};
    const struct origin nowhere = {.file = check->name};
    const struct vm vm = {.release = any_release, .erts = "", .identity = {.home = ""}};
    check_take_log(check, environment_says, &nowhere);
    if (environment_build(nothing, &vm, &check->options, &environment) < 0)
        check->findings->no_memory = true;
    check_take_log(check, NULL, NULL);
}

static size_t count_settings(const struct check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < check->uses.count; i++) {
        if (!CHECK_IS_USE_OF(&check->uses.item[i], env))
            continue;
        count++;
        for (const char *at = check->uses.item[i].value.text; *at != '\0'; at++)
            count += *at == ';';
    }
    return count;
}

static void cut(const struct use *use, struct settings *settings)
{
    const char *at = use->value.text;
    while (*at != '\0') {
        size_t length = strcspn(at, ";");
        size_t name = strcspn(at, "=;");
        if (name > 0 && name < length) {
            settings->item[settings->count] =
                (struct setting){at, name, length, use, settings->count};
            settings->count++;
        }
        at += length + (at[length] == ';');
    }
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || text_is_digit(c) || c == '_';
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_name_character(text[i]))
            return false;
    return !text_is_digit(*text);
}

static void check_value(struct check *check, const struct setting *setting)
{
    const char *value = setting->text + setting->name + 1;
    size_t length = setting->length - setting->name - 1;
    struct origin origin = check_place(check, setting->use->holder, value);
    if (length > 0 && *value == '\'')
        check_say(check, &single_quote, &origin,
                  "single quotes quote nothing here: the value is `%s`",
                  check_shown(value, length));
    size_t at = check_variable(value, length);
    origin = check_place(check, setting->use->holder, value + at);
    if (at < length)
        check_say(check, &check_shell_syntax, &origin,
                  "no shell replaces this: the value has `%s` in it",
                  check_shown(value + at, length - at));
}

static void check_setting(struct check *check, const struct setting *setting,
                          const struct strings *names)
{
    struct origin origin = check_place(check, setting->use->holder, setting->text);
    if (!is_name(setting->text, setting->name))
        check_say(check, &name_odd, &origin,
                  "\"%s\" is an unusual name for a variable: most programs can't ask for it",
                  check_shown(setting->text, setting->name));
    if (is_own(names, setting->text, setting->name))
        check_say(check, &own, &origin, "%s overrides what erlinit sets itself",
                  check_shown(setting->text, setting->name));
    check_value(check, setting);
}

/* By name, and then in the order of reading. */
static int compare(const void *a, const void *b)
{
    const struct setting *one = a;
    const struct setting *other = b;
    size_t length = one->name < other->name ? one->name : other->name;
    int result = memcmp(one->text, other->text, length);
    if (result == 0 && one->name != other->name)
        return one->name < other->name ? -1 : 1;
    return result != 0 ? result : one->number < other->number ? -1 : 1;
}

static bool is_same_text(const struct setting *a, const struct setting *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void check_pair(struct check *check, const struct setting *earlier,
                       const struct setting *later)
{
    if (earlier->name != later->name || memcmp(earlier->text, later->text, later->name) != 0)
        return;
    bool across =
        !check_is_on_cmdline(earlier->use->option) && check_is_on_cmdline(later->use->option);
    bool same = is_same_text(earlier, later);
    struct origin origin = check_place(check, later->use->holder, later->text);
    check_say(check,
              same     ? &check_repeated
              : across ? &check_cmdline_override
                       : &check_override,
              &origin, "%s %s that of %s", check_shown(later->text, later->name),
              same ? "is the same as" : "overrides", check_where(earlier->use->option));
}

/* What the kernel puts into it. */
static void check_inherited(struct check *check, const struct strings *names)
{
    for (size_t i = 0; i < check->cmdline.count; i++) {
        const struct cmdline_word *word = &check->cmdline.word[i];
        if (word->fate != CMDLINE_ENVIRONMENT || check_is_for_init(word->text))
            continue;
        size_t length = strcspn(word->text, "=");
        const char *name = check_shown(word->text, length);
        const struct origin origin = {CHECK_CMDLINE, 1, word->column};
        if (is_own(names, word->text, length))
            check_say(check, &environment_lost, &origin,
                      "erlinit sets %s itself: this one is lost (that of --env wins)", name);
        else
            check_say(check, &inherited, &origin, "%s is in the environment of the VM", name);
    }
}

void check_environment(struct check *check)
{
    struct strings names = {0};
    struct settings settings = {
        .item = arena_alloc((count_settings(check) + 1) * sizeof *settings.item)};
    build(check);
    if (settings.item == NULL || own_names(&names) < 0) {
        check->findings->no_memory = true;
        return;
    }
    for (size_t i = 0; i < check->uses.count; i++)
        if (CHECK_IS_USE_OF(&check->uses.item[i], env))
            cut(&check->uses.item[i], &settings);
    for (size_t i = 0; i < settings.count; i++)
        check_setting(check, &settings.item[i], &names);
    qsort(settings.item, settings.count, sizeof *settings.item, compare);
    for (size_t i = 1; i < settings.count; i++)
        check_pair(check, &settings.item[i - 1], &settings.item[i]);
    check_inherited(check, &names);
}
