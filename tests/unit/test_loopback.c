/* SPDX-License-Identifier: MIT */
/* lo, in network namespaces of its own, and what is made of the kernel's refusals. */
/* wrap: ioctl socket */
#include "erlinit/boot.h"
#include "erlinit/times.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

struct ipv6_request {
    struct in6_addr address;
    uint32_t prefix_length;
    int index;
};

static struct {
    int family, error; /* of sockets */
} no_socket;
static struct {
    unsigned long request;
    int family, error;
} refused;
static int last_family;
static int ioctls;

int __wrap_socket(int family, int type, int protocol)
{
    if (no_socket.error && family == no_socket.family) {
        errno = no_socket.error;
        return -1;
    }
    last_family = family;
    return __real_socket(family, type, protocol);
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    ioctls++;
    if (refused.error && request == refused.request &&
        (refused.family == 0 || refused.family == last_family)) {
        errno = refused.error;
        return -1;
    }
    return __real_ioctl(fd, request, argument);
}

static enum step_result run(void)
{
    struct boot boot = {.options = NULL};

    ioctls = 0;
    log_spy_reset();
    return boot_loopback(&boot);
}

static int setup(void **state)
{
    (void)state;
    refused.error = no_socket.error = 0;
    return 0;
}

static void fresh_network(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        skip();
}

static bool can_bind(int family, const void *address, socklen_t length)
{
    int fd = __real_socket(family, SOCK_STREAM, 0);
    bool result = bind(fd, address, length) == 0;
    (void)close(fd);
    return result;
}

static bool has_ipv4(uint32_t number)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(number)}};
    return can_bind(AF_INET, &address, sizeof address);
}

static bool has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return can_bind(AF_INET6, &address, sizeof address);
}

/* What an initramfs might have done. */
static void change_lo(int family, unsigned long request, void *argument)
{
    int fd = __real_socket(family, SOCK_DGRAM, 0);
    assert_int_equal(__real_ioctl(fd, request, argument), 0);
    (void)close(fd);
}

static bool is_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    change_lo(AF_INET, SIOCGIFFLAGS, &request);
    return request.ifr_flags & IFF_UP;
}

static void assert_complete(void)
{
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_true(is_up());
    assert_true(has_ipv4(0x7f010203)); /* all of 127.0.0.0/8 */
    /* one that is added later is checked first for a twin, in the background */
    int64_t limit_ms = time_ms() + 10000;
    while (!has_ipv6() && time_ms() < limit_ms)
        (void)sched_yield();
    assert_true(has_ipv6());
}

static void brings_lo_up(void **state)
{
    (void)state;
    fresh_network();
    assert_false(is_up());
    assert_int_equal(run(), STEP_DONE);
    assert_int_equal(ioctls, 3);
    assert_complete();
    assert_int_equal(run(), STEP_DONE); /* all there already */
    assert_complete();
}

static void completes_what_others_began(void **state)
{
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in *address = (void *)&request.ifr_addr;
    struct ipv6_request ipv6 = {IN6ADDR_LOOPBACK_INIT, 128, 1};

    (void)state;
    fresh_network();
    request.ifr_flags = IFF_UP;
    change_lo(AF_INET, SIOCSIFFLAGS, &request);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001)}};
    change_lo(AF_INET, SIOCSIFADDR, &request); /* in the place of the first */
    change_lo(AF_INET6, SIOCDIFADDR, &ipv6);
    assert_true(is_up());
    assert_false(has_ipv4(0x7f010203));
    assert_false(has_ipv6());
    assert_int_equal(run(), STEP_DONE);
    assert_complete();
    assert_true(has_ipv4(0x0a000001));
    assert_int_equal(run(), STEP_DONE);
    assert_complete();
}

static void takes_a_kernel_without_ipv6(void **state)
{
    static const int errors[] = {EOPNOTSUPP, EACCES, EAFNOSUPPORT};

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        no_socket.family = AF_INET6;
        no_socket.error = errors[i];
        assert_int_equal(run(), STEP_DONE);
        no_socket.error = 0;
        refused.request = SIOCSIFADDR;
        refused.family = AF_INET6;
        refused.error = errors[i];
        assert_int_equal(run(), STEP_DONE);
        assert_int_equal(log_spy_count(LOG_WARNING), 0);
        refused.error = 0;
    }
}

static void warns_about_each_refusal(void **state)
{
    static const struct {
        unsigned long request;
        int family;
        const char *words;
    } cases[] = {{SIOCGIFFLAGS, AF_INET, "brought up"},
                 {SIOCSIFFLAGS, AF_INET, "brought up"},
                 {SIOCSIFADDR, AF_INET, "127.0.0.1"},
                 {SIOCSIFADDR, AF_INET6, "::1"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
        struct sockaddr_in *address = (void *)&request.ifr_addr;
        fresh_network();
        if (cases[i].request == SIOCSIFADDR) {
            change_lo(AF_INET, SIOCSIFFLAGS, &request);
            *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001)}};
            change_lo(AF_INET, SIOCSIFADDR, &request);
        }
        refused.request = cases[i].request;
        refused.family = cases[i].family;
        refused.error = EPERM;
        assert_int_equal(run(), STEP_WARNED);
        assert_int_equal(log_spy_count(LOG_WARNING), 1);
        assert_true(log_spy_contains(cases[i].words));
        refused.error = 0;
    }
}

static void warns_without_a_network(void **state)
{
    (void)state;
    no_socket.family = AF_INET;
    no_socket.error = EAFNOSUPPORT;
    assert_int_equal(run(), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_int_equal(ioctls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(brings_lo_up, setup),
        cmocka_unit_test_setup(completes_what_others_began, setup),
        cmocka_unit_test_setup(takes_a_kernel_without_ipv6, setup),
        cmocka_unit_test_setup(warns_about_each_refusal, setup),
        cmocka_unit_test_setup(warns_without_a_network, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
