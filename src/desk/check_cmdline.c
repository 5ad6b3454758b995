/* SPDX-License-Identifier: MIT */
/* What the kernel makes of the words that are meant for init. */
#include "check.h"

#include "erlinit/text.h"

#include <string.h>

static const struct check_kind option_lost = {"cmdline-option-lost", CHECK_ERROR};
static const struct check_kind forgotten = {"cmdline-forgotten", CHECK_WARNING};
static const struct check_kind too_many = {"cmdline-too-many", CHECK_ERROR};

static struct origin origin_of(const struct cmdline_word *word)
{
    return (struct origin){CHECK_CMDLINE, 1, word->column};
}

bool check_is_for_init(const char *text)
{
    return *text == '-' || *text == '/' || strchr(text, '%') != NULL;
}

static void check_word(struct check *check, const struct cmdline_word *word)
{
    struct origin origin = origin_of(word);
    const char *text = CHECK_SHOWN(word->text);
    if (word->fate == CMDLINE_ENVIRONMENT && check_is_for_init(word->text))
        check_say(check, &option_lost, &origin,
                  "the kernel makes environment of \"%s\", because of the = and because it is not "
                  "behind `--`",
                  text);
    else if (word->fate == CMDLINE_MODULE && check_is_for_init(word->text))
        check_say(check, &option_lost, &origin,
                  "the kernel takes \"%s\" for a parameter of a module, because of the dot and "
                  "because it is not behind `--`; init doesn't get it",
                  text);
    else if (word->fate == CMDLINE_FORGOTTEN)
        check_say(check, &forgotten, &origin,
                  "the kernel forgets \"%s\", because a later init= begins anew", text);
}

static void check_count(struct check *check, enum cmdline_fate fate, size_t most, const char *what)
{
    size_t count = 0;
    for (size_t i = 0; i < check->cmdline.count; i++) {
        const struct cmdline_word *word = &check->cmdline.word[i];
        struct origin origin = origin_of(word);
        count += word->fate == fate;
        if (count <= most)
            continue;
        check_say(check, &too_many, &origin,
                  "more than %zu %s for init: usual kernels panic "
                  "(CONFIG_INIT_ENV_ARG_LIMIT)",
                  most, what);
        return;
    }
}

void check_cmdline_words(struct check *check)
{
    for (size_t i = 0; i < check->cmdline.count; i++)
        check_word(check, &check->cmdline.word[i]);
    check_count(check, CMDLINE_ARGUMENT, CMDLINE_ARGUMENTS_MOST, "arguments");
    check_count(check, CMDLINE_ENVIRONMENT, CMDLINE_ENVIRONMENT_MOST, "words of environment");
}
