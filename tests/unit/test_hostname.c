/* SPDX-License-Identifier: MIT */
#include "erlinit/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_expand(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *id, *expected;
    } rows[] = {
        {"", "12345678", ""},
        {"plain", "12345678", "plain"},
        {"nerves-%s", "12345678", "nerves-12345678"},
        {"%s", "", ""},
        {"nerves-%.4s", "12345678", "nerves-1234"},
        {"nerves-%-.4s", "12345678", "nerves-5678"},
        {"nerves-%-0.4s", "12345678", "nerves-5678"},
        {"a%.4sb", "12", "a12b"},
        {"a%-.4sb", "12", "a12b"},
        {"%.0s|%-.0s|", "1234", "||"},
        {"%.12s", "0123456789abcdef", "0123456789ab"},
        {"%-.12s", "0123456789abcdef", "456789abcdef"},
        {"%.99s", "0123", "0123"},
        {"%s-%s-%.1s", "ab", "ab-ab-a"},
        /* everything else ends it */
        {"a%", "12", "a"},
        {"a%%b", "12", "a"},
        {"a%db%s", "12", "a"},
        {"a%.sb", "12", "a"},
        {"a%.123sb", "12", "a"},
        {"a%.1xb", "12", "a"},
        {"a%.", "12", "a"},
        {"a%.1", "12", "a"},
        {"a%-sb", "12", "a"},
        {"a%-", "12", "a"},
        {"a%-0", "12", "a"},
        {"a%-04sb", "12", "a"},
        {"a%-00.4sb", "12", "a"},
        {"a%0.4sb", "12", "a"},
        {"a%4sb", "12", "a"},
        {"a%-.-1sb", "12", "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        memset(name, 'Z', sizeof name);
        hostname_expand(rows[i].pattern, rows[i].id, name, sizeof name);
        assert_string_equal(name, rows[i].expected);
    }
}

static void test_expand_cuts(void **state)
{
    (void)state;
    char *long_text = malloc(10001);
    memset(long_text, 'x', 10000);
    long_text[10000] = '\0';
    char *name = malloc(64);
    hostname_expand("%s%s", long_text, name, 64);
    assert_int_equal(strlen(name), 63);
    hostname_expand(long_text, "1", name, 64);
    assert_int_equal(strlen(name), 63);
    hostname_expand("abc", "1", name, 1);
    assert_string_equal(name, "");
    free(name);
    free(long_text);
}

static void test_clean(void **state)
{
    (void)state;
    static const char sixty_three[] =
        "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij123";
    static const struct {
        const char *name, *expected;
    } rows[] = {
        {"", ""},
        {"nerves-1234", "nerves-1234"},
        {"Nerves_AZ.az-09", "nervesaz.az-09"},
        {"a b\tc\nd/e:f@g[h`i{j", "abcdefghij"},
        {"\xc3\xa4x\x7f\x01y", "xy"},
        {"-.-a-.-", "a"},
        {"_-a-_", "a"},
        {"---", ""},
        {"...", ""},
        {"a-.b", "a-.b"},
        {"@[`{/:", ""},
    };
    char name[128];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        strcpy(name, rows[i].name);
        hostname_clean(name);
        assert_string_equal(name, rows[i].expected);
    }
    strcpy(name, sixty_three);
    hostname_clean(name);
    assert_string_equal(name, sixty_three);
    strcat(name, "4567");
    hostname_clean(name);
    assert_string_equal(name, sixty_three);
    strcpy(name, "--");
    strcat(name, sixty_three);
    strcat(name, "z");
    hostname_clean(name);
    assert_string_equal(name, sixty_three);
    /* the cut leaves no hyphen at the end either */
    memcpy(name, sixty_three, 61);
    strcpy(name + 61, "--z");
    hostname_clean(name);
    assert_int_equal(strlen(name), 61);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_expand_cuts),
        cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
