/* SPDX-License-Identifier: MIT */
/* wrap: arena_copy arena_alloc arena_format setgroups setresgid setresuid getresuid getresgid */
/* wrap: capabilities_keep capabilities_are */
#include "erlinit/arena.h"
#include "erlinit/vm.h"
#include "log_spy.h"
#include "scratch.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

char *__real_arena_copy(const char *bytes, size_t length);
#define FAILING_COPY __real_arena_copy
#include "failing.h"

char *__wrap_arena_copy(const char *bytes, size_t length);
void *__real_arena_alloc(size_t size);
void *__wrap_arena_alloc(size_t size);

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return ++calls == fail_at ? NULL : __real_arena_copy(bytes, length);
}

void *__wrap_arena_alloc(size_t size)
{
    return ++calls == fail_at ? NULL : __real_arena_alloc(size);
}

/* The kernel's view, as far as identity_apply() goes. */
static struct {
    char order[64];
    const char *failing; /* name of the call that fails with EPERM */
    uid_t uid[3];
    gid_t gid[3];
    size_t group_count;
    gid_t groups[8];
    int lie; /* which of ruid euid suid rgid egid sgid is reported wrong, from 1; 0: none */
} kernel;

int __wrap_setgroups(size_t count, const gid_t *groups);
int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved);
int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int __wrap_capabilities_keep(uint64_t set);
bool __wrap_capabilities_are(uint64_t set, bool cut);

static int called(const char *name)
{
    strcat(kernel.order, name);
    strcat(kernel.order, " ");
    if (kernel.failing == NULL || strcmp(kernel.failing, name) != 0)
        return 0;
    errno = EPERM;
    return -1;
}

int __wrap_setgroups(size_t count, const gid_t *groups)
{
    kernel.group_count = count;
    for (size_t i = 0; i < count; i++)
        kernel.groups[i] = groups[i];
    return called("setgroups");
}

int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
    kernel.gid[0] = real, kernel.gid[1] = effective, kernel.gid[2] = saved;
    return called("setresgid");
}

int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved)
{
    kernel.uid[0] = real, kernel.uid[1] = effective, kernel.uid[2] = saved;
    return called("setresuid");
}

int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    *real = kernel.uid[0] + (kernel.lie == 1);
    *effective = kernel.uid[1] + (kernel.lie == 2);
    *saved = kernel.uid[2] + (kernel.lie == 3);
    return called("getresuid");
}

int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
    *real = kernel.gid[0] + (kernel.lie == 4);
    *effective = kernel.gid[1] + (kernel.lie == 5);
    *saved = kernel.gid[2] + (kernel.lie == 6);
    return called("getresgid");
}

/* See test_capabilities for what is in there. */
int __wrap_capabilities_keep(uint64_t set)
{
    assert_int_equal(set, 0);
    return called("keep") < 0 ? -errno : 0;
}

bool __wrap_capabilities_are(uint64_t set, bool cut)
{
    assert_true(set == 0 && !cut);
    return called("are") == 0;
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "\n"
                             "broken\n"
                             "nobody-numbers:x:a:b:c:/d:/e\n"
                             "half:x:1:b:c:/d:/e\n"
                             "huge:x:99999999999999999999999999999999:1::/:\n"
                             "nerves:x:1000:1001:Nerves:/home/nerves:/bin/sh\n"
                             "homeless:x:1002:1003\n"
                             "twin:x:1000:7:second:/home/twin:/bin/sh\n"
                             "1005:x:1006:1007::/home/digits:\n"
                             "eight:x:0010:0011::/home/eight:";

static const char group[] = "root:x:0:\n"
                            "tty:x:5:nerves\n"
                            "dialout:x:20:other,nerves\n"
                            "audio:x:29:nervesx,xnerves\n"
                            "video:x:44: nerves ,other\n"
                            "again:x:20:nerves\n"
                            "first-again:x:5:nerves\n"
                            "broken:x:x:nerves\n"
                            "short:x\n"
                            "wheel:x:10:root\n"
                            "gpio:x:997:";

static int setup(void **state)
{
    scratch_make(state);
    memset(&kernel, 0, sizeof kernel);
    scratch_file("/etc/passwd", passwd);
    scratch_file("/etc/group", group);
    return 0;
}

static int resolve(const char *uid, const char *gid, struct identity *identity)
{
    struct word uid_word = {uid, {"f", 3, 7}};
    struct word gid_word = {gid, {"f", 4, 9}};
    log_spy_reset();
    return identity_resolve(scratch_root, &uid_word, &gid_word, identity);
}

static struct identity expect(const char *uid, const char *gid, uid_t want_uid, gid_t want_gid,
                              const char *home)
{
    struct identity identity;
    assert_int_equal(resolve(uid, gid, &identity), 0);
    assert_int_equal(identity.uid, want_uid);
    assert_int_equal(identity.gid, want_gid);
    assert_string_equal(identity.home, home);
    return identity;
}

static struct identity quiet(const char *uid, const char *gid, uid_t want_uid, gid_t want_gid,
                             const char *home)
{
    struct identity identity = expect(uid, gid, want_uid, want_gid, home);
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
    return identity;
}

static void refused(const char *uid, const char *gid, int result, const char *error)
{
    struct identity identity = {.uid = 4711, .home = "kept"};
    assert_int_equal(resolve(uid, gid, &identity), result);
    assert_string_equal(log_spy_last(), error);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    assert_int_equal(identity.uid, 4711);
    assert_string_equal(identity.home, "kept");
}

static void test_nothing_given(void **state)
{
    (void)state;
    struct identity identity = quiet(NULL, NULL, 0, 0, "/root");
    assert_false(identity.change);
    assert_int_equal(identity.group_count, 0);
}

static void test_by_name(void **state)
{
    (void)state;
    struct identity identity = quiet("nerves", NULL, 1000, 1001, "/home/nerves");
    assert_true(identity.change);
    assert_int_equal(identity.group_count, 3);
    assert_int_equal(identity.groups[0], 5);
    assert_int_equal(identity.groups[1], 20);
    assert_int_equal(identity.groups[2], 44);
    identity = quiet("nerves", "gpio", 1000, 997, "/home/nerves");
    assert_int_equal(identity.group_count, 3);
}

static void test_by_number(void **state)
{
    (void)state;
    static const char *const spellings[] = {"1000", "0x3e8", "0X3E8", "01750", " 1000 "};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        struct identity identity = quiet(spellings[i], NULL, 1000, 1001, "/home/nerves");
        assert_int_equal(identity.group_count, 3);
        assert_int_equal(quiet(NULL, spellings[i], 0, 1000, "/root").group_count, 0);
    }
}

static void test_numbers_before_names(void **state)
{
    (void)state;
    /* 1005 is a number even though somebody is called that */
    struct identity identity = expect("1005", NULL, 1005, 1005, "/root");
    assert_int_equal(identity.group_count, 0);
    assert_string_equal(log_spy_last(),
                        "f:3:7: user 1005 is not in /etc/passwd, taking group 1005 for it");
    quiet("8", "5", 8, 5, "/root");
    /* numbers in the files are decimal, whatever they begin with */
    quiet("eight", NULL, 10, 11, "/home/eight");
}

static void test_not_in_passwd(void **state)
{
    (void)state;
    struct identity identity = quiet("5000", "gpio", 5000, 997, "/root");
    assert_true(identity.change);
    expect("5000", NULL, 5000, 5000, "/root");
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    quiet("homeless", NULL, 1002, 1003, "/root");
    assert_int_equal(expect("4294967294", NULL, 4294967294U, 4294967294U, "/root").uid,
                     4294967294U);
}

static void test_root_by_name(void **state)
{
    (void)state;
    struct identity identity = quiet("root", NULL, 0, 0, "/root");
    assert_int_equal(identity.group_count, 1);
    assert_int_equal(identity.groups[0], 10);
    assert_true(identity.change);
    assert_true(quiet(NULL, "gpio", 0, 997, "/root").change);
}

static void test_refused(void **state)
{
    (void)state;
    refused("nobody", NULL, -ENOENT,
            "f:3:7: --uid \"nobody\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
    refused("10\n0x", NULL, -ENOENT,
            "f:3:7: --uid \"10\\x0a0x\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
    refused("nerv", NULL, -ENOENT,
            "f:3:7: --uid \"nerv\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
    refused("4294967295", NULL, -EINVAL,
            "f:3:7: --uid \"4294967295\": out of range; the VM is not started with other rights "
            "than meant");
    refused(
        "-1", NULL, -EINVAL,
        "f:3:7: --uid \"-1\": out of range; the VM is not started with other rights than meant");
    refused("nerves", "nogroup", -ENOENT,
            "f:4:9: --gid \"nogroup\": neither a number nor a group of /etc/group; the VM is not "
            "started with other rights than meant");
    refused(NULL, "4294967296", -EINVAL,
            "f:4:9: --gid \"4294967296\": out of range; the VM is not started with other rights "
            "than meant");
    refused(NULL, "broken", -ENOENT,
            "f:4:9: --gid \"broken\": neither a number nor a group of /etc/group; the VM is not "
            "started with other rights than meant");
    refused("half", NULL, -ENOENT,
            "f:3:7: --uid \"half\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
    refused("huge", NULL, -ENOENT,
            "f:3:7: --uid \"huge\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
}

static void test_no_files(void **state)
{
    (void)state;
    assert_int_equal(unlink(scratch_path("/etc/passwd")), 0);
    assert_int_equal(unlink(scratch_path("/etc/group")), 0);
    quiet("1000", "1001", 1000, 1001, "/root");
    refused("nerves", NULL, -ENOENT,
            "f:3:7: --uid \"nerves\": neither a number nor a user of /etc/passwd; the VM is not "
            "started with other rights than meant");
    scratch_directory("/etc/passwd");
    expect("1000", "1000", 1000, 1000, "/root");
    assert_string_equal(log_spy_last(),
                        "can't read /etc/passwd: Is a directory; going on without it");
}

static void test_long_lines(void **state)
{
    (void)state;
    enum { LENGTH = 50000 };
    char *content = calloc(1, 3 * LENGTH);
    strcpy(content, "other:x:1:1:");
    memset(content + strlen(content), 'c', LENGTH);
    strcat(content, ":/:\nnerves:x:1000:1001:");
    memset(content + strlen(content), 'c', LENGTH);
    strcat(content, ":/home/long:");
    scratch_file("/etc/passwd", content);
    strcpy(content, "tty:x:5:");
    for (int i = 0; i < 5000; i++)
        strcat(content + strlen(content), "member,");
    strcat(content, "nerves\n");
    scratch_file("/etc/group", content);
    assert_int_equal(quiet("nerves", NULL, 1000, 1001, "/home/long").group_count, 1);
    free(content);
}

static void test_binary_files(void **state)
{
    (void)state;
    char bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37 % 256);
    scratch_bytes("/etc/passwd", bytes, sizeof bytes);
    scratch_bytes("/etc/group", bytes, sizeof bytes);
    struct identity identity;
    assert_int_equal(resolve("nerves", NULL, &identity), -ENOENT);
    scratch_bytes("/etc/passwd", "a\0b:x:1:2::/h\0i:\nnerves:x:3:4::/n", 34);
    quiet("1", NULL, 1, 2, "/h");
    quiet("nerves", NULL, 3, 4, "/n");
}

static void check_without_memory(const char *uid, const char *gid)
{
    struct identity identity;
    calls = fail_at = 0;
    assert_int_equal(resolve(uid, gid, &identity), 0);
    int total = calls;
    assert_true(total > 0);
    for (int n = 1; n <= total; n++) {
        struct identity again = {.home = "kept"};
        calls = 0;
        fail_at = n;
        assert_int_equal(resolve(uid, gid, &again), -ENOMEM);
        assert_string_equal(again.home, "kept");
        fail_at = 0;
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    check_without_memory("nerves", "gpio");
    check_without_memory("1000", NULL);
    check_without_memory(NULL, "gpio");
}

static void test_apply(void **state)
{
    (void)state;
    struct identity identity = expect("nerves", NULL, 1000, 1001, "/home/nerves");
    assert_int_equal(identity_apply(&identity), 0);
    assert_string_equal(kernel.order,
                        "setgroups setresgid setresuid getresuid getresgid keep are ");
    assert_int_equal(kernel.group_count, 3);
    assert_int_equal(kernel.groups[2], 44);
    assert_int_equal(kernel.uid[0], 1000);
    assert_int_equal(kernel.uid[2], 1000);
    assert_int_equal(kernel.gid[1], 1001);
}

static void test_apply_nothing(void **state)
{
    (void)state;
    struct identity identity = expect(NULL, NULL, 0, 0, "/root");
    assert_int_equal(identity_apply(&identity), 0);
    assert_string_equal(kernel.order, "");
    /* groups of PID 1's own must not stay */
    identity = expect("5000", NULL, 5000, 5000, "/root");
    kernel.group_count = 99;
    assert_int_equal(identity_apply(&identity), 0);
    assert_int_equal(kernel.group_count, 0);
}

static void test_apply_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"setgroups", "setresgid", "setresuid", "getresuid",
                                        "getresgid", "keep",      "are"};
    struct identity identity = expect("nerves", NULL, 1000, 1001, "/home/nerves");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        memset(&kernel, 0, sizeof kernel);
        kernel.failing = names[i];
        assert_int_equal(identity_apply(&identity), -EPERM);
    }
    for (int lie = 1; lie <= 6; lie++) {
        memset(&kernel, 0, sizeof kernel);
        kernel.lie = lie;
        assert_int_equal(identity_apply(&identity), -EPERM);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, setup, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_nothing_given),  IN_SCRATCH(test_by_name),
        IN_SCRATCH(test_by_number),      IN_SCRATCH(test_numbers_before_names),
        IN_SCRATCH(test_not_in_passwd),  IN_SCRATCH(test_root_by_name),
        IN_SCRATCH(test_refused),        IN_SCRATCH(test_no_files),
        IN_SCRATCH(test_long_lines),     IN_SCRATCH(test_binary_files),
        IN_SCRATCH(test_without_memory), IN_SCRATCH(test_apply),
        IN_SCRATCH(test_apply_nothing),  IN_SCRATCH(test_apply_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
