/* SPDX-License-Identifier: MIT */
/* --version and --help; the help is made of the tables of uses and of options. */
#include "../config/find.h"
#include "erlinit/desk.h"
#include "erlinit/text.h"
#include "uses.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#ifndef BUILD_TIME_S /* as clock.c */
#define BUILD_TIME_S 0
#endif

#define COLUMNS      79
#define HELP_COLUMN  32 /* where the explanations begin */
#define NAME_INDENT  2
#define VALUE_INDENT 6

int desk_version(int argc, char *argv[])
{
    struct strings none = {0};
    int result = desk_read_arguments("--version", argc, argv, NULL, &none);
    if (result != DESK_OK)
        return result;
    const time_t built = BUILD_TIME_S;
    char when[sizeof "2026-11-27 21:20:47"];
    struct tm parts;
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", gmtime_r(&built, &parts));
    printf("erlinit " ERLINIT_VERSION ", built %s UTC\n", when);
    return DESK_OK;
}

/* Words up to the last column, all lines from HELP_COLUMN on; `column` is where the first begins.
 */
static void write_wrapped(const char *text, int column)
{
    bool first = true;
    if (column > HELP_COLUMN - 2) {
        fputc('\n', stdout);
        column = 0;
    }
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (!first && column + 1 + length > COLUMNS) {
            fputc('\n', stdout);
            column = 0;
            first = true;
        }
        column += printf("%*s%.*s", first ? HELP_COLUMN - column : 1, "", length, text);
        first = false;
        text += length + (text[length] == ' ');
    }
    fputc('\n', stdout);
}

static int write_option_name(const struct option_row *row)
{
    int column = row->letter != 0 ? printf("%*s-%c, ", NAME_INDENT, "", row->letter)
                                  : printf("%*s", VALUE_INDENT, "");
    column += printf("--%s", row->name);
    return column + (row->argument != NULL ? printf(" %s", row->argument) : 0);
}

static void write_use(const struct desk_use *use)
{
    const char *space = *use->operands != '\0' ? " " : "";
    int column = printf("%*serlinit %s%s%s", NAME_INDENT, "", use->name, space, use->operands);
    write_wrapped(use->help, column);
    for (const struct desk_option *option = use->options; option->name != NULL; option++) {
        column = printf("%*s%s %s", VALUE_INDENT, "", option->name, option->argument);
        write_wrapped(option->help, column);
    }
}

static void write_all(void)
{
    const char *group = "";
    puts("erlinit " ERLINIT_VERSION
         ": init (PID 1) for devices whose only service is an Erlang VM\n"
         "\nAt the desk:");
    for (const struct desk_use *use = desk_uses; use->name != NULL; use++)
        write_use(use);
    puts("\nAs PID 1, from /etc/erlinit.config and the kernel's command line (the manual\n"
         "page erlinit.config(5) tells more of each):");
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *row = &options_table[i];
        if (!text_equal(row->group, group))
            printf("\n%s:\n", row->group);
        group = row->group;
        write_wrapped(row->help, write_option_name(row));
    }
}

static void write_default(const struct option_row *row)
{
    if (row->kind == OPTION_NUMBER)
        printf("%*sdefault %d, at least %u\n", HELP_COLUMN, "", row->value, row->minimum);
    else if (row->text != NULL)
        printf("%*sdefault %s\n", HELP_COLUMN, "", row->text);
}

static int write_one(const char *name)
{
    const struct option_row *row = NULL;
    while (*name == '-')
        name++;
    if (find_name(name, strlen(name), &row) != 1) {
        row = find_nearest(name, strlen(name));
        return row == NULL
                   ? desk_misuse("--help", "no option --%s", name)
                   : desk_misuse("--help", "no option --%s; did you mean --%s?", name, row->name);
    }
    write_wrapped(row->help, write_option_name(row));
    write_default(row);
    return DESK_OK;
}

int desk_help(int argc, char *argv[])
{
    struct strings names = {0};
    int result = desk_read_arguments("--help", argc, argv, NULL, &names);
    if (result != DESK_OK)
        return result;
    if (names.count == 0)
        write_all();
    for (size_t i = 0; result == DESK_OK && i < names.count; i++)
        result = write_one(names.item[i]);
    return result;
}
