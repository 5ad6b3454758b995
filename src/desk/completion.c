/* SPDX-License-Identifier: MIT */
/* --completion: scripts for shells, made of the tables of uses and of options. */
#include "erlinit/desk.h"
#include "erlinit/options.h"
#include "uses.h"

#include <stdio.h>
#include <string.h>

/* What goes between single quotes, in all three shells, with a backslash before each of `special`.
 */
static void write_body(const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (strchr(special, *text) != NULL)
            fputc('\\', stdout);
        fputc(*text, stdout);
    }
}

/* text|json as words. */
static void write_words(const char *words)
{
    for (; *words != '\0'; words++)
        fputc(*words == '|' ? ' ' : *words, stdout);
}

/* ---- bash(1), "Programmable Completion" ---- */

static const char bash_head[] =
    "# bash completion, made by erlinit --completion bash\n"
    "_erlinit_words() {\n"
    "    COMPREPLY+=($(compgen -W \"$1\" -- \"$cur\"))\n"
    "}\n"
    "_erlinit_paths() {\n"
    "    local IFS=$'\\n'\n"
    "    compopt -o filenames\n"
    "    COMPREPLY+=($(compgen \"$1\" -- \"$cur\"))\n"
    "}\n"
    "_erlinit() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    # --name=value is three words to bash\n"
    "    [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    [[ $cur == = ]] && cur=\n"
    "    COMPREPLY=()\n";

static void write_bash_candidates(enum desk_takes takes, const char *words)
{
    static const char *const commands[] = {[DESK_NOTHING] = "",
                                           [DESK_ANYTHING] = "",
                                           [DESK_FILE] = "_erlinit_paths -f",
                                           [DESK_DIRECTORY] = "_erlinit_paths -d",
                                           [DESK_ONE_OF] = "_erlinit_words '",
                                           [DESK_OPTION] = "_erlinit_words \"$options\"",
                                           [DESK_NAME] = "_erlinit_words \"${options//--/}\""};
    printf(" %s", commands[takes]);
    if (takes == DESK_ONE_OF) {
        write_words(words);
        fputc('\'', stdout);
    }
}

static void write_bash_use(const struct desk_use *use)
{
    for (const struct desk_option *option = use->options; option->name != NULL; option++) {
        printf("    %s,%s)", use->name, option->name);
        write_bash_candidates(option->takes, option->argument);
        puts(" ;;");
    }
    printf("    %s,*)", use->name);
    write_bash_candidates(use->takes, use->operands);
    if (use->options->name != NULL) {
        fputs(use->takes == DESK_NOTHING ? "_erlinit_words '" : "; _erlinit_words '", stdout);
        for (const struct desk_option *option = use->options; option->name != NULL; option++)
            printf("%s ", option->name);
        fputc('\'', stdout);
    }
    puts(" ;;");
}

static void write_bash(void)
{
    fputs(bash_head, stdout);
    fputs("    local options='", stdout);
    for (size_t i = 0; i < options_table_count; i++)
        printf("--%s ", options_table[i].name);
    fputs("'\n    if ((COMP_CWORD == 1)); then\n        _erlinit_words '", stdout);
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        printf("%s ", use->name);
    puts("'\n        return\n    fi\n    case ${COMP_WORDS[1]},$prev in");
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        write_bash_use(use);
    puts("    esac\n}\ncomplete -F _erlinit erlinit");
}

/* ---- zshcompsys(1) ---- */

static void write_zsh_pair(const char *dashes, const char *name, const char *help)
{
    printf("    '%s", dashes);
    write_body(name, ":");
    fputc(':', stdout);
    write_body(help, "");
    puts("'");
}

/* What an action of _arguments is for it. */
static void write_zsh_action(enum desk_takes takes, const char *words)
{
    static const char *const actions[] = {[DESK_NOTHING] = " ",
                                          [DESK_ANYTHING] = " ",
                                          [DESK_FILE] = "_files",
                                          [DESK_DIRECTORY] = "_files -/",
                                          [DESK_ONE_OF] = "(",
                                          [DESK_OPTION] = "{_describe -o option options}",
                                          [DESK_NAME] = "{_describe option names}"};
    fputs(actions[takes], stdout);
    if (takes == DESK_ONE_OF) {
        write_words(words);
        fputc(')', stdout);
    }
}

static void write_zsh_use(const struct desk_use *use)
{
    if (use->takes == DESK_NOTHING && use->options->name == NULL)
        return;
    printf("%s)\n    _arguments", use->name);
    for (const struct desk_option *option = use->options; option->name != NULL; option++) {
        printf(" \\\n        '%s=[", option->name);
        write_body(option->help, "[]");
        printf("]:%s:", option->argument);
        write_zsh_action(option->takes, option->argument);
        fputc('\'', stdout);
    }
    if (use->takes != DESK_NOTHING) {
        printf(" \\\n        '*:%s:", use->operands);
        write_zsh_action(use->takes, use->operands);
        fputc('\'', stdout);
    }
    puts("\n    ;;");
}

static void write_zsh(void)
{
    puts("#compdef erlinit\n# made by erlinit --completion zsh\n"
         "local -a uses options names\nuses=(");
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        write_zsh_pair("", use->name, use->help);
    puts(")\noptions=(");
    for (size_t i = 0; i < options_table_count; i++)
        write_zsh_pair("--", options_table[i].name, options_table[i].help);
    puts(")\nnames=(\"${(@)options#--}\")\n"
         "if ((CURRENT == 2)); then\n    _describe -o use uses\n    return\nfi\n"
         "shift words\n((CURRENT--))\ncase $words[1] in");
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        write_zsh_use(use);
    puts("esac");
}

/* ---- fish: complete(1) ---- */

static const char fish_head[] = "# made by erlinit --completion fish\n"
                                "function __erlinit_use\n"
                                "    set -l words (commandline -opc)\n"
                                "    test (count $words) -ge 2; and test $words[2] = $argv[1]\n"
                                "end\n"
                                "function __erlinit_options\n"
                                "    printf \"$argv[1]%s\\t%s\\n\"";

static void write_fish_candidates(enum desk_takes takes, const char *words)
{
    static const char *const candidates[] = {
        [DESK_NOTHING] = "-f",
        [DESK_ANYTHING] = "-x",
        [DESK_FILE] = "-r -F",
        [DESK_DIRECTORY] = "-x -a '(__fish_complete_directories (commandline -ct))'",
        [DESK_ONE_OF] = "-x -a '",
        [DESK_OPTION] = "-x -a '(__erlinit_options --)'",
        [DESK_NAME] = "-x -a '(__erlinit_options \"\")'"};
    printf(" %s", candidates[takes]);
    if (takes == DESK_ONE_OF) {
        write_words(words);
        fputc('\'', stdout);
    }
}

static void write_fish_description(const char *help)
{
    fputs(" -d '", stdout);
    write_body(help, "");
    puts("'");
}

static void write_fish_use(const struct desk_use *use)
{
    printf("complete -c erlinit -n 'test (count (commandline -opc)) -eq 1' -l %s",
           use->name + strlen("--"));
    write_fish_description(use->help);
    for (const struct desk_option *option = use->options; option->name != NULL; option++) {
        printf("complete -c erlinit -n '__erlinit_use %s' -l %s", use->name,
               option->name + strlen("--"));
        write_fish_candidates(option->takes, option->argument);
        write_fish_description(option->help);
    }
    if (use->takes != DESK_NOTHING) {
        printf("complete -c erlinit -n '__erlinit_use %s'", use->name);
        write_fish_candidates(use->takes, use->operands);
        fputc('\n', stdout);
    }
}

static void write_fish(void)
{
    fputs(fish_head, stdout);
    for (size_t i = 0; i < options_table_count; i++) {
        printf(" \\\n        %s '", options_table[i].name);
        write_body(options_table[i].help, "");
        fputc('\'', stdout);
    }
    puts("\nend\ncomplete -c erlinit -f");
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        write_fish_use(use);
}

int desk_completion(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*write)(void);
    } shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
    struct strings names = {0};
    int result = desk_read_arguments("--completion", argc, argv, NULL, &names);
    if (result != DESK_OK)
        return result;
    for (size_t i = 0; names.count == 1 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(names.item[0], shells[i].name) == 0) {
            shells[i].write();
            return DESK_OK;
        }
    }
    return desk_misuse("--completion", "for which shell? bash, zsh or fish");
}
