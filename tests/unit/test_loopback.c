/* SPDX-License-Identifier: MIT */
/* lo, in a network namespace of its own, and what is made of the kernel's refusals. */
/* wrap: recv socket */
#include "erlinit/boot.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

static int answers[3]; /* errno that the kernel's answer is made to hold, by request */
static int answer_count, answer_length, no_socket;

int __wrap_socket(int family, int type, int protocol)
{
    if (no_socket) {
        errno = no_socket;
        return -1;
    }
    return __real_socket(family, type, protocol);
}

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
    ssize_t length = __real_recv(fd, buffer, size, flags);
    int error = answers[answer_count++ % 3];
    if (error) {
        struct nlmsgerr *answer = (void *)((char *)buffer + NLMSG_HDRLEN);
        answer->error = -error;
    }
    return answer_length ? answer_length : length;
}

static enum step_result run(int up, int ipv4, int ipv6)
{
    struct boot boot = {.options = NULL};

    answers[0] = up;
    answers[1] = ipv4;
    answers[2] = ipv6;
    answer_count = 0;
    log_spy_reset();
    return boot_loopback(&boot);
}

static bool can_bind(int family, const void *address, socklen_t length)
{
    int fd = __real_socket(family, SOCK_STREAM, 0);
    bool result = bind(fd, address, length) == 0;
    (void)close(fd);
    return result;
}

static void brings_lo_up(void **state)
{
    struct ifreq request = {.ifr_name = "lo"};
    const struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f010203)}};
    const struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    (void)state;
    if (unshare(CLONE_NEWNET) < 0)
        skip();
    int fd = __real_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    assert_false(request.ifr_flags & IFF_UP);
    assert_int_equal(run(0, 0, 0), STEP_DONE);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    assert_true(request.ifr_flags & IFF_UP);
    (void)close(fd);
    assert_true(can_bind(AF_INET, &ipv4, sizeof ipv4)); /* all of 127.0.0.0/8 */
    assert_true(can_bind(AF_INET6, &ipv6, sizeof ipv6));
    assert_int_equal(run(0, 0, 0), STEP_DONE); /* all there already */
    assert_int_equal(answer_count, 3);
}

static void takes_a_kernel_without_ipv6(void **state)
{
    (void)state;
    assert_int_equal(run(0, 0, EOPNOTSUPP), STEP_DONE);
    assert_int_equal(run(0, 0, EACCES), STEP_DONE);
    assert_int_equal(run(0, 0, EAFNOSUPPORT), STEP_DONE);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void warns_about_each_refusal(void **state)
{
    (void)state;
    assert_int_equal(run(EPERM, 0, 0), STEP_WARNED);
    assert_int_equal(answer_count, 3); /* the others are tried */
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_int_equal(run(EPERM, ENODEV, EINVAL), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 3);
}

static void warns_about_a_broken_answer(void **state)
{
    (void)state;
    answer_length = 7;
    assert_int_equal(run(0, 0, 0), STEP_WARNED);
    answer_length = 0;
    no_socket = EAFNOSUPPORT;
    assert_int_equal(run(0, 0, 0), STEP_WARNED);
    no_socket = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_lo_up),
        cmocka_unit_test(takes_a_kernel_without_ipv6),
        cmocka_unit_test(warns_about_each_refusal),
        cmocka_unit_test(warns_about_a_broken_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
