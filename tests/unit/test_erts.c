/* SPDX-License-Identifier: MIT */
/* wrap: arena_format */
#include "erlinit/arena.h"
#include "erlinit/vm.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "failing.h"

static const struct release plain = {.base = "/srv/erlang"};
static const struct release versioned = {.base = "/srv/erlang", .erts_version = "13.1"};

static int find(const struct release *release, bool include, const char **erts)
{
    log_spy_reset();
    return erts_find(scratch_root, release, include, erts);
}

static void expect(const struct release *release, bool include, const char *expected)
{
    const char *erts = NULL;
    assert_int_equal(find(release, include, &erts), 0);
    assert_string_equal(erts, expected);
}

static void refuse(const struct release *release, bool include, int result, const char *error)
{
    const char *erts = "kept";
    assert_int_equal(find(release, include, &erts), result);
    assert_string_equal(erts, "kept");
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    assert_true(log_spy_contains(error));
}

static void test_installed(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/erts-13.1.5/bin");
    scratch_directory("/usr/lib/erlang/erts");
    scratch_directory("/usr/lib/erlang/lib");
    scratch_file("/usr/lib/erlang/erts-file", "");
    scratch_directory("/srv/erlang/erts-14.0");
    expect(&plain, false, "/usr/lib/erlang/erts-13.1.5");
    expect(&plain, true, "/srv/erlang/erts-14.0");
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_version(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/erts-13.1");
    scratch_directory("/usr/lib/erlang/erts-14.0");
    expect(&versioned, false, "/usr/lib/erlang/erts-13.1");
    scratch_directory("/srv/erlang/erts-13.1");
    expect(&versioned, false, "/srv/erlang/erts-13.1");
    expect(&versioned, true, "/srv/erlang/erts-13.1");
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_absent_version(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/erts-14.0");
    scratch_file("/usr/lib/erlang/erts-13.1", "");
    expect(&versioned, false, "/usr/lib/erlang/erts-14.0");
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    assert_string_equal(log_spy_last(), "/srv/erlang: start_erl.data wants ERTS 13.1, which isn't "
                                        "there; looking for another");
}

static void test_none(void **state)
{
    (void)state;
    refuse(&plain, false, -ENOENT,
           "no Erlang run-time system (erts-*) in /usr/lib/erlang: install one there, or build the "
           "release with its own and say --release-include-erts");
    scratch_directory("/srv/erlang/erts-14.0");
    refuse(&plain, false, -ENOENT, "in /usr/lib/erlang:");
    scratch_directory("/usr/lib/erlang/erts-14.0");
    assert_int_equal(rmdir(scratch_path("/srv/erlang/erts-14.0")), 0);
    refuse(&plain, true, -ENOENT, "in /srv/erlang:");
}

static void test_several(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/erts-14.0");
    scratch_directory("/usr/lib/erlang/erts-13.1.5");
    scratch_directory("/usr/lib/erlang/erts-13.2");
    refuse(&plain, false, -EEXIST,
           "several Erlang run-time systems in /usr/lib/erlang, from erts-13.1.5 to erts-14.0: "
           "leave one, or name one in releases/start_erl.data");
}

static void test_link_loop(void **state)
{
    (void)state;
    scratch_link("erlang", "/usr/lib/erlang");
    refuse(&plain, false, -ENOENT, "no Erlang run-time system");
    assert_true(log_spy_contains("can't read /usr/lib/erlang: Too many levels of symbolic links"));
}

static void test_without_memory(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/erts-14.0");
    for (int n = 1; n <= 6; n++) {
        const char *erts = "kept";
        calls = 0;
        fail_at = n;
        int result = find(&versioned, false, &erts);
        fail_at = 0;
        /* what can't be looked at counts as absent */
        assert_true(result == -ENOMEM ? strcmp(erts, "kept") == 0
                                      : strcmp(erts, "/usr/lib/erlang/erts-14.0") == 0);
        assert_true(result == 0 || result == -ENOMEM);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_installed),      IN_SCRATCH(test_version), IN_SCRATCH(test_absent_version),
        IN_SCRATCH(test_none),           IN_SCRATCH(test_several), IN_SCRATCH(test_link_loop),
        IN_SCRATCH(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
