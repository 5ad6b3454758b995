/* SPDX-License-Identifier: MIT */
/* --limits: what is understood, and what reaches the kernel. */
/* wrap: setrlimit */
#include "../../src/boot/limits.h"
#include "erlinit/boot.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

int __wrap_setrlimit(int resource, const struct rlimit *limit);

static struct {
    int resource;
    struct rlimit limit;
} calls[8];
static size_t call_count;
static int refuse; /* errno */

int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
    calls[call_count].resource = resource;
    calls[call_count++].limit = *limit;
    errno = refuse;
    return refuse ? -1 : 0;
}

static void check(const char *text, int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;
    const char *problem;
    int found = -1;

    assert_int_equal(limits_parse(text, &found, &limit, &problem), 0);
    assert_int_equal(found, resource);
    assert_int_equal(limit.rlim_cur, soft);
    assert_int_equal(limit.rlim_max, hard);
}

static void knows_every_name(void **state)
{
    static const struct {
        const char *text;
        int resource;
    } names[] = {{"as:1:2", RLIMIT_AS},           {"core:1:2", RLIMIT_CORE},
                 {"cpu:1:2", RLIMIT_CPU},         {"data:1:2", RLIMIT_DATA},
                 {"fsize:1:2", RLIMIT_FSIZE},     {"locks:1:2", RLIMIT_LOCKS},
                 {"memlock:1:2", RLIMIT_MEMLOCK}, {"msgqueue:1:2", RLIMIT_MSGQUEUE},
                 {"nice:1:2", RLIMIT_NICE},       {"nofile:1:2", RLIMIT_NOFILE},
                 {"nproc:1:2", RLIMIT_NPROC},     {"rss:1:2", RLIMIT_RSS},
                 {"rtprio:1:2", RLIMIT_RTPRIO},   {"rttime:1:2", RLIMIT_RTTIME},
                 {"stack:1:2", RLIMIT_STACK},     {"sigpending:1:2", RLIMIT_SIGPENDING}};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check(names[i].text, names[i].resource, 1, 2);
}

static void knows_every_way_to_say_no_limit(void **state)
{
    (void)state;
    check("core:unlimited:infinity", RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY);
    check("core::", RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY);
    check("core:0:", RLIMIT_CORE, 0, RLIM_INFINITY);
    check("nofile:0x400:9223372036854775807", RLIMIT_NOFILE, 1024, 9223372036854775807ULL);
}

static void refuses_all_else(void **state)
{
    static const char *const bad[] = {"",
                                      "core",
                                      "core:0",
                                      "core:0:0:0",
                                      "core:-1:0",
                                      "core:0:x",
                                      "core:1k:2k",
                                      ":0:0",
                                      "coree:0:0",
                                      "cor:0:0",
                                      "CORE:0:0",
                                      "core:unlimite:0",
                                      "core: : ",
                                      "core:0:9223372036854775808",
                                      "core:000000000000000000000000000000000000000000:0"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rlimit limit = {.rlim_cur = 7, .rlim_max = 7};
        const char *problem = NULL;
        int resource = 99;
        if (limits_parse(bad[i], &resource, &limit, &problem) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_non_null(problem);
        assert_int_equal(resource, 99);
        assert_int_equal(limit.rlim_cur, 7);
    }
}

static enum step_result run(const char *first, const char *second)
{
    struct word words[] = {{first, {"f", 3, 1}}, {second, {"f", 4, 1}}};
    struct options options = {.limits = {.item = words, .count = second ? 2 : first ? 1 : 0}};
    struct boot boot = {.options = &options};

    call_count = 0;
    log_spy_reset();
    return boot_limits(&boot);
}

static void sets_all_that_are_right(void **state)
{
    (void)state;
    refuse = 0;
    assert_int_equal(run(NULL, NULL), STEP_SKIPPED);
    assert_int_equal(run("core:0:0", "nofile:1:2"), STEP_DONE);
    assert_int_equal(call_count, 2);
    assert_int_equal(calls[1].resource, RLIMIT_NOFILE);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_int_equal(run("wrong", "nofile:1:2"), STEP_WARNED);
    assert_int_equal(call_count, 1);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

static void tells_what_the_kernel_refuses(void **state)
{
    (void)state;
    refuse = EPERM;
    assert_int_equal(run("nofile:1:2", NULL), STEP_WARNED);
    assert_true(log_spy_contains("nofile:1:2"));
    refuse = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_name),
        cmocka_unit_test(knows_every_way_to_say_no_limit),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(sets_all_that_are_right),
        cmocka_unit_test(tells_what_the_kernel_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
