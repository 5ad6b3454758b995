/* SPDX-License-Identifier: MIT */
/* --check of the desk: a kernel command line, and behind its line's end a config file. */
#include "../../../src/desk/check.h"

#include "erlinit/text.h"
#include "fuzz.h"

#include <stdio.h>

#define FILE_NAME "erlinit.config"

/* A place is one of the file, or one of the command line. */
static void place_holds(const struct check *check, const struct origin *origin)
{
    if (text_equal(origin->file, CHECK_CMDLINE)) {
        FUZZ_CHECK(origin->line == 1 && origin->column >= 1);
        FUZZ_CHECK(origin->column <= strlen(check->cmdline_text));
        return;
    }
    FUZZ_CHECK(text_equal(origin->file, FILE_NAME));
    FUZZ_CHECK(origin->line >= 1 && origin->line <= check->line_count);
    size_t start = check->lines[origin->line - 1];
    size_t end = origin->line < check->line_count ? check->lines[origin->line] : check->length;
    FUZZ_CHECK(origin->column >= 1 && start + origin->column <= end);
}

static void finding_holds(const struct check *check, const struct finding *finding)
{
    place_holds(check, &finding->origin);
    FUZZ_CHECK(finding->kind->id != NULL && strcmp(finding->kind->id, "other") != 0);
    FUZZ_CHECK(*finding->text != '\0');
    for (const char *at = finding->text; *at != '\0'; at++)
        FUZZ_CHECK(!fuzz_is_control(*at));
}

/* The checks change nothing of what PID 1 would read. */
static void options_are_the_same(const struct check *check)
{
    static struct options options;
    options_defaults(&options);
    options_parse(&check->words, &options);
    options_parse(&check->arguments, &options);
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *row = &options_table[i];
        const char *a = (const char *)&options + row->offset;
        const char *b = (const char *)&check->options + row->offset;
        if (row->kind == OPTION_NUMBER)
            FUZZ_CHECK(*(const long long *)a == *(const long long *)b);
        else if (row->kind == OPTION_LIST)
            FUZZ_CHECK(((const struct words *)a)->count == ((const struct words *)b)->count);
        else if (row->kind == OPTION_TEXT)
            FUZZ_CHECK(text_equal(((const struct word *)a)->text, ((const struct word *)b)->text));
    }
}

static void print(const struct findings *findings)
{
    static bool is_quiet;
    if (!is_quiet)
        FUZZ_CHECK(freopen("/dev/null", "w", stdout) != NULL);
    is_quiet = true;
    findings_print(findings);
    FUZZ_CHECK(findings_print_json(findings) == 0 || fuzz_starved());
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    static struct check check;
    struct findings findings = {0};
    const char *cmdline = fuzz_line(&bytes, &size);
    check = (struct check){.name = FILE_NAME,
                           .content = (const char *)bytes,
                           .length = size,
                           .cmdline_text = cmdline,
                           .findings = &findings};
    check_all(&check);
    FUZZ_CHECK(!findings.no_memory || fuzz_starved());
    for (size_t i = 0; i < findings.count; i++)
        finding_holds(&check, &findings.item[i]);
    print(&findings);
    if (!fuzz_may_starve())
        options_are_the_same(&check);
}
