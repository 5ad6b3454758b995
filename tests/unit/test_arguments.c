/* SPDX-License-Identifier: MIT */
/* wrap: arena_format arena_alloc strings_add command_split */
#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/vm.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "failing.h"

void *__real_arena_alloc(size_t size);
void *__wrap_arena_alloc(size_t size);
int __real_strings_add(struct strings *list, const char *string);
int __wrap_strings_add(struct strings *list, const char *string);
int __real_command_split(const char *line, struct strings *words);
int __wrap_command_split(const char *line, struct strings *words);

void *__wrap_arena_alloc(size_t size)
{
    return ++calls == fail_at ? NULL : __real_arena_alloc(size);
}

int __wrap_strings_add(struct strings *list, const char *string)
{
    return ++calls == fail_at ? -ENOMEM : __real_strings_add(list, string);
}

int __wrap_command_split(const char *line, struct strings *words)
{
    return ++calls == fail_at ? -ENOMEM : __real_command_split(line, words);
}

static const struct vm full = {
    .release = {.base = "/srv/erlang",
                .version_dir = "/srv/erlang/releases/1",
                .sys_config = "/r/sys.config",
                .vm_args = "/r/vm.args",
                .boot = "/r/start",
                .consolidated = "/r/consolidated"},
    .erts = "/e/erts-13",
};

static const struct vm bare = {.release = {.base = "/usr/lib/erlang"}, .erts = "/e/erts-13"};

static int build(const char *alternate, struct vm *vm)
{
    struct options options;
    options_defaults(&options);
    options.alternate_exec = (struct word){alternate, {"f", 3, 4}};
    log_spy_reset();
    calls = 0;
    return arguments_build(scratch_root, &options, vm);
}

static void expect(const struct vm *from, const char *alternate, const char *program,
                   const char *arguments)
{
    struct vm vm = *from;
    assert_int_equal(build(alternate, &vm), 0);
    assert_string_equal(vm.program, program);
    char found[4096] = "";
    for (size_t i = 0; i < vm.arguments.count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "<%s>", vm.arguments.item[i]);
    assert_string_equal(found, arguments);
    assert_null(vm.arguments.item[vm.arguments.count]);
}

#define FULL                                                                                       \
    "<-pa></r/consolidated><-config></r/sys.config><-boot></r/start><-args_file></r/vm.args>"      \
    "<-boot_var><ERTS_LIB_DIR></usr/lib/erlang/lib><-boot_var><RELEASE_LIB></srv/erlang/lib>"

static void test_plain(void **state)
{
    (void)state;
    expect(&bare, NULL, "/e/erts-13/bin/erlexec",
           "<erlexec><-boot_var><RELEASE_LIB></usr/lib/erlang/lib>");
    scratch_directory("/usr/lib/erlang/lib");
    expect(&full, NULL, "/e/erts-13/bin/erlexec", "<erlexec>" FULL);
    expect(&bare, NULL, "/e/erts-13/bin/erlexec",
           "<erlexec><-boot_var><ERTS_LIB_DIR></usr/lib/erlang/lib><-boot_var><RELEASE_LIB></usr/"
           "lib/erlang/lib>");
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_alternate(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/lib");
    scratch_file("/usr/bin/nbtty", "");
    scratch_file("/e/erts-13/bin/dyn_erl", "");
    expect(&full, "/usr/bin/nbtty", "/usr/bin/nbtty",
           "</usr/bin/nbtty></e/erts-13/bin/erlexec>" FULL);
    expect(&full, "/usr/bin/nbtty --wait-input \"a b\"", "/usr/bin/nbtty",
           "</usr/bin/nbtty><--wait-input><a b></e/erts-13/bin/erlexec>" FULL);
    expect(&full, "dyn_erl", "/e/erts-13/bin/dyn_erl",
           "</e/erts-13/bin/dyn_erl></e/erts-13/bin/erlexec>" FULL);
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void test_run_erl(void **state)
{
    (void)state;
    scratch_file("/e/erts-13/bin/run_erl", "");
    expect(&bare, "run_erl /tmp/ /var/log exec", "/e/erts-13/bin/run_erl",
           "</e/erts-13/bin/run_erl></tmp/></var/log>"
           "<exec /e/erts-13/bin/erlexec -boot_var RELEASE_LIB /usr/lib/erlang/lib>");
    expect(&bare, "run_erl x exec nice exec", "/e/erts-13/bin/run_erl",
           "</e/erts-13/bin/run_erl><x>"
           "<exec nice exec /e/erts-13/bin/erlexec -boot_var RELEASE_LIB /usr/lib/erlang/lib>");
    expect(&bare, "run_erl execute \" exec\"", "/e/erts-13/bin/run_erl",
           "</e/erts-13/bin/run_erl><execute>< exec></e/erts-13/bin/erlexec><-boot_var>"
           "<RELEASE_LIB></usr/lib/erlang/lib>");
    scratch_file("/e/erts-13/bin/exec", "");
    expect(&bare, "exec a", "/e/erts-13/bin/exec",
           "</e/erts-13/bin/exec><a></e/erts-13/bin/erlexec><-boot_var><RELEASE_LIB></usr/lib/"
           "erlang/lib>");
}

static void test_alternate_unusable(void **state)
{
    (void)state;
    static const char plain[] = "<erlexec><-boot_var><RELEASE_LIB></usr/lib/erlang/lib>";
    expect(&bare, "/usr/bin/nbtty", "/e/erts-13/bin/erlexec", plain);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    assert_string_equal(log_spy_last(),
                        "f:3:4: --alternate-exec: no such program; starting erlexec without it");
    scratch_directory("/usr/bin/nbtty");
    expect(&bare, "/usr/bin/nbtty exec", "/e/erts-13/bin/erlexec", plain);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    expect(&bare, "nbtty \"x", "/e/erts-13/bin/erlexec", plain);
    assert_string_equal(log_spy_last(),
                        "f:3:4: --alternate-exec: no word in it, or a quote that is open at its "
                        "end; starting erlexec without it");
    expect(&bare, "  ", "/e/erts-13/bin/erlexec", plain);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
}

static void test_many_words(void **state)
{
    (void)state;
    scratch_file("/x", "");
    char line[4096] = "/x";
    for (int i = 0; i < 1000; i++)
        strcat(line, " ab");
    struct vm vm = bare;
    assert_int_equal(build(line, &vm), 0);
    assert_int_equal(vm.arguments.count, 1 + 1000 + 1 + 3);
    strcat(line, " exec");
    assert_int_equal(build(line, &vm), 0);
    assert_int_equal(vm.arguments.count, 1 + 1000 + 1);
}

static void check_without_memory(const char *alternate)
{
    struct vm vm = full;
    fail_at = 0;
    assert_int_equal(build(alternate, &vm), 0);
    int total = calls;
    for (int n = 1; n <= total; n++) {
        vm = full;
        fail_at = n;
        int result = build(alternate, &vm);
        fail_at = 0;
        /* what can't be looked at counts as absent */
        assert_true(result == -ENOMEM || result == 0);
        if (result < 0)
            assert_null(vm.program);
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    scratch_directory("/usr/lib/erlang/lib");
    scratch_file("/e/erts-13/bin/run_erl", "");
    check_without_memory(NULL);
    check_without_memory("run_erl x exec");
    check_without_memory("run_erl x");
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_plain),      IN_SCRATCH(test_alternate),
        IN_SCRATCH(test_run_erl),    IN_SCRATCH(test_alternate_unusable),
        IN_SCRATCH(test_many_words), IN_SCRATCH(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
