/* SPDX-License-Identifier: MIT */
/* wrap: arena_string arena_copy */
#include "erlinit/arena.h"
#include "erlinit/boot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

static bool no_memory;

char *__real_arena_string(const char *string);
char *__wrap_arena_string(const char *string);
char *__real_arena_copy(const char *bytes, size_t length);
char *__wrap_arena_copy(const char *bytes, size_t length);

static bool string_fails;

char *__wrap_arena_string(const char *string)
{
    return string_fails ? NULL : __real_arena_string(string);
}

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return no_memory ? NULL : __real_arena_copy(bytes, length);
}

struct row {
    const char *text;
    const char *source, *target, *type, *data;
    unsigned long flags;
    unsigned long propagation;
    const char *unknown;
};

#define TRIO (MS_NODEV | MS_NOEXEC | MS_NOSUID)

static const struct row rows[] = {
    {"/dev/mmcblk0p1:/boot:vfat:ro,nodev,noexec,nosuid:", "/dev/mmcblk0p1", "/boot", "vfat", "",
     MS_RDONLY | TRIO, 0, NULL},
    {"tmpfs:/sys/fs/cgroup:tmpfs:nodev,noexec,nosuid:mode=755,size=1024k", "tmpfs",
     "/sys/fs/cgroup", "tmpfs", "mode=755,size=1024k", TRIO, 0, NULL},
    {"a:b:c::", "a", "b", "c", "", 0, 0, NULL},
    {":b:::", "", "b", "", "", 0, 0, NULL},
    {"o:/o:overlay::lowerdir=/a:/b,upperdir=/c:", "o", "/o", "overlay",
     "lowerdir=/a:/b,upperdir=/c:", 0, 0, NULL},
    {"ubi0\\:data:/d:ubifs::", "ubi0:data", "/d", "ubifs", "", 0, 0, NULL},
    {"a\\;b:/c\\:d:e\\f::g\\;h\\:i\\\\", "a;b", "/c:d", "e\\f", "g;h:i\\\\", 0, 0, NULL},
    {"a:b:c:nosuid,rw,nodev:", "a", "b", "c", "", MS_NOSUID | MS_NODEV, 0, NULL},
    {"a:b:c:ro,noatime,rw:", "a", "b", "c", "", MS_NOATIME, 0, NULL},
    {"a:b:c:rw,ro:", "a", "b", "c", "", MS_RDONLY, 0, NULL},
    {"a:b:c:,,ro,,:", "a", "b", "c", "", MS_RDONLY, 0, NULL},
    {"a:b:c:foo,ro,bar:", "a", "b", "c", "", MS_RDONLY, 0, "foo"},
    {"a:b:c:r,rod:", "a", "b", "c", "", 0, 0, "r"},
    {"a:b:c:RO:", "a", "b", "c", "", 0, 0, "RO"},
};

static void check(const struct row *row)
{
    struct mount_spec spec;
    const char *problem = NULL;
    const char *unknown = "unset";
    assert_int_equal(mount_parse(row->text, &spec, &problem, &unknown), 0);
    assert_null(problem);
    assert_string_equal(spec.source, row->source);
    assert_string_equal(spec.target, row->target);
    assert_string_equal(spec.type, row->type);
    assert_string_equal(spec.data, row->data);
    assert_int_equal(spec.flags, row->flags);
    assert_int_equal(spec.propagation, row->propagation);
    if (row->unknown == NULL)
        assert_null(unknown);
    else
        assert_string_equal(unknown, row->unknown);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(&rows[i]);
}

/* Each flag sets its bits, and the word that takes it back leaves nothing. */
static void test_flags(void **state)
{
    (void)state;
    static const struct {
        const char *on, *off;
        unsigned long bits;
    } pairs[] = {
        {"ro", "rw", 1},
        {"nosuid", "suid", 2},
        {"nodev", "dev", 4},
        {"noexec", "exec", 8},
        {"sync", "async", 16},
        {"remount", NULL, 32},
        {"mand", "nomand", 64},
        {"dirsync", NULL, 128},
        {"nosymfollow", "symfollow", 256},
        {"noatime", "atime", 1024},
        {"nodiratime", "diratime", 2048},
        {"bind", NULL, 4096},
        {"move", NULL, 8192},
        {"rbind", NULL, 4096 | 16384},
        {"silent", "loud", 32768},
        {"relatime", "norelatime", 1 << 21},
        {"iversion", "noiversion", 1 << 23},
        {"strictatime", "nostrictatime", 1 << 24},
        {"lazytime", "nolazytime", 1 << 25},
        {"defaults", NULL, 0},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "a:b:c:%s:", pairs[i].on);
        check(&(struct row){text, "a", "b", "c", "", pairs[i].bits, 0, NULL});
        if (pairs[i].bits != 1) {
            snprintf(text, sizeof text, "a:b:c:ro,%s:", pairs[i].on);
            check(&(struct row){text, "a", "b", "c", "", 1 | pairs[i].bits, 0, NULL});
        }
        if (pairs[i].off == NULL)
            continue;
        snprintf(text, sizeof text, "a:b:c:%s,%s:", pairs[i].on, pairs[i].off);
        check(&(struct row){text, "a", "b", "c", "", 0, 0, NULL});
        snprintf(text, sizeof text, "a:b:c:%s,%s:", pairs[i].off, pairs[i].on);
        check(&(struct row){text, "a", "b", "c", "", pairs[i].bits, 0, NULL});
    }
}

static void test_propagation(void **state)
{
    (void)state;
    check(&(struct row){"a:b::bind,private:", "a", "b", "", "", MS_BIND, MS_PRIVATE, NULL});
    check(&(struct row){"a:b::rprivate:", "a", "b", "", "", 0, MS_PRIVATE | MS_REC, NULL});
    check(&(struct row){"a:b::shared,ro:", "a", "b", "", "", MS_RDONLY, MS_SHARED, NULL});
    check(&(struct row){"a:b::rshared:", "a", "b", "", "", 0, MS_SHARED | MS_REC, NULL});
    check(&(struct row){"a:b::slave:", "a", "b", "", "", 0, MS_SLAVE, NULL});
    check(&(struct row){"a:b::shared,rslave:", "a", "b", "", "", 0, MS_SLAVE | MS_REC, NULL});
    check(&(struct row){"a:b::unbindable:", "a", "b", "", "", 0, MS_UNBINDABLE, NULL});
    check(&(struct row){"a:b::runbindable:", "a", "b", "", "", 0, MS_UNBINDABLE | MS_REC, NULL});
}

/* The names say the flags again: read once more, they give the same. */
static void test_names(void **state)
{
    (void)state;
    static const char *const all[] = {
        "",
        "ro",
        "ro,nosuid,nodev,noexec,sync,dirsync,mand,noatime,nodiratime",
        "relatime,strictatime,lazytime,nosymfollow,iversion,silent",
        "bind",
        "ro,rbind",
        "remount,bind",
        "move",
        "private",
        "ro,rshared",
        "bind,slave",
        "rbind,runbindable",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct mount_spec spec;
        struct strings names = {0};
        char text[256];
        char joined[256] = "";
        const char *problem = NULL;
        const char *unknown = NULL;
        (void)snprintf(text, sizeof text, "a:/b:c:%s:", all[i]);
        assert_int_equal(mount_parse(text, &spec, &problem, &unknown), 0);
        assert_int_equal(mount_flag_names(&spec, &names), 0);
        for (size_t j = 0; j < names.count; j++) {
            if (j > 0)
                (void)strcat(joined, ",");
            (void)strcat(joined, names.item[j]);
        }
        const char *expected = strcmp(all[i], "remount,bind") == 0 ? "bind,remount" : all[i];
        assert_string_equal(joined, expected);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const few[] = {"",        "a",           "a:b",     "a:b:c",
                                      "a:b:c:d", "a:b:c:d\\:e", "a:b:c:\\"};
    struct mount_spec spec = {.source = "kept"};
    const char *problem = NULL;
    const char *unknown = "kept";
    for (size_t i = 0; i < sizeof few / sizeof few[0]; i++) {
        assert_int_equal(mount_parse(few[i], &spec, &problem, &unknown), -EINVAL);
        assert_non_null(strstr(problem, "fewer than five fields"));
    }
    assert_int_equal(mount_parse("a::c:d:e", &spec, &problem, &unknown), -EINVAL);
    assert_string_equal(problem, "no path to mount on");
    assert_string_equal(spec.source, "kept");
    assert_string_equal(unknown, "kept");
}

static void test_any_length(void **state)
{
    (void)state;
    enum { LENGTH = 200000 };
    char *text = malloc(LENGTH + 16);
    memset(text, 'x', LENGTH);
    memcpy(text + LENGTH, ":/t:ext4:ro:d", 14);
    struct mount_spec spec;
    const char *problem, *unknown;
    assert_int_equal(mount_parse(text, &spec, &problem, &unknown), 0);
    assert_int_equal(strlen(spec.source), LENGTH);
    assert_string_equal(spec.data, "d");
    free(text);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct mount_spec spec = {.source = "kept"};
    const char *problem = "kept";
    const char *unknown = "kept";
    string_fails = true;
    assert_int_equal(mount_parse("a:b:c:d:e", &spec, &problem, &unknown), -ENOMEM);
    string_fails = false;
    no_memory = true;
    assert_int_equal(mount_parse("a:b:c:d:e", &spec, &problem, &unknown), -ENOMEM);
    no_memory = false;
    assert_string_equal(spec.source, "kept");
    assert_string_equal(unknown, "kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_flags),
        cmocka_unit_test(test_propagation),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_any_length),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
