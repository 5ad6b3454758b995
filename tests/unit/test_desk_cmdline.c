/* SPDX-License-Identifier: MIT */
/* wrap: arena_alloc arena_copy */
#include "../../src/desk/cmdline.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fail_at; /* 0: never */

void *__real_arena_alloc(size_t size);
void *__wrap_arena_alloc(size_t size);
char *__real_arena_copy(const char *bytes, size_t length);
char *__wrap_arena_copy(const char *bytes, size_t length);

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__wrap_arena_alloc(size_t size)
{
    return fails() ? NULL : __real_arena_alloc(size);
}

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return fails() ? NULL : __real_arena_copy(bytes, length);
}

/* A letter for each word's fate, in the order of enum cmdline_fate, capital behind `--`; then the
 * words in <>. */
static const struct {
    const char *line;
    const char *fates;
    const char *words;
} lines[] = {
    {"", "", ""},
    {" \t \n", "", ""},
    {"quiet ro root=/dev/sda1", "kkk", "<quiet><ro><root=/dev/sda1>"},
    {"no-console-suspend no_console_suspend", "kk", "<no-console-suspend><no_console_suspend>"},
    {"rootx roo", "aa", "<rootx><roo>"},
    {"verbose NAME=value usbcore.quirks=1 just.dot", "aemm",
     "<verbose><NAME=value><usbcore.quirks=1><just.dot>"},
    {"A=b.c a.b=c", "em", "<A=b.c><a.b=c>"},
    {"-n=x -v --mount=x", "eae", "<-n=x><-v><--mount=x>"},
    {"=x", "a", "<=x>"},
    {"x -- quiet A=b c.d -- -v", "adAAAAA", "<x><--><quiet><A=b><c.d><--><-v>"},
    {"A=\"two words\" \"whole word\" \"B=c d\"", "eae", "<A=two words><whole word><B=c d>"},
    {"A=x\" y\"z", "e", "<A=x\" y\"z>"},
    {"A=\"open ro", "e", "<A=open ro>"},
    {"\"", "a", "<>"},
    {"A=\"\" A=\"", "ee", "<A=><A=>"},
    {"early init=/sbin/x late", "fka", "<early><init=/sbin/x><late>"},
    {"early rdinit=/x -- init=/y", "fkdA", "<early><rdinit=/x><--><init=/y>"},
};

static void check_line(const char *line, const char *fates, const char *words)
{
    struct cmdline cmdline;
    TEXT_ON_STACK(found_fates, 100);
    TEXT_ON_STACK(found_words, 1000);
    assert_int_equal(cmdline_split(line, &cmdline), 0);
    for (size_t i = 0; i < cmdline.count; i++) {
        const struct cmdline_word *word = &cmdline.word[i];
        const char *letters = word->behind_dashes ? "KDAEMF" : "kdaemf";
        text_add_bytes(&found_fates, letters + word->fate, 1);
        text_format(&found_words, "<%s>", word->text);
        /* the place is that of the word: what is there, but for quotes, is its beginning */
        assert_in_range(word->column, 1, strlen(line));
        const char *place = line + word->column - 1;
        place += *place == '"' ? 1 : 0;
        assert_true(*word->text == '\0' || *place == *word->text);
    }
    assert_string_equal(found_fates.at, fates);
    assert_string_equal(found_words.at, words);
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        check_line(lines[i].line, lines[i].fates, lines[i].words);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct cmdline cmdline = {.count = 7};
    for (int nth = 1; nth <= 3; nth++) {
        fail_at = nth;
        assert_int_equal(cmdline_split("a b", &cmdline), -ENOMEM);
        assert_int_equal(cmdline.count, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
