/* SPDX-License-Identifier: MIT */
/* Which use it is. */
#include "erlinit/desk.h"

#include "../config/find.h"
#include "uses.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct desk_option no_options[] = {{NULL, NULL, DESK_NOTHING, NULL}};

static const struct desk_option check_options[] = {
    {"--root", "DIR", DESK_DIRECTORY, "look in this root file system for what is named"},
    {"--cmdline", "WORDS", DESK_OPTION, "with this kernel command line"},
    {"--format", "text|json", DESK_ONE_OF, "for people (the default), or for programs"},
    {NULL, NULL, DESK_NOTHING, NULL},
};

static const struct desk_option plan_options[] = {
    {"--root", "DIR", DESK_DIRECTORY, "the root file system, as a directory"},
    {"--cmdline", "WORDS", DESK_OPTION, "the kernel's command line"},
    {"--config", "FILE", DESK_FILE, "instead of the tree's /etc/erlinit.config"},
    {"--format", "text|json", DESK_ONE_OF, "for people (the default), or for programs"},
    {NULL, NULL, DESK_NOTHING, NULL},
};

const struct desk_use desk_uses[] = {
    {"--check", "[FILE...]", DESK_FILE, "what of a configuration won't do what its author thinks",
     check_options, desk_check},
    {"--plan", "", DESK_NOTHING, "the boot of a root file system, step by step, as it would happen",
     plan_options, desk_plan},
    {"--completion", "bash|zsh|fish", DESK_ONE_OF, "a completion script for this shell", no_options,
     desk_completion},
    {"--help", "[OPTION]", DESK_NAME, "this text, or all about one option", no_options, desk_help},
    {"--version", "", DESK_NOTHING, "the version, and when it was built", no_options, desk_version},
    {NULL, NULL, DESK_NOTHING, NULL, NULL, NULL},
};

static const struct desk_use *find_use(const char *name)
{
    const struct desk_use *use = desk_uses;
    while (use->name != NULL && strcmp(use->name, name) != 0)
        use++;
    return use->name == NULL ? NULL : use;
}

int desk_misuse(const char *name, const char *format, ...)
{
    fprintf(stderr, "erlinit%s%s: ", *name == '\0' ? "" : " ", name);
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("; erlinit --help tells more\n", stderr);
    return DESK_MISUSE;
}

/* The option of that name in front of its end or an equals sign. */
static const struct desk_option *find_option(const struct desk_use *use, const char *word,
                                             size_t *number)
{
    size_t length = strcspn(word, "=");
    for (*number = 0; use->options[*number].name != NULL; ++*number) {
        const struct desk_option *option = &use->options[*number];
        if (strncmp(option->name, word, length) == 0 && option->name[length] == '\0')
            return option;
    }
    return NULL;
}

int desk_read_arguments(const char *name, int argc, char *argv[], const char *values[],
                        struct strings *operands)
{
    const struct desk_use *use = find_use(name);
    size_t number = 0;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        const char *equals = strchr(word, '=');
        const struct desk_option *option = find_option(use, word, &number);
        bool dash = *word == '-' && word[1] != '\0' && use->takes != DESK_NAME;
        bool operand = option == NULL && !dash;
        if (operand && *use->operands == '\0')
            return desk_misuse(name, "what is %s?", word);
        if (operand && strings_add(operands, word) < 0)
            return desk_misuse(name, "no memory");
        if (operand)
            continue;
        if (option == NULL)
            return desk_misuse(name, "no option %s", word);
        if (equals == NULL && ++at == argc)
            return desk_misuse(name, "%s needs a value, %s", word, option->argument);
        values[number] = equals != NULL ? equals + 1 : argv[at];
    }
    return DESK_OK;
}

static int no_use(const char *word)
{
    const struct option_row *row = NULL;
    if (strncmp(word, "--", 2) == 0 && find_name(word + 2, strcspn(word + 2, "="), &row) == 1)
        return desk_misuse("",
                           "--%s is an option of PID 1, for its configuration or the kernel's "
                           "command line",
                           row->name);
    return desk_misuse("", "%s is nothing that can be done at the desk", word);
}

int desk_main(int argc, char *argv[])
{
    if (argc < 2)
        return desk_misuse("", "PID 1 of a machine, started by its kernel, and not here");
    const struct desk_use *use = find_use(argv[1]);
    return use == NULL ? no_use(argv[1]) : use->run(argc - 2, argv + 2);
}
