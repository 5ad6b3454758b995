/* SPDX-License-Identifier: MIT */
/* All checks of one configuration, in their order. */
#include "check.h"

#include "erlinit/text.h"

#include <errno.h>

static void (*const checks[])(struct check *check) = {
    check_words,       check_cmdline_words, check_strays,       check_swallowed,
    check_overrides,   check_numbers,       check_effects,      check_environment,
    check_mounts,      check_mount_order,   check_limits,       check_umask,
    check_hostname,    check_terminal,      check_core_pattern, check_identity,
    check_commands,    check_program_paths, check_paths,        check_build_tool,
    check_line_limits,
};

static int read_file_words(struct check *check)
{
    int result = check_index_lines(check);
    if (result == 0)
        result = words_from_config(check->name, check->content, check->length, &check->words);
    return result;
}

/* The arguments of init, as the kernel gives them. */
static int read_arguments(struct check *check)
{
    int result =
        check->cmdline_text == NULL ? 0 : cmdline_split(check->cmdline_text, &check->cmdline);
    for (size_t i = 0; result == 0 && i < check->cmdline.count; i++) {
        const struct cmdline_word *word = &check->cmdline.word[i];
        if (word->fate == CMDLINE_ARGUMENT)
            result = words_add(&check->arguments, word->text,
                               (struct origin){CHECK_CMDLINE, 1, word->column});
    }
    return result;
}

void check_all(struct check *check)
{
    size_t first = check->findings->count;
    if (read_file_words(check) < 0 || read_arguments(check) < 0) {
        check->findings->no_memory = true;
        return;
    }
    check_read(check);
    if (check->use_of == NULL)
        return;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](check);
    findings_sort(check->findings, first);
}
