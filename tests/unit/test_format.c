/* SPDX-License-Identifier: MIT */
/* text_vformat() against the C library's printf(3), where both know a conversion. */
/* wrap: strerror */
#include "erlinit/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char ours[256];
static char theirs[256];

#define SAME(...)                                                                                  \
    do {                                                                                           \
        struct text text = text_into(ours, sizeof ours);                                           \
        assert_true(text_format(&text, __VA_ARGS__));                                              \
        int length = snprintf(theirs, sizeof theirs, __VA_ARGS__);                                 \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(text.length, length);                                                     \
    } while (0)

char *__real_strerror(int error);
char *__wrap_strerror(int error);

/* musl's answer to what it doesn't know. */
static bool know_few_errors;

char *__wrap_strerror(int error)
{
    static char nothing[] = "No error information";
    return know_few_errors && error != ENOENT ? nothing : __real_strerror(error);
}

static void numbers_errors_without_words(void **state)
{
    (void)state;
    know_few_errors = true;
    errno = EUCLEAN;
    struct text text = text_into(ours, sizeof ours);
    assert_true(text_format(&text, "%m."));
    assert_string_equal(ours, "Error 117.");
    errno = ENOENT;
    text = text_into(ours, sizeof ours);
    assert_true(text_format(&text, "%m."));
    assert_string_equal(ours, "No such file or directory.");
    errno = 0;
    text = text_into(ours, sizeof ours);
    assert_true(text_format(&text, "%m."));
    assert_string_equal(ours, "No error information.");
    know_few_errors = false;
}

static void writes_numbers(void **state)
{
    (void)state;
    SAME("%d %d %d %d %i", 0, 1, -1, INT_MAX, INT_MIN);
    SAME("%u %u %x %o", 0U, UINT_MAX, UINT_MAX, UINT_MAX);
    SAME("%ld %ld %lu %lx", LONG_MIN, LONG_MAX, ULONG_MAX, 0xdeadbeefUL);
    SAME("%lld %lld %llu %llx %llo", LLONG_MIN, LLONG_MAX, ULLONG_MAX, ULLONG_MAX, ULLONG_MAX);
    SAME("%zu %zd %zx", SIZE_MAX, (ssize_t)-5, (size_t)255);
    SAME("%#x %#x", 255U, 0x1234U);
}

static void pads(void **state)
{
    (void)state;
    SAME("<%5d> <%5d> <%2d>", 42, -42, 12345);
    SAME("<%05d> <%05d> <%01d>", 42, -42, 12345);
    SAME("<%06ld> <%5llu> <%012llx>", 7L, 1ULL, 0xabcULL);
    SAME("<%#08x>", 0x12U);
    SAME("<%10s> <%1s> <%5.2s>", "right", "long", "cut");
    SAME("%04ld-%02ld-%02ld", 2025L, 1L, 9L);
}

static void writes_strings(void **state)
{
    (void)state;
    SAME("%s", "");
    SAME("no conversion");
    SAME("%s%s", "a", "");
    SAME("%.3s|%.0s|%.9s", "abcdef", "abcdef", "abc");
    SAME("%.*s|%.*s|%.*s", 2, "abc", 0, "abc", -1, "abc");
    SAME("%c%c%c 100%%", 'a', '%', 'z');
    const char unterminated[3] = {'a', 'b', 'c'};
    SAME("%.*s", 3, unterminated);
    struct text text = text_into(ours, sizeof ours);
    const char *volatile null = NULL;
    assert_true(text_format(&text, "%s", null));
    assert_string_equal(ours, "(null)");
}

static void names_errors(void **state)
{
    (void)state;
    struct text text = text_into(ours, sizeof ours);
    errno = ENOSPC;
    assert_true(text_format(&text, "%s: %m", "file"));
    assert_string_equal(ours, "file: No space left on device");
    text = text_into(ours, sizeof ours);
    errno = 0;
    text_format(&text, "%m.");
    assert_string_equal(ours, "Success.");
}

/* Formats are constants that the compiler has checked; this is about not running off their end. */
static void survives_formats_that_end_early(void **state)
{
    (void)state;
    static const char *const formats[] = {"a%", "a%0", "a%5", "a%.", "a%l", "a%ll", "a%z", "a%#"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct text text = text_into(ours, sizeof ours);
        char *format = strdup(formats[i]); /* the sanitizer sees a read behind it */
        bool (*call)(struct text * text, const char *format, ...) = text_format;
        call(&text, format);
        assert_memory_equal(ours, "a", 1);
        free(format);
    }
}

static void cuts_at_every_length(void **state)
{
    (void)state;
    int whole = snprintf(theirs, sizeof theirs, "%s=%05d/%#x|%m|%c", "key", -42, 255U, 'c');
    for (size_t size = 1; size <= sizeof ours; size++) {
        memset(ours, 'X', sizeof ours);
        struct text text = text_into(ours, size);
        bool fits = text_format(&text, "%s=%05d/%#x|%m|%c", "key", -42, 255U, 'c');
        assert_int_equal(fits, (size_t)whole < size);
        assert_int_equal(text.length, fits ? (size_t)whole : size - 1);
        assert_memory_equal(ours, theirs, text.length);
        assert_int_equal(ours[text.length], '\0');
        if (size < sizeof ours)
            assert_int_equal(ours[size], 'X');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(pads),
        cmocka_unit_test(writes_strings),
        cmocka_unit_test(names_errors),
        cmocka_unit_test(numbers_errors_without_words),
        cmocka_unit_test(survives_formats_that_end_early),
        cmocka_unit_test(cuts_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
