/* SPDX-License-Identifier: MIT */
/* wrap: arena_format arena_copy */
#include "erlinit/arena.h"
#include "erlinit/vm.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

char *__real_arena_copy(const char *bytes, size_t length);
#define FAILING_COPY __real_arena_copy
#include "failing.h"

char *__wrap_arena_copy(const char *bytes, size_t length);

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return ++calls == fail_at ? NULL : __real_arena_copy(bytes, length);
}

static int find(const char *search_path, const char *boot, struct release *release)
{
    log_spy_reset();
    return release_find(scratch_root, search_path, boot, release);
}

static struct release found(const char *search_path, const char *boot)
{
    struct release release = {.base = "unset"};
    assert_int_equal(find(search_path, boot, &release), 0);
    return release;
}

static struct release quiet(const char *search_path, const char *boot)
{
    struct release release = found(search_path, boot);
    if (log_spy_count(LOG_DEBUG) != 0)
        log_spy_print();
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
    return release;
}

static struct release warned(const char *search_path, const char *boot, const char *warning)
{
    struct release release = found(search_path, boot);
    assert_string_equal(log_spy_last(), warning);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    return release;
}

static void assert_no_release(const struct release *release)
{
    assert_string_equal(release->base, "/usr/lib/erlang");
    assert_null(release->name);
    assert_null(release->version_dir);
    assert_null(release->erts_version);
    assert_null(release->sys_config);
    assert_null(release->vm_args);
    assert_null(release->boot);
    assert_null(release->consolidated);
}

/* A version directory with all that belongs in it. */
static void make_version(const char *directory, const char *boot)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/sys.config", directory);
    scratch_file(path, "[].");
    snprintf(path, sizeof path, "%s/vm.args", directory);
    scratch_file(path, "");
    snprintf(path, sizeof path, "%s/%s", directory, boot);
    scratch_file(path, "");
}

static void test_direct(void **state)
{
    (void)state;
    make_version("/srv/erlang/releases/0.1.0", "start.boot");
    struct release release = quiet("/srv/erlang", NULL);
    assert_string_equal(release.base, "/srv/erlang");
    assert_null(release.name);
    assert_string_equal(release.version_dir, "/srv/erlang/releases/0.1.0");
    assert_null(release.erts_version);
    assert_string_equal(release.sys_config, "/srv/erlang/releases/0.1.0/sys.config");
    assert_string_equal(release.vm_args, "/srv/erlang/releases/0.1.0/vm.args");
    assert_string_equal(release.boot, "/srv/erlang/releases/0.1.0/start");
    assert_null(release.consolidated);
}

static void test_one_down(void **state)
{
    (void)state;
    scratch_directory("/srv/aaa/lib");
    scratch_file("/srv/bbb", "");
    scratch_directory("/srv/.hidden/releases/1");
    make_version("/srv/ccc/releases/1", "ccc.boot");
    scratch_file("/srv/ccc/releases/1/another.boot", "");
    make_version("/srv/ddd/releases/1", "ddd.boot");
    struct release release = quiet("/srv", NULL);
    assert_string_equal(release.base, "/srv/ccc");
    assert_string_equal(release.name, "ccc");
    assert_string_equal(release.boot, "/srv/ccc/releases/1/ccc");
}

static void test_search_path(void **state)
{
    (void)state;
    make_version("/two/releases/1", "x.boot");
    make_version("/three/releases/1", "x.boot");
    assert_string_equal(quiet("/one:/two:/three", NULL).base, "/two");
    assert_string_equal(quiet("/three:/two", NULL).base, "/three");
    assert_string_equal(quiet("::/three///:", NULL).base, "/three");
    assert_string_equal(quiet("two", NULL).base, "/two");
    /* the root directory itself: two is one down */
    assert_string_equal(quiet("/", NULL).name, "three");
    make_version("/releases/1", "x.boot");
    assert_null(quiet("/", NULL).name);
}

static void test_none(void **state)
{
    (void)state;
    struct release release = warned("/srv/erlang:/else", NULL,
                                    "no release found in /srv/erlang:/else, starting the VM "
                                    "without");
    assert_no_release(&release);
    release = warned("", NULL, "no release found in , starting the VM without");
    assert_no_release(&release);
    scratch_file("/srv/erlang", "a file");
    release = found("/srv/erlang", NULL);
    assert_no_release(&release);
    assert_true(log_spy_contains("can't read /srv/erlang: Not a directory"));
}

static void test_no_version(void **state)
{
    (void)state;
    scratch_file("/a/releases/RELEASES", "");
    scratch_file("/a/releases/start_erl.data", "1 2");
    struct release release = found("/a", NULL);
    assert_no_release(&release);
    assert_true(log_spy_contains("/a/releases holds no version of a release; looking further"));
    make_version("/b/releases/1", "x.boot");
    release = found("/a:/b", NULL);
    assert_string_equal(release.base, "/b");
    assert_null(release.erts_version);
}

static void test_link_loop(void **state)
{
    (void)state;
    scratch_link("loop", "/loop");
    scratch_link("releases", "/b/releases");
    struct release release = found("/loop", NULL);
    assert_no_release(&release);
    assert_true(log_spy_contains("can't read /loop: Too many levels of symbolic links"));
    release = found("/b", NULL);
    assert_no_release(&release);
    make_version("/c/releases/1", "x.boot");
    assert_string_equal(found("/loop:/b:/c", NULL).base, "/c");
    scratch_link("c", "/linked");
    assert_string_equal(quiet("/linked", NULL).base, "/linked");
}

static void test_last_version(void **state)
{
    (void)state;
    make_version("/r/releases/0.1.0", "x.boot");
    make_version("/r/releases/0.2.0", "x.boot");
    make_version("/r/releases/0.10.0", "x.boot");
    scratch_file("/r/releases/zzz", "");
    scratch_directory("/r/releases/.zzz");
    assert_string_equal(quiet("/r", NULL).version_dir, "/r/releases/0.2.0");
}

static void test_start_erl_chooses(void **state)
{
    (void)state;
    make_version("/r/releases/0.1.0", "x.boot");
    make_version("/r/releases/0.2.0", "x.boot");
    static const char *const contents[] = {
        "13.1 0.1.0",
        "13.1 0.1.0\n",
        "  13.1\t0.1.0 more words\n",
        "13.1\n0.1.0\r\n",
    };
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        scratch_file("/r/releases/start_erl.data", contents[i]);
        struct release release = quiet("/r", NULL);
        assert_string_equal(release.version_dir, "/r/releases/0.1.0");
        assert_string_equal(release.erts_version, "13.1");
    }
}

static void test_start_erl_long_fields(void **state)
{
    (void)state;
    static const char name[] = "0.1.0-a-version-that-is-much-longer-than-32-characters";
    char path[256];
    snprintf(path, sizeof path, "/r/releases/%s", name);
    make_version(path, "x.boot");
    make_version("/r/releases/9", "x.boot");
    char content[256];
    snprintf(content, sizeof content, "13.1-and-this-one-is-also-longer-than-32-characters %s",
             name);
    scratch_file("/r/releases/start_erl.data", content);
    struct release release = quiet("/r", NULL);
    assert_string_equal(release.version_dir, path);
    assert_string_equal(release.erts_version,
                        "13.1-and-this-one-is-also-longer-than-32-characters");
}

static void test_start_erl_absent_version(void **state)
{
    (void)state;
    make_version("/r/releases/0.1.0", "x.boot");
    scratch_file("/r/releases/start_erl.data", "13.1 0.9.0");
    struct release release = warned(
        "/r", NULL, "/r/releases: start_erl.data names version \"0.9.0\", which isn't there");
    assert_string_equal(release.version_dir, "/r/releases/0.1.0");
    assert_string_equal(release.erts_version, "13.1");
}

static void test_start_erl_bad(void **state)
{
    (void)state;
    make_version("/r/releases/0.1.0", "x.boot");
    make_version("/r/outside", "x.boot");
    static const struct {
        const char *content, *erts, *warning;
    } rows[] = {
        {"", NULL,
         "/r/releases/start_erl.data: \"\" are not an ERTS version and a release version, "
         "ignored"},
        {" \n ", NULL, "are not an ERTS version"},
        {"13.1", NULL, "\"13.1\" are not an ERTS version and a release version, ignored"},
        {"13.1 ../outside", "13.1", "\"../outside\" can't be a release version, ignored"},
        {"13.1 ..", "13.1", "\"..\" can't be a release version, ignored"},
        {"13.1 .", "13.1", "can't be a release version"},
        {"13.1 x/../../outside", "13.1", "can't be a release version"},
        {"13.1 /r/outside", "13.1", "can't be a release version"},
        {"../../x 0.1.0", NULL, "\"../../x\" can't be an ERTS version, ignored"},
        {"\x01\xff\x80 \x02", "\x01\xff\x80", "version \"\\x02\", which isn't there"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scratch_file("/r/releases/start_erl.data", rows[i].content);
        struct release release = found("/r", NULL);
        assert_string_equal(release.version_dir, "/r/releases/0.1.0");
        assert_int_equal(log_spy_count(LOG_DEBUG), 1);
        assert_true(log_spy_contains(rows[i].warning));
        if (rows[i].erts == NULL)
            assert_null(release.erts_version);
        else
            assert_string_equal(release.erts_version, rows[i].erts);
    }
}

static void test_start_erl_binary_and_huge(void **state)
{
    (void)state;
    make_version("/r/releases/0.1.0", "x.boot");
    make_version("/r/releases/0.2.0", "x.boot");
    scratch_bytes("/r/releases/start_erl.data",
                  "13.1\0"
                  "0.1.0\0",
                  11);
    assert_string_equal(quiet("/r", NULL).version_dir, "/r/releases/0.1.0");
    char *huge = malloc(70000);
    memset(huge, 'x', 70000);
    memcpy(huge + 300, " ", 1);
    scratch_bytes("/r/releases/start_erl.data", huge, 60000);
    assert_string_equal(found("/r", NULL).version_dir, "/r/releases/0.2.0");
    assert_true(log_spy_contains("can't be an ERTS version"));
    assert_true(log_spy_contains("can't be a release version"));
    scratch_bytes("/r/releases/start_erl.data", huge, 70000);
    assert_string_equal(
        warned("/r", NULL,
               "can't read /r/releases/start_erl.data: File too large; going on without it")
            .version_dir,
        "/r/releases/0.2.0");
    free(huge);
    assert_int_equal(unlink(scratch_path("/r/releases/start_erl.data")), 0);
    scratch_directory("/r/releases/start_erl.data");
    warned("/r", NULL,
           "can't read /r/releases/start_erl.data: Is a directory; going on without it");
}

static void test_missing_files(void **state)
{
    (void)state;
    scratch_file("/r/releases/1/x.boot", "");
    scratch_directory("/r/releases/1/vm.args");
    struct release release = found("/r", NULL);
    assert_null(release.sys_config);
    assert_null(release.vm_args);
    assert_int_equal(log_spy_count(LOG_DEBUG), 2);
    assert_true(log_spy_contains("no file /r/releases/1/sys.config, the VM starts without it"));
    assert_true(log_spy_contains("/r/releases/1/vm.args is a directory, the VM starts without it"));
}

static void test_boot_option(void **state)
{
    (void)state;
    make_version("/r/name/releases/1", "name.boot");
    scratch_file("/r/name/releases/1/shoehorn.boot", "");
    scratch_file("/r/name/releases/1/odd.boot.boot", "");
    scratch_file("/r/name/releases/1/sub/deep.boot", "");
    scratch_file("/r/name/releases/1/plain", "");
    scratch_file("/elsewhere/far.boot", "");
    assert_string_equal(quiet("/r", NULL).boot, "/r/name/releases/1/name");
    assert_string_equal(quiet("/r", "shoehorn").boot, "/r/name/releases/1/shoehorn");
    assert_string_equal(quiet("/r", "shoehorn.boot").boot, "/r/name/releases/1/shoehorn");
    assert_string_equal(quiet("/r", "odd.boot").boot, "/r/name/releases/1/odd.boot");
    assert_string_equal(quiet("/r", "sub/deep").boot, "/r/name/releases/1/sub/deep");
    assert_string_equal(quiet("/r", "/elsewhere/far").boot, "/elsewhere/far");
    assert_string_equal(quiet("/r", "/elsewhere/far.boot").boot, "/elsewhere/far");
    assert_string_equal(warned("/r", "plain",
                               "/r/name/releases/1: no boot file \"plain\" (--boot), looking for "
                               "another")
                            .boot,
                        "/r/name/releases/1/name");
    warned("/r", "absent\n",
           "/r/name/releases/1: no boot file \"absent\\x0a\" (--boot), looking for another");
}

static void test_boot_by_alphabet(void **state)
{
    (void)state;
    make_version("/r/name/releases/1", "start_clean.boot");
    scratch_file("/r/name/releases/1/aaa.boot.bak", "");
    scratch_file("/r/name/releases/1/.aaa.boot", "");
    scratch_directory("/r/name/releases/1/aab.boot");
    assert_string_equal(quiet("/r", NULL).boot, "/r/name/releases/1/start_clean");
    scratch_file("/r/name/releases/1/start.boot", "");
    assert_string_equal(
        warned("/r", NULL,
               "/r/name/releases/1: several .boot files; taking start.boot (--boot chooses)")
            .boot,
        "/r/name/releases/1/start");
}

static void test_no_boot(void **state)
{
    (void)state;
    make_version("/r/releases/1", "x.boot.bak");
    struct release release = {.base = "kept"};
    assert_int_equal(find("/r", NULL, &release), -ENOENT);
    assert_string_equal(release.base, "kept");
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    assert_true(log_spy_contains(
        "no .boot file in /r/releases/1: build the release again, or name one with --boot"));
    assert_int_equal(find("/r", "y", &release), -ENOENT);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
}

static void test_consolidated(void **state)
{
    (void)state;
    make_version("/r/releases/1", "x.boot");
    scratch_file("/r/releases/1/consolidated", "");
    scratch_directory("/r/lib/.hidden/consolidated");
    scratch_file("/r/lib/aaa/consolidated", "");
    scratch_directory("/r/lib/bbb/ebin");
    assert_null(quiet("/r", NULL).consolidated);
    scratch_directory("/r/lib/mmm/consolidated");
    assert_string_equal(quiet("/r", NULL).consolidated, "/r/lib/mmm/consolidated");
    assert_int_equal(unlink(scratch_path("/r/releases/1/consolidated")), 0);
    scratch_link("mmm", "/r/lib/ccc");
    /* what today's releases have themselves, and know of */
    scratch_directory("/r/releases/1/consolidated");
    assert_null(quiet("/r", NULL).consolidated);
    assert_int_equal(rmdir(scratch_path("/r/releases/1/consolidated")), 0);
    assert_string_equal(
        warned("/r", NULL, "/r/lib: several consolidated directories; taking that of ccc")
            .consolidated,
        "/r/lib/ccc/consolidated");
}

/* Whichever allocation fails: no half a release. */
static void check_without_memory(const char *search_path, const char *boot)
{
    struct release release;
    fail_at = calls = 0;
    assert_int_equal(find(search_path, boot, &release), 0);
    int total = calls;
    assert_true(total > 5);
    for (int n = 1; n <= total; n++) {
        struct release again = {.base = "kept"};
        calls = 0;
        fail_at = n;
        int result = find(search_path, boot, &again);
        fail_at = 0;
        assert_true(result == 0 || result == -ENOMEM || result == -ENOENT);
        if (result != 0)
            assert_string_equal(again.base, "kept");
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    make_version("/r/name/releases/1", "aaa.boot");
    make_version("/r/name/releases/2", "bbb.boot");
    scratch_file("/r/name/releases/start_erl.data", "13 1");
    scratch_directory("/r/name/lib/mmm/consolidated");
    check_without_memory("/r", NULL);
    check_without_memory("/r", "aaa");
    check_without_memory("/r", "aaa.boot");
    assert_int_equal(unlink(scratch_path("/r/name/releases/start_erl.data")), 0);
    check_without_memory("/r/name", NULL);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_direct),
        IN_SCRATCH(test_one_down),
        IN_SCRATCH(test_search_path),
        IN_SCRATCH(test_none),
        IN_SCRATCH(test_no_version),
        IN_SCRATCH(test_link_loop),
        IN_SCRATCH(test_last_version),
        IN_SCRATCH(test_start_erl_chooses),
        IN_SCRATCH(test_start_erl_long_fields),
        IN_SCRATCH(test_start_erl_absent_version),
        IN_SCRATCH(test_start_erl_bad),
        IN_SCRATCH(test_start_erl_binary_and_huge),
        IN_SCRATCH(test_missing_files),
        IN_SCRATCH(test_boot_option),
        IN_SCRATCH(test_boot_by_alphabet),
        IN_SCRATCH(test_no_boot),
        IN_SCRATCH(test_consolidated),
        IN_SCRATCH(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
