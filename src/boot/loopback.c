/* SPDX-License-Identifier: MIT */
/*
 * The loopback interface: up, with 127.0.0.1/8 and ::1/128. The kernel gives it both when it brings
 * it up (inetdev_event() and addrconf_notify(), since Linux 2.2), so that two system calls are
 * enough. Only if somebody had it up before us, or has given it other addresses, there is more to
 * do (netdevice(7)).
 */
#include "erlinit/boot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* In every network namespace the first interface: LOOPBACK_IFINDEX in the kernel. */
#define LOOPBACK_INDEX 1

/* struct in6_ifreq of linux/ipv6.h, which can't be included together with libc's headers. */
struct ipv6_request {
    struct in6_addr address;
    uint32_t prefix_length;
    int index;
};

/* 1: it was up already. */
static int bring_up(int fd)
{
    struct ifreq request = {.ifr_name = "lo"};

    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return -errno;
    if (request.ifr_flags & IFF_UP)
        return 1;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int have_ipv4(int fd)
{
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in *address = (void *)&request.ifr_addr;

    if (ioctl(fd, SIOCGIFADDR, &request) == 0 && address->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
        return 0;
    /* with a label of its own it replaces nothing; the kernel knows the prefix length of a class */
    request = (struct ifreq){.ifr_name = "lo:0"};
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return ioctl(fd, SIOCSIFADDR, &request) < 0 && errno != EEXIST ? -errno : 0;
}

static int have_ipv6(void)
{
    struct ipv6_request request = {IN6ADDR_LOOPBACK_INIT, 128, LOOPBACK_INDEX};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 || ioctl(fd, SIOCSIFADDR, &request) < 0 ? -errno : 0;

    if (fd >= 0)
        (void)close(fd);
    /* No IPv6 in this kernel, or switched off: somebody wanted it so. */
    if (result == -EOPNOTSUPP || result == -EAFNOSUPPORT || result == -EACCES) {
        errno = -result;
        log_debug("lo has no ::1: %m");
        return 0;
    }
    return result == -EEXIST ? 0 : result;
}

static enum step_result complain(const char *what, int error)
{
    errno = -error;
    log_warning("lo %s: %m; what talks over loopback (epmd, distribution) will fail", what);
    return STEP_WARNED;
}

static enum step_result configure(int fd)
{
    int up = bring_up(fd);
    if (up < 0)
        return complain("can't be brought up", up);
    int ipv4 = have_ipv4(fd);
    int ipv6 = up > 0 ? have_ipv6() : 0;
    enum step_result result = ipv6 < 0 ? complain("can't be given ::1", ipv6) : STEP_DONE;
    return ipv4 < 0 ? complain("can't be given 127.0.0.1", ipv4) : result;
}

enum step_result boot_loopback(struct boot *boot)
{
    (void)boot;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return complain("can't be brought up", -errno);
    enum step_result result = configure(fd);
    (void)close(fd);
    return result;
}
