/* SPDX-License-Identifier: MIT */
#include "erlinit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static void builds_up_to_its_size(void **state)
{
    (void)state;
    char buffer[8] = "garbage";
    struct text text = text_into(buffer, sizeof buffer);
    assert_string_equal(buffer, "");
    assert_true(text_add(&text, "abc"));
    assert_true(text_add(&text, "defg"));
    assert_int_equal(text.length, 7);
    assert_false(text.cut);
    assert_true(text_add(&text, ""));
    assert_false(text_add(&text, "h"));
    assert_true(text.cut);
    assert_string_equal(buffer, "abcdefg");
    /* once cut, it says so for ever */
    assert_false(text_add(&text, ""));
}

static void cuts_in_the_middle(void **state)
{
    (void)state;
    char buffer[6] = "xxxxx";
    struct text text = text_into(buffer, 5);
    assert_false(text_add_bytes(&text, "a\0bcdef", 7));
    assert_memory_equal(buffer, "a\0bc\0", 6);
    assert_int_equal(text.length, 4);
}

static void has_room_for_nothing(void **state)
{
    (void)state;
    char buffer[2] = "zz";
    struct text text = text_into(buffer, 1);
    assert_true(text_add(&text, ""));
    assert_false(text_add(&text, "a"));
    assert_memory_equal(buffer, "\0z", 2);
}

static void formats(void **state)
{
    (void)state;
    TEXT_ON_STACK(text, 16);
    assert_true(text_format(&text, "%s-%d", "one", 2));
    assert_true(text_format(&text, "%c", '!'));
    assert_string_equal(text.at, "one-2!");
    assert_false(text_format(&text, "%s", "0123456789"));
    assert_string_equal(text.at, "one-2!012345678");
}

static void knows_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        assert_int_equal(text_is_space((char)c), c != 0 && strchr(" \t\n\v\f\r", c) != NULL);
        assert_int_equal(text_is_digit((char)c), c != 0 && strchr("0123456789", c) != NULL);
    }
}

static void trims(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } rows[] = {{"", ""},         {" ", ""},     {" \t\r\n\v\f ", ""}, {"a", "a"},
                {" a b ", "a b"}, {"a\n", "a"},  {"\n\na", "a"},       {"  a", "a"},
                {"\xa0", "\xa0"}, {"a \0b", "a"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[16];
        memcpy(buffer, rows[i].from, strlen(rows[i].from) + 1);
        assert_string_equal(text_trim_in_place(buffer), rows[i].to);
        const char *start = rows[i].from;
        const char *end = start + strlen(start);
        text_trim(&start, &end);
        assert_int_equal(end - start, strlen(rows[i].to));
        assert_memory_equal(start, rows[i].to, strlen(rows[i].to));
    }
}

static void compares(void **state)
{
    (void)state;
    assert_true(text_starts_with("abc", ""));
    assert_true(text_starts_with("abc", "abc"));
    assert_false(text_starts_with("ab", "abc"));
    assert_false(text_starts_with("xabc", "abc"));
    assert_true(text_ends_with("abc", ""));
    assert_true(text_ends_with("abc", "abc"));
    assert_true(text_ends_with("abc", "c"));
    assert_false(text_ends_with("bc", "abc"));
    assert_false(text_ends_with("abcx", "abc"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "ab"));
}

static void reads_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned int base;
        long long minimum, maximum, value;
        int result;
    } rows[] = {
        {"0", 0, 0, 10, 0, 0},
        {" 10\n", 10, 0, 10, 10, 0},
        {"11", 10, 0, 10, 0, -ERANGE},
        {"-1", 10, 0, 10, 0, -ERANGE},
        {"-1", 10, -1, 10, -1, 0},
        {"0x1F", 0, 0, 100, 31, 0},
        {"017", 0, 0, 100, 15, 0},
        {"017", 10, 0, 100, 17, 0},
        {"08", 0, 0, 100, 0, -EINVAL},
        {"0x", 0, 0, 100, 0, -EINVAL},
        {"", 0, 0, 100, 0, -EINVAL},
        {"  ", 0, 0, 100, 0, -EINVAL},
        {"x", 0, 0, 100, 0, -EINVAL},
        {"1x", 0, 0, 100, 0, -EINVAL},
        {"1 2", 0, 0, 100, 0, -EINVAL},
        {"9223372036854775807", 0, 0, LLONG_MAX, LLONG_MAX, 0},
        {"9223372036854775808", 0, 0, LLONG_MAX, 0, -ERANGE},
        {"-9223372036854775808", 0, LLONG_MIN, 0, LLONG_MIN, 0},
        {"-9223372036854775809", 0, LLONG_MIN, 0, 0, -ERANGE},
        {"+7", 10, 0, 10, 7, 0},
        {"+-7", 10, -10, 10, 0, -EINVAL},
        {"- 7", 10, -10, 10, 0, -EINVAL},
        {"0X1f", 0, 0, 100, 31, 0},
        {"99999999999999999999999999", 0, 0, LLONG_MAX, 0, -ERANGE},
        {"9223372036854775808x", 0, 0, LLONG_MAX, 0, -EINVAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        long long number = 4711;
        errno = ERANGE;
        int result =
            text_to_number(rows[i].text, rows[i].base, rows[i].minimum, rows[i].maximum, &number);
        if (result != rows[i].result || number != (result == 0 ? rows[i].value : 4711))
            fail_msg("\"%s\": %d, %lld", rows[i].text, result, number);
    }
}

static void reads_digits(void **state)
{
    (void)state;
    unsigned long long number = 4711;
    static const char line[] = "0000000180014a07\nSigCgt";
    assert_ptr_equal(text_read_digits(line, 16, &number), line + 16);
    assert_true(number == 0x180014a07);
    assert_ptr_equal(text_read_digits(line + 5, 8, &number), line + 8);
    assert_true(number == 1);
    assert_ptr_equal(text_read_digits(line + 16, 10, &number), line + 16);
    assert_true(number == 0);
    assert_string_equal(text_read_digits("18446744073709551615,", 10, &number), ",");
    assert_true(number == ULLONG_MAX);
    assert_string_equal(text_read_digits("18446744073709551617 ", 10, &number), " ");
    assert_true(number == ULLONG_MAX);
    assert_string_equal(text_read_digits("fFg", 16, &number), "g");
    assert_true(number == 0xff);
}

static void finds(void **state)
{
    (void)state;
    static const char string[] = "aab, aabc";
    assert_ptr_equal(text_find(string, "aabc"), string + 5);
    assert_ptr_equal(text_find(string, "aab"), string);
    assert_ptr_equal(text_find(string, "c"), string + 8);
    assert_ptr_equal(text_find(string, ""), string);
    assert_null(text_find(string, "cd"));
    assert_null(text_find("", "a"));
}

static const char *printable(const char *string, size_t length, size_t size)
{
    static char buffer[128];
    struct text text = text_into(buffer, size);
    text_add_printable(&text, string, length);
    return buffer;
}

static void shows_what_a_terminal_must_not_see(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"plain ~", "plain ~"},
        {"\x1b[2J", "\\x1b[2J"},
        {"a\nb\x7f", "a\\x0ab\\x7f"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b"
         "2J"}, /* a C1 control: the CSI of eight bits */
        {"\xc2\x9f\xc2\xa0", "\\xc2\\x9f\xc2\xa0"},
        {"\xc1\xbf", "\\xc1\\xbf"},                                  /* overlong */
        {"\xe0\x9f\xbf\xe0\xa0\x80", "\\xe0\\x9f\\xbf\xe0\xa0\x80"}, /* overlong, first */
        {"\xed\x9f\xbf\xed\xa0\x80", "\xed\x9f\xbf\\xed\\xa0\\x80"}, /* last, surrogate */
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},                /* overlong */
        {"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80", "\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80"},
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\x80\xbf", "\\x80\\xbf"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xe2\x82(", "\\xe2\\x82("},
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xff\xfe", "\\xff\\xfe"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(printable(rows[i].from, strlen(rows[i].from), 128), rows[i].to);
    assert_string_equal(printable("a\0b", 3, 128), "a\\x00b");
    assert_string_equal(printable("\xc3\xa9", 1, 128), "\\xc3");
    assert_string_equal(printable("", 0, 128), "");
}

/* Room for "..." is kept free, so what is cut always shows it, and no escape is cut in two. */
static void cuts_printable_text_visibly(void **state)
{
    (void)state;
    assert_string_equal(printable("12345", 5, 9), "12345");
    assert_string_equal(printable("123456", 6, 9), "12345...");
    assert_string_equal(printable("1\x01", 2, 9), "1\\x01");
    assert_string_equal(printable("12\x01", 3, 9), "12...");
    assert_string_equal(printable("abcd\xc3\xa9", 6, 9), "abcd...");
    struct text text = text_into((char[16]){0}, 16);
    text_add_printable(&text, "0123456789abcdefghij", 20);
    assert_true(text.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_up_to_its_size),
        cmocka_unit_test(cuts_in_the_middle),
        cmocka_unit_test(has_room_for_nothing),
        cmocka_unit_test(formats),
        cmocka_unit_test(knows_classes),
        cmocka_unit_test(trims),
        cmocka_unit_test(compares),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_digits),
        cmocka_unit_test(finds),
        cmocka_unit_test(shows_what_a_terminal_must_not_see),
        cmocka_unit_test(cuts_printable_text_visibly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
