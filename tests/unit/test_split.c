/* SPDX-License-Identifier: MIT */
/* Command lines as the words that are started: command_split(). */
#include "erlinit/arena.h"
#include "erlinit/child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_split(void **state)
{
    (void)state;
    static const struct {
        const char *line, *expected;
    } rows[] = {
        {"a", "<a>"},
        {"  /bin/a\tb \n c ", "</bin/a><b><c>"},
        {"a \"b c\" d", "<a><b c><d>"},
        {"a 'b \"c' \"d 'e\"", "<a><b \"c><d 'e>"},
        {"a b\"c d\"e'f g'h", "<a><bc def gh>"},
        {"a \"\" ''", "<a><><>"},
        {"a\\ b", "<a\\><b>"},
        {"'a'", "<a>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct strings words = {0};
        assert_int_equal(command_split(rows[i].line, &words), 0);
        char found[256] = "";
        for (size_t j = 0; j < words.count; j++)
            snprintf(found + strlen(found), sizeof found - strlen(found), "<%s>", words.item[j]);
        assert_string_equal(found, rows[i].expected);
        assert_null(words.item[words.count]);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"", " \t ", "a \"b", "'", "a 'b\" c"};
    struct strings words = {.count = 77};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(command_split(lines[i], &words), -EINVAL);
    assert_int_equal(words.count, 77);
}

/* The command of the official configuration that overran sixteen. */
static void test_seventeen_words(void **state)
{
    (void)state;
    struct strings words = {0};
    assert_int_equal(command_split("/usr/bin/boardid -b uboot_env -u nerves_serial_number -b "
                                   "uboot_env -u serial_number -b bbb -n 4 -b macaddr -n 4",
                                   &words),
                     0);
    assert_int_equal(words.count, 17);
    assert_string_equal(words.item[0], "/usr/bin/boardid");
    assert_string_equal(words.item[16], "4");
}

static void test_many_words(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    char line[2 * COUNT + 1] = "";
    for (size_t i = 0; i < COUNT; i++)
        memcpy(line + 2 * i, "x ", 3);
    struct strings words = {0};
    assert_int_equal(command_split(line, &words), 0);
    assert_int_equal(words.count, COUNT);
    assert_null(words.item[COUNT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_seventeen_words),
        cmocka_unit_test(test_many_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
