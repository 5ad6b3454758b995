/* SPDX-License-Identifier: MIT */
/* wrap: arena_format arena_copy strings_add */
#include "erlinit/arena.h"
#include "erlinit/vm.h"
#include "log_spy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *__real_arena_copy(const char *bytes, size_t length);
#define FAILING_COPY __real_arena_copy
#include "failing.h"

char *__wrap_arena_copy(const char *bytes, size_t length);
int __real_strings_add(struct strings *list, const char *string);
int __wrap_strings_add(struct strings *list, const char *string);

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return ++calls == fail_at ? NULL : __real_arena_copy(bytes, length);
}

int __wrap_strings_add(struct strings *list, const char *string)
{
    return ++calls == fail_at ? -ENOMEM : __real_strings_add(list, string);
}

static const struct vm vm = {
    .release = {.base = "/srv/erlang", .sys_config = "/srv/erlang/releases/1/sys.config"},
    .erts = "/usr/lib/erlang/erts-13",
    .identity = {.home = "/home/nerves"},
};

static const char *const nothing[] = {NULL};

static int build(const char *const inherited[], const struct vm *with, const char *config,
                 struct strings *environment)
{
    struct options options;
    struct words words = {0};
    int wanted_failure = fail_at;
    fail_at = 0;
    options_defaults(&options);
    assert_int_equal(words_from_config("f", config, strlen(config), &words), 0);
    options_parse(&words, &options);
    log_spy_reset();
    calls = 0;
    fail_at = wanted_failure;
    return environment_build((char *const *)inherited, with, &options, environment);
}

static struct strings built(const char *const inherited[], const struct vm *with,
                            const char *config)
{
    struct strings environment = {0};
    assert_int_equal(build(inherited, with, config, &environment), 0);
    assert_null(environment.item[environment.count]);
    return environment;
}

/* Value of a name, which must be there once. */
static const char *value(const struct strings *environment, const char *name)
{
    const char *found = NULL;
    size_t length = strlen(name);
    for (size_t i = 0; i < environment->count; i++) {
        const char *entry = environment->item[i];
        if (strncmp(entry, name, length) != 0 || entry[length] != '=')
            continue;
        assert_null(found);
        found = entry + length + 1;
    }
    return found == NULL ? "(absent)" : found;
}

static void test_own(void **state)
{
    (void)state;
    struct strings environment = built(nothing, &vm, "");
    assert_int_equal(environment.count, 10);
    assert_string_equal(value(&environment, "HOME"), "/home/nerves");
    assert_string_equal(value(&environment, "PATH"), "/usr/sbin:/usr/bin:/sbin:/bin");
    assert_string_equal(value(&environment, "TERM"), "xterm-256color");
    assert_string_equal(value(&environment, "ROOTDIR"), "/srv/erlang");
    assert_string_equal(value(&environment, "BINDIR"), "/usr/lib/erlang/erts-13/bin");
    assert_string_equal(value(&environment, "EMU"), "beam");
    assert_string_equal(value(&environment, "PROGNAME"), "erlexec");
    assert_string_equal(value(&environment, "RELEASE_SYS_CONFIG"), "/srv/erlang/releases/1/sys");
    assert_string_equal(value(&environment, "RELEASE_ROOT"), "/srv/erlang");
    assert_string_equal(value(&environment, "RELEASE_TMP"), "/tmp");
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_without_config(void **state)
{
    (void)state;
    struct vm bare = vm;
    bare.release.sys_config = NULL;
    struct strings environment = built(nothing, &bare, "");
    assert_int_equal(environment.count, 7);
    assert_string_equal(value(&environment, "RELEASE_ROOT"), "(absent)");
    bare.release.sys_config = "/x/odd";
    environment = built(nothing, &bare, "");
    assert_string_equal(value(&environment, "RELEASE_SYS_CONFIG"), "/x/odd");
}

static void test_inherited(void **state)
{
    (void)state;
    static const char *const inherited[] = {"TERM=linux", "HOME=/",    "boot=x", "PAT=1", "PATHS=2",
                                            "TWICE=1",    "TWICE=2=3", "odd",    NULL};
    struct strings environment = built(inherited, &vm, "");
    assert_string_equal(environment.item[0], "TERM=xterm-256color");
    assert_string_equal(value(&environment, "HOME"), "/home/nerves");
    assert_string_equal(value(&environment, "boot"), "x");
    assert_string_equal(value(&environment, "PAT"), "1");
    assert_string_equal(value(&environment, "PATHS"), "2");
    assert_string_equal(value(&environment, "PATH"), "/usr/sbin:/usr/bin:/sbin:/bin");
    assert_string_equal(value(&environment, "TWICE"), "2=3");
    assert_int_equal(environment.count, 10 + 5);
}

static void test_settings(void **state)
{
    (void)state;
    struct strings environment =
        built(nothing, &vm,
              "-e A=1;B=2;PATH=/mine\n-e \"A=x y;;C=;EMU=beam.debug;\"\n-e ;\n-e D=a=b;HOME=");
    assert_string_equal(value(&environment, "A"), "x y");
    assert_string_equal(value(&environment, "B"), "2");
    assert_string_equal(value(&environment, "C"), "");
    assert_string_equal(value(&environment, "D"), "a=b");
    assert_string_equal(value(&environment, "PATH"), "/mine");
    assert_string_equal(value(&environment, "EMU"), "beam.debug");
    assert_string_equal(value(&environment, "HOME"), "");
    assert_int_equal(environment.count, 10 + 4);
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_bad_settings(void **state)
{
    (void)state;
    struct strings environment = built(nothing, &vm, "\n -e A=1;oops\x01;B=2");
    assert_string_equal(log_spy_last(), "f:2:5: --env: \"oops\\x01\" is not NAME=value, ignored");
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    assert_string_equal(value(&environment, "A"), "1");
    assert_string_equal(value(&environment, "B"), "2");
    assert_int_equal(environment.count, 12);
    environment = built(nothing, &vm, "-e =x");
    assert_string_equal(log_spy_last(), "f:1:4: --env: \"=x\" is not NAME=value, ignored");
    assert_int_equal(environment.count, 10);
}

static void test_many_and_long(void **state)
{
    (void)state;
    char *config = calloc(1, 1 << 20);
    for (int i = 0; i < 500; i++)
        sprintf(config + strlen(config), "-e V%d=%d\n", i, i);
    strcat(config, "-e LONG=");
    memset(config + strlen(config), 'x', 500000);
    struct strings environment = built(nothing, &vm, config);
    assert_int_equal(environment.count, 10 + 501);
    assert_int_equal(strlen(value(&environment, "LONG")), 500000);
    assert_string_equal(value(&environment, "V499"), "499");
    free(config);
}

static void test_without_memory(void **state)
{
    (void)state;
    static const char *const inherited[] = {"X=1", NULL};
    struct strings environment = {.count = 77};
    fail_at = 0;
    assert_int_equal(build(inherited, &vm, "-e A=1;B=2", &environment), 0);
    int total = calls;
    environment.count = 77;
    for (int n = 1; n <= total; n++) {
        fail_at = n;
        assert_int_equal(build(inherited, &vm, "-e A=1;B=2", &environment), -ENOMEM);
        assert_int_equal(environment.count, 77);
    }
    fail_at = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_without_config),
        cmocka_unit_test(test_inherited),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_many_and_long),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
