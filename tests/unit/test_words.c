/* SPDX-License-Identifier: MIT */
/* wrap: arena_alloc arena_copy */
#include "erlinit/arena.h"
#include "erlinit/options.h"
#include "log_spy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fail_alloc;
static int fail_copy;

void *__real_arena_alloc(size_t size);
char *__real_arena_copy(const char *bytes, size_t length);
void *__wrap_arena_alloc(size_t size);
char *__wrap_arena_copy(const char *bytes, size_t length);

void *__wrap_arena_alloc(size_t size)
{
    return fail_alloc > 0 && --fail_alloc == 0 ? NULL : __real_arena_alloc(size);
}

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return fail_copy > 0 && --fail_copy == 0 ? NULL : __real_arena_copy(bytes, length);
}

struct row {
    const char *content;
    size_t length;        /* 0: strlen */
    const char *expected; /* <line:column:word> each */
};

static const struct row rows[] = {
    {"", 0, ""},
    {"\n\n \t\n", 0, ""},
    {"-v", 0, "<1:1:-v>"},
    {"-c ttyS0\n", 0, "<1:1:-c><1:4:ttyS0>"},
    {"  -c\tttyS0 \v\f -t", 0, "<1:3:-c><1:6:ttyS0><1:15:-t>"},
    {"# all comment\n-v # -t\n-c#x\n", 0, "<2:1:-v><3:1:-c>"},
    {"-e A=b#c d\n", 0, "<1:1:-e><1:4:A=b>"},
    {"-e \"A=b#c d\" x\n", 0, "<1:1:-e><1:4:A=b#c d><1:14:x>"},
    {"\"open # quote  \nnext", 0, "<1:1:open # quote  ><2:1:next>"},
    {"\"open\r\nnext\r\n", 0, "<1:1:open><2:1:next>"},
    {"\r\n\r\nx\r\n", 0, "<3:1:x>"},
    {"\"a\"b\"c d\" e", 0, "<1:1:a><1:4:b\"c><1:8:d\"><1:11:e>"},
    {"\"a\"\"b\"", 0, "<1:1:a><1:4:b>"},
    {"\"\" x \"", 0, "<1:1:><1:4:x><1:6:>"},
    {"\"a\"#b", 0, "<1:1:a>"},
    {"a\\ b 'c d'", 0, "<1:1:a\\><1:4:b><1:6:'c><1:9:d'>"},
    {"a\0b\n\"c\0d\"", 9, "<1:1:a><1:3:b><2:1:c d>"},
    {"\0\0\0", 3, ""},
    {"\"\0x\0\"", 5, "<1:1: x >"},
    {"\x01\x7f\xff\xc3\x28 x", 0, "<1:1:\x01\x7f\xff\xc3\x28><1:7:x>"},
    {"a\rb", 0, "<1:1:a><1:3:b>"},
    {"\"x", 1, "<1:1:>"},
    {"-m a:b:c:d:e", 4, "<1:1:-m><1:4:a>"},
};

static void test_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = rows[i].length != 0 ? rows[i].length : strlen(rows[i].content);
        /* exactly as long as it is: a sanitizer sees a byte too much */
        char *content = malloc(length + 1);
        memcpy(content, rows[i].content, length);
        struct words words = {0};
        assert_int_equal(words_from_config("f", content, length, &words), 0);
        char found[1024] = "";
        for (size_t j = 0; j < words.count; j++) {
            const struct word *word = &words.item[j];
            assert_string_equal(word->origin.file, "f");
            snprintf(found + strlen(found), sizeof found - strlen(found), "<%u:%u:%s>",
                     word->origin.line, word->origin.column, word->text);
        }
        assert_string_equal(found, rows[i].expected);
        free(content);
    }
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_no_limits(void **state)
{
    (void)state;
    enum { COUNT = 20000, LONG = 100000 };
    char *content = malloc(COUNT * 2 + LONG);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(content + 2 * i, i % 100 == 99 ? "x\n" : "x ", 2);
    memset(content + 2 * COUNT, 'y', LONG);
    struct words words = {0};
    assert_int_equal(words_from_config("f", content, COUNT * 2 + LONG, &words), 0);
    assert_int_equal(words.count, COUNT + 1);
    assert_string_equal(words.item[COUNT - 1].text, "x");
    assert_int_equal(words.item[COUNT - 1].origin.line, 200);
    assert_int_equal(words.item[COUNT - 1].origin.column, 199);
    assert_int_equal(strlen(words.item[COUNT].text), LONG);
    free(content);
}

static void test_every_byte_alone_and_quoted(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char content[] = {'a', (char)byte, '\n', '"', (char)byte, '\0'};
        struct words words = {0};
        assert_int_equal(words_from_config("f", content, sizeof content, &words), 0);
        assert_true(words.count >= 1);
        for (size_t i = 0; i < words.count; i++)
            assert_true(strlen(words.item[i].text) <= 2);
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    struct words words = {0};
    fail_alloc = 1;
    assert_int_equal(words_add(&words, "x", (struct origin){0}), -ENOMEM);
    assert_int_equal(words.count, 0);
    fail_copy = 2;
    assert_int_equal(words_from_config("f", "a b c\nd", 7, &words), -ENOMEM);
    assert_int_equal(words.count, 1);
    fail_copy = 1;
    assert_int_equal(words_from_config("f", "\"b\" c\nd", 7, &words), -ENOMEM);
    assert_int_equal(words.count, 1);
    fail_alloc = fail_copy = 0;
}

static int setup(void **state)
{
    (void)state;
    log_spy_reset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_grammar, setup),
        cmocka_unit_test(test_no_limits),
        cmocka_unit_test(test_every_byte_alone_and_quoted),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
