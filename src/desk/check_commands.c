/* SPDX-License-Identifier: MIT */
/* Commands: whether they can be split into words, and what of them only a shell would understand.
 */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>

static const struct check_kind command_quotes = {"command-quotes", CHECK_ERROR};
const struct check_kind check_shell_syntax = {"shell-syntax", CHECK_WARNING};

static bool begins_variable(const char *text, size_t length)
{
    if (text[0] == '`')
        return true;
    if (text[0] != '$' || length < 2)
        return false;
    return text[1] == '{' || text[1] == '(' || text[1] == '_' || (text[1] >= 'A' && text[1] <= 'Z');
}

size_t check_variable(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && !begins_variable(text + at, length - at))
        at++;
    return at;
}

/* A word that is an operator of the shell, or begins with one that redirects. */
static bool is_operator(const char *word)
{
    static const char *const operators[] = {"|", "||", "&", "&&", ";", "|&", NULL};
    for (size_t i = 0; operators[i] != NULL; i++)
        if (text_equal(word, operators[i]))
            return true;
    while (text_is_digit(*word))
        word++;
    return *word == '>' || *word == '<';
}

static bool is_shell(const char *program)
{
    static const char *const shells[] = {"sh", "ash", "bash", "dash", "hush", "busybox", NULL};
    const char *slash = strrchr(program, '/');
    const char *name = slash != NULL ? slash + 1 : program;
    for (size_t i = 0; shells[i] != NULL; i++)
        if (text_equal(name, shells[i]))
            return true;
    return false;
}

/* run_erl gives everything from a word `exec` on to a shell. */
static bool begins_shell(const struct use *use, const char *word)
{
    return use->row->offset == offsetof(struct options, alternate_exec) && text_equal(word, "exec");
}

static void check_syntax(struct check *check, const struct use *use, const struct strings *words)
{
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->item[i];
        size_t length = strlen(word);
        if (is_shell(word) || begins_shell(use, word))
            return;
        if (!is_operator(word) && check_variable(word, length) == length)
            continue;
        check_say(check, &check_shell_syntax, &use->value.origin,
                  "there is no shell: \"%s\" is given to %s as it is (sh -c '...' has one)",
                  CHECK_SHOWN(word), CHECK_SHOWN(words->item[0]));
        return;
    }
}

bool check_is_command(const struct use *use)
{
    return CHECK_IS_USE_OF(use, alternate_exec) || CHECK_IS_USE_OF(use, uniqueid_exec) ||
           CHECK_IS_USE_OF(use, pre_run_exec) || CHECK_IS_USE_OF(use, run_on_exit);
}

void check_commands(struct check *check)
{
    for (size_t i = 0; i < check->uses.count; i++) {
        const struct use *use = &check->uses.item[i];
        struct strings words = {0};
        if (!check_is_command(use))
            continue;
        int result = command_split(use->value.text, &words);
        if (result == -EINVAL)
            check_say(check, &command_quotes, &use->value.origin,
                      "--%s can't be run: there is no word in it, or a quote is open at its end",
                      use->row->name);
        else if (result < 0)
            check->findings->no_memory = true;
        else
            check_syntax(check, use, &words);
    }
}
