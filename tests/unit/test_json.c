/* SPDX-License-Identifier: MIT */
/* JSON: commas, escapes, and what is no text at all. */
#include "erlinit/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

static void writes_values_alone(void **state)
{
    (void)state;
    TEXT_ON_STACK(text, 64);
    json_string(&text, NULL, "a");
    assert_string_equal(text.at, "\"a\"");
    text = text_into(text.at, text.size);
    json_string(&text, NULL, NULL);
    assert_string_equal(text.at, "null");
    text = text_into(text.at, text.size);
    json_number(&text, NULL, LLONG_MIN);
    assert_string_equal(text.at, "-9223372036854775808");
}

static void sets_commas(void **state)
{
    (void)state;
    TEXT_ON_STACK(text, 256);
    json_open(&text, NULL, '{');
    json_open(&text, "empty", '[');
    json_close(&text, ']');
    json_number(&text, "n", 7);
    json_open(&text, "list", '[');
    json_string(&text, NULL, "{");
    json_bool(&text, NULL, true);
    json_open(&text, NULL, '[');
    json_close(&text, ']');
    json_number(&text, NULL, -1);
    json_close(&text, ']');
    json_open(&text, "object", '{');
    json_close(&text, '}');
    json_bool(&text, ":", false);
    json_close(&text, '}');
    assert_string_equal(text.at, "{\"empty\":[],\"n\":7,\"list\":[\"{\",true,[],-1],\"object\":{},"
                                 "\":\":false}");
}

/* As records are that lie in one file, a line each. */
static void begins_anew_after_a_line(void **state)
{
    (void)state;
    TEXT_ON_STACK(text, 64);
    json_number(&text, NULL, 1);
    text_add(&text, "\n");
    json_number(&text, NULL, 2);
    assert_string_equal(text.at, "1\n2");
}

static void gives_objects_of_a_list_lines(void **state)
{
    (void)state;
    TEXT_ON_STACK(text, 64);
    json_open(&text, NULL, '[');
    for (int i = 0; i < 2; i++) {
        json_open(&text, NULL, '{');
        json_number(&text, "a", i);
        json_close(&text, '}');
    }
    json_close(&text, ']');
    assert_string_equal(text.at, "[\n{\"a\":0},\n{\"a\":1}]");
}

static const struct {
    const char *value;
    const char *json;
} escapes[] = {
    {"", "\"\""},
    {"a/b c", "\"a/b c\""},
    {"\"\\\"", "\"\\\"\\\\\\\"\""},
    {"\x01\n\x1f\x7f", "\"\\u0001\\u000a\\u001f\\u007f\""},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7\""},
    /* a byte alone, cut short at the end, overlong, a surrogate, above U+10FFFF */
    {"a\xff"
     "b",
     "\"a\\ufffdb\""},
    {"\xe2\x82", "\"\\ufffd\\ufffd\""},
    {"\xc0\x80", "\"\\ufffd\\ufffd\""},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
};

static void escapes_what_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        TEXT_ON_STACK(text, 64);
        json_string(&text, NULL, escapes[i].value);
        assert_string_equal(text.at, escapes[i].json);
    }
    TEXT_ON_STACK(text, 64);
    json_open(&text, NULL, '{');
    json_string(&text, "\"", "\n");
    assert_string_equal(text.at, "{\"\\\"\":\"\\u000a\"");
}

static void says_when_it_is_cut(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20; size++) {
        char buffer[32];
        struct text text = text_into(buffer, size);
        json_open(&text, NULL, '{');
        json_string(&text, "key", "value\n");
        json_close(&text, '}');
        assert_true(text.cut);
        assert_int_equal(strlen(buffer), text.length);
        assert_true(text.length < size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_values_alone),      cmocka_unit_test(sets_commas),
        cmocka_unit_test(begins_anew_after_a_line), cmocka_unit_test(gives_objects_of_a_list_lines),
        cmocka_unit_test(escapes_what_must_be),     cmocka_unit_test(says_when_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
