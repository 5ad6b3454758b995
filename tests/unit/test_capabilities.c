/* SPDX-License-Identifier: MIT */
/* The rights that the VM keeps: what is understood, and the calls in their order, each of which
 * fails once, or lies. The kernel's rules that matter here are played: see capabilities(7). */
/* wrap: setgroups setresgid setresuid getresuid getresgid syscall */
#include "../../src/vm/capabilities.h"
#include "erlinit/vm.h"
#include "log_spy.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define LAST_CAPABILITY 40
#define ALL             ((1ULL << (LAST_CAPABILITY + 1)) - 1)
#define BIT(name)       (1ULL << CAP_##name)

static struct {
    uid_t uid;
    gid_t gid;
    bool keep_on_change, no_new_privs;
    uint64_t bounding, permitted, effective, inheritable, ambient;
    char order[4096];
    int calls;
    int fail_at; /* the Nth call fails with EPERM; 0: none */
    int lie_at;  /* the Nth call that asks for something gets a wrong answer; 0: none */
    int asked;   /* calls that asked for something */
} kernel;

long __wrap_syscall(long number, ...);
int __wrap_setgroups(size_t count, const gid_t *groups);
int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved);
int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved);
int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved);

/* Each name once in a row: a loop is one word. */
static int called(const char *name)
{
    size_t length = strlen(kernel.order);
    size_t own = strlen(name);
    if (length < own + 1 || strncmp(kernel.order + length - own - 1, name, own) != 0) {
        strcat(kernel.order, name);
        strcat(kernel.order, " ");
    }
    errno = EPERM;
    return ++kernel.calls == kernel.fail_at ? -1 : 0;
}

static bool lies(void)
{
    return ++kernel.asked == kernel.lie_at;
}

int __wrap_setgroups(size_t count, const gid_t *groups)
{
    (void)count;
    (void)groups;
    return (kernel.effective & BIT(SETGID)) != 0 ? called("groups") : -1;
}

int __wrap_setresgid(gid_t real, gid_t effective, gid_t saved)
{
    assert_true(real == effective && real == saved);
    if ((kernel.effective & BIT(SETGID)) == 0 || called("gid") < 0)
        return -1;
    kernel.gid = real;
    return 0;
}

int __wrap_setresuid(uid_t real, uid_t effective, uid_t saved)
{
    assert_true(real == effective && real == saved);
    if (called("uid") < 0)
        return -1;
    if (real != kernel.uid) {
        kernel.effective = 0;
        kernel.ambient = 0;
        kernel.permitted = kernel.keep_on_change ? kernel.permitted : 0;
    }
    kernel.uid = real;
    return 0;
}

int __wrap_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    *real = *effective = *saved = kernel.uid + (lies() ? 1 : 0);
    return called("uid?");
}

int __wrap_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
    *real = *effective = *saved = kernel.gid + (lies() ? 1 : 0);
    return called("gid?");
}

static int asked(const char *name, uint64_t set, unsigned long number)
{
    if (number > LAST_CAPABILITY) {
        errno = EINVAL;
        return -1;
    }
    if (called(name) < 0)
        return -1;
    bool there = (set >> number & 1) != 0;
    return lies() ? !there : there;
}

static int drop(unsigned long number)
{
    if (called("drop") < 0 || (kernel.effective & BIT(SETPCAP)) == 0)
        return -1;
    kernel.bounding &= ~(1ULL << number);
    return 0;
}

static int ambient(unsigned long operation, unsigned long number)
{
    if (operation == PR_CAP_AMBIENT_IS_SET)
        return asked("ambient?", kernel.ambient, number);
    assert_int_equal(operation, PR_CAP_AMBIENT_RAISE);
    uint64_t bit = number > LAST_CAPABILITY ? 0 : 1ULL << number;
    if (called("ambient") < 0 || (kernel.permitted & kernel.inheritable & bit) == 0)
        return -1;
    kernel.ambient |= bit;
    return 0;
}

static int control(int option, unsigned long first, unsigned long second)
{
    switch (option) {
    case PR_CAPBSET_READ:
        return asked("bound?", kernel.bounding, first);
    case PR_CAPBSET_DROP:
        return drop(first);
    case PR_SET_KEEPCAPS:
        kernel.keep_on_change = first == 1;
        return called("keep");
    case PR_CAP_AMBIENT:
        return ambient(first, second);
    case PR_SET_NO_NEW_PRIVS:
        assert_int_equal(first, 1);
        kernel.no_new_privs = true;
        return called("nnp");
    case PR_GET_NO_NEW_PRIVS:
        return called("nnp?") < 0 ? -1 : kernel.no_new_privs != lies();
    default:
        fail_msg("prctl %d", option);
        return -1;
    }
}

static uint64_t both(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

static int capset(const struct __user_cap_data_struct words[2])
{
    uint64_t wanted = both(words[0].permitted, words[1].permitted) & ALL;
    if (called("set") < 0 || (wanted & ~kernel.permitted) != 0)
        return -1;
    kernel.permitted = wanted;
    kernel.effective = both(words[0].effective, words[1].effective) & ALL;
    kernel.inheritable = both(words[0].inheritable, words[1].inheritable) & ALL;
    kernel.ambient &= wanted & kernel.inheritable;
    return 0;
}

static int capget(struct __user_cap_data_struct words[2])
{
    bool wrong = lies();
    for (int i = 0; i < 2; i++) {
        words[i].permitted = (uint32_t)(kernel.permitted >> 32 * i);
        words[i].effective = (uint32_t)(kernel.effective >> 32 * i);
        words[i].inheritable = (uint32_t)(kernel.inheritable >> 32 * i);
    }
    words[1].effective ^= wrong ? 1 : 0;
    return called("set?");
}

long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    long result = -1;
    if (number == SYS_prctl) {
        int option = va_arg(arguments, int);
        unsigned long first = va_arg(arguments, unsigned long);
        unsigned long second = va_arg(arguments, unsigned long);
        assert_int_equal(va_arg(arguments, unsigned long), 0);
        assert_int_equal(va_arg(arguments, unsigned long), 0);
        result = control(option, first, second);
    } else {
        const struct __user_cap_header_struct *header = va_arg(arguments, void *);
        assert_int_equal(header->version, _LINUX_CAPABILITY_VERSION_3);
        assert_int_equal(header->pid, 0);
        result = number == SYS_capset ? capset(va_arg(arguments, void *))
                                      : capget(va_arg(arguments, void *));
    }
    va_end(arguments);
    return result;
}

static int setup(void **state)
{
    (void)state;
    log_spy_reset();
    memset(&kernel, 0, sizeof kernel);
    kernel.bounding = kernel.permitted = kernel.effective = ALL;
    return 0;
}

static void understands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t set;
    } rows[] = {
        {"none", 0},
        {"cap_net_bind_service", BIT(NET_BIND_SERVICE)},
        {"net_bind_service,cap_net_admin", BIT(NET_BIND_SERVICE) | BIT(NET_ADMIN)},
        {"chown", 1},
        {"0", 1},
        {"checkpoint_restore,sys_time", BIT(CHECKPOINT_RESTORE) | BIT(SYS_TIME)},
        {"40,cap_bpf", BIT(CHECKPOINT_RESTORE) | BIT(BPF)},
        {"63", 1ULL << 63},
        {"sys_nice,sys_nice,23", BIT(SYS_NICE)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t set = 4711;
        assert_int_equal(capabilities_parse(rows[i].text, &set), 0);
        assert_int_equal(set, rows[i].set);
    }
}

/* Against the numbers of the kernel's header. */
static void knows_all_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"chown", CAP_CHOWN},
        {"dac_override", CAP_DAC_OVERRIDE},
        {"dac_read_search", CAP_DAC_READ_SEARCH},
        {"fowner", CAP_FOWNER},
        {"fsetid", CAP_FSETID},
        {"kill", CAP_KILL},
        {"setgid", CAP_SETGID},
        {"setuid", CAP_SETUID},
        {"setpcap", CAP_SETPCAP},
        {"linux_immutable", CAP_LINUX_IMMUTABLE},
        {"net_bind_service", CAP_NET_BIND_SERVICE},
        {"net_broadcast", CAP_NET_BROADCAST},
        {"net_admin", CAP_NET_ADMIN},
        {"net_raw", CAP_NET_RAW},
        {"ipc_lock", CAP_IPC_LOCK},
        {"ipc_owner", CAP_IPC_OWNER},
        {"sys_module", CAP_SYS_MODULE},
        {"sys_rawio", CAP_SYS_RAWIO},
        {"sys_chroot", CAP_SYS_CHROOT},
        {"sys_ptrace", CAP_SYS_PTRACE},
        {"sys_pacct", CAP_SYS_PACCT},
        {"sys_admin", CAP_SYS_ADMIN},
        {"sys_boot", CAP_SYS_BOOT},
        {"sys_nice", CAP_SYS_NICE},
        {"sys_resource", CAP_SYS_RESOURCE},
        {"sys_time", CAP_SYS_TIME},
        {"sys_tty_config", CAP_SYS_TTY_CONFIG},
        {"mknod", CAP_MKNOD},
        {"lease", CAP_LEASE},
        {"audit_write", CAP_AUDIT_WRITE},
        {"audit_control", CAP_AUDIT_CONTROL},
        {"setfcap", CAP_SETFCAP},
        {"mac_override", CAP_MAC_OVERRIDE},
        {"mac_admin", CAP_MAC_ADMIN},
        {"syslog", CAP_SYSLOG},
        {"wake_alarm", CAP_WAKE_ALARM},
        {"block_suspend", CAP_BLOCK_SUSPEND},
        {"audit_read", CAP_AUDIT_READ},
        {"perfmon", CAP_PERFMON},
        {"bpf", CAP_BPF},
        {"checkpoint_restore", CAP_CHECKPOINT_RESTORE},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], CAP_LAST_CAP + 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t set = 0;
        assert_int_equal(capabilities_parse(rows[i].name, &set), 0);
        assert_int_equal(set, 1ULL << rows[i].number);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "net",
        "cap_",
        ",",
        "net_raw,",
        ",net_raw",
        "net_raw net_admin",
        "64",
        "-1",
        "0x1",
        "",
        "net_raw,none",
        "NONE",
        "1,2,64",
        "a_name_that_is_longer_than_any_capability",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t set = 4711;
        assert_int_equal(capabilities_parse(texts[i], &set), -EINVAL);
        assert_int_equal(set, 4711);
    }
}

static struct identity identity_of(uid_t uid, const char *capabilities, bool no_new_privs)
{
    struct identity identity = {.uid = uid, .gid = uid, .change = uid != 0};
    struct word word = {capabilities, {"f", 1, 2}};
    assert_int_equal(identity_restrict(&word, no_new_privs, &identity), 0);
    return identity;
}

static void restricts(void **state)
{
    (void)state;
    struct identity identity = identity_of(0, NULL, false);
    assert_false(identity.change || identity.limited || identity.no_new_privs);
    identity = identity_of(0, "none", false);
    assert_true(identity.change && identity.limited && !identity.no_new_privs);
    identity = identity_of(0, NULL, true);
    assert_true(identity.change && !identity.limited && identity.no_new_privs);
    struct word word = {"net_raw,sudo", {"f", 1, 2}};
    assert_int_equal(identity_restrict(&word, false, &identity), -EINVAL);
    assert_string_equal(log_spy_last(),
                        "f:1:2: --capabilities \"net_raw,sudo\": not all of these are "
                        "capabilities; the VM is not started with other rights than meant");
}

static void expect_sets(uint64_t set, uint64_t bounding)
{
    assert_int_equal(kernel.permitted, set);
    assert_int_equal(kernel.effective, set);
    assert_int_equal(kernel.inheritable, set == ALL ? 0 : set);
    assert_int_equal(kernel.ambient, set == ALL ? 0 : set);
    assert_int_equal(kernel.bounding, bounding);
}

static void keeps_some(void **state)
{
    (void)state;
    struct identity identity = identity_of(500, "net_bind_service,bpf", true);
    uint64_t set = BIT(NET_BIND_SERVICE) | BIT(BPF);
    assert_int_equal(identity_apply(&identity), 0);
    expect_sets(set, set);
    assert_int_equal(kernel.uid, 500);
    assert_true(kernel.no_new_privs);
    const char *after = strstr(kernel.order, "keep ");
    assert_non_null(after);
    assert_null(strstr(after, "drop"));
    assert_int_equal(strncmp(after, "keep groups gid uid uid? gid? set ambient set? ", 47), 0);
    assert_string_equal(kernel.order + strlen(kernel.order) - 10, " nnp nnp? ");
}

static void keeps_none(void **state)
{
    (void)state;
    struct identity identity = identity_of(500, "none", false);
    assert_int_equal(identity_apply(&identity), 0);
    expect_sets(0, 0);
    assert_false(kernel.no_new_privs);
    /* without the option setuid programs work as ever; but none that was inherited stays */
    setup(NULL);
    kernel.inheritable = kernel.ambient = BIT(SYS_ADMIN);
    identity = identity_of(500, NULL, false);
    assert_int_equal(identity_apply(&identity), 0);
    expect_sets(0, ALL);
}

static void leaves_root_alone(void **state)
{
    (void)state;
    struct identity identity = identity_of(0, NULL, false);
    assert_int_equal(identity_apply(&identity), 0);
    assert_string_equal(kernel.order, "");
    identity = identity_of(0, NULL, true);
    assert_int_equal(identity_apply(&identity), 0);
    assert_string_equal(kernel.order, "groups gid uid uid? gid? nnp nnp? ");
    expect_sets(ALL, ALL);
    /* root with less: exec gives what the bounding set has */
    setup(NULL);
    identity = identity_of(0, "net_admin", false);
    assert_int_equal(identity_apply(&identity), 0);
    expect_sets(BIT(NET_ADMIN), BIT(NET_ADMIN));
}

static void says_so_when_the_kernel_has_not_heard_of_it(void **state)
{
    (void)state;
    struct identity identity = identity_of(500, "41", false);
    assert_int_not_equal(identity_apply(&identity), 0);
    setup(NULL);
    kernel.permitted = kernel.effective = ALL & ~BIT(NET_ADMIN); /* a container */
    identity = identity_of(500, "net_admin", false);
    assert_int_equal(identity_apply(&identity), -EPERM);
}

/* Whichever call fails: success is only told if all is as it was asked for. */
static void never_with_other_rights(void **state)
{
    (void)state;
    struct identity identity = identity_of(500, "net_bind_service,bpf", true);
    assert_int_equal(identity_apply(&identity), 0);
    int calls = kernel.calls;
    assert_true(calls > 3 * LAST_CAPABILITY);
    for (int i = 1; i <= calls; i++) {
        setup(NULL);
        kernel.fail_at = i;
        if (identity_apply(&identity) < 0)
            continue;
        expect_sets(identity.capabilities, identity.capabilities);
        assert_true(kernel.uid == 500 && kernel.gid == 500 && kernel.no_new_privs);
    }
}

/* An answer that isn't as it should be is enough; only what the bounding set was before is of no
 * interest. */
static void believes_only_what_it_reads_back(void **state)
{
    (void)state;
    struct identity identity = identity_of(500, "net_bind_service,bpf", true);
    assert_int_equal(identity_apply(&identity), 0);
    int believed = 0;
    for (int i = kernel.asked; i > 0; i--) {
        setup(NULL);
        kernel.lie_at = i;
        believed += identity_apply(&identity) == 0 ? 1 : 0;
    }
    assert_int_equal(believed, LAST_CAPABILITY + 1);
}

static void names_them_again(void **state)
{
    (void)state;
    static const char *const sets[] = {"chown", "net_bind_service,sys_time", "checkpoint_restore",
                                       "kill,41,63"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char joined[64] = "";
        struct strings names = {0};
        uint64_t set = 0;
        assert_int_equal(capabilities_parse(sets[i], &set), 0);
        assert_int_equal(capabilities_names(set, &names), 0);
        for (size_t j = 0; j < names.count; j++) {
            if (j > 0)
                (void)strcat(joined, ",");
            (void)strcat(joined, names.item[j]);
        }
        assert_string_equal(joined, sets[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(understands, setup),
        cmocka_unit_test_setup(knows_all_names, setup),
        cmocka_unit_test_setup(refuses, setup),
        cmocka_unit_test_setup(names_them_again, setup),
        cmocka_unit_test_setup(restricts, setup),
        cmocka_unit_test_setup(keeps_some, setup),
        cmocka_unit_test_setup(keeps_none, setup),
        cmocka_unit_test_setup(leaves_root_alone, setup),
        cmocka_unit_test_setup(says_so_when_the_kernel_has_not_heard_of_it, setup),
        cmocka_unit_test_setup(never_with_other_rights, setup),
        cmocka_unit_test_setup(believes_only_what_it_reads_back, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
