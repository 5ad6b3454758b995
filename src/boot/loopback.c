/* SPDX-License-Identifier: MIT */
/*
 * The loopback interface: up, with its addresses (rtnetlink(7)). libmnl builds the messages; its
 * sockets are left aside because they take heap memory. Each request asks for an acknowledgement.
 */
#include "erlinit/boot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BYTES 256

/* In every network namespace the first interface: LOOPBACK_IFINDEX in the kernel. */
#define LOOPBACK_INDEX 1

union message {
    struct nlmsghdr header;
    char bytes[MESSAGE_BYTES];
};

/*
 * Sends and reads the acknowledgement. The kernel works requests off within sendto(2), so the
 * answer is there when that returns and nothing has to be waited for.
 */
static int request(int fd, struct nlmsghdr *header)
{
    _Alignas(struct nlmsghdr) char bytes[2 * MESSAGE_BYTES];
    const struct nlmsghdr *answer = (const void *)bytes;
    static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (sendto(fd, header, header->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) <
        0)
        return -errno;
    ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0)
        return -errno;
    if (!mnl_nlmsg_ok(answer, (int)length) || answer->nlmsg_type != NLMSG_ERROR ||
        mnl_nlmsg_get_payload_len(answer) < sizeof(struct nlmsgerr))
        return -EPROTO;
    const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
    return error->error;
}

static int bring_up(int fd)
{
    union message message = {.bytes = {0}};
    struct nlmsghdr *header = mnl_nlmsg_put_header(message.bytes);

    header->nlmsg_type = RTM_NEWLINK;
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof *link);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = LOOPBACK_INDEX;
    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    return request(fd, header);
}

/* mnl_attr_put(), which would bring 2 KB of libmnl's other ways with attributes along. */
static void put_attribute(struct nlmsghdr *header, unsigned short type, const void *value,
                          size_t length)
{
    struct nlattr *attribute = mnl_nlmsg_put_extra_header(header, NLA_HDRLEN + length);

    attribute->nla_type = type;
    attribute->nla_len = (unsigned short)(NLA_HDRLEN + length);
    memcpy((char *)attribute + NLA_HDRLEN, value, length);
}

static int add_address(int fd, unsigned char family, unsigned char prefix, const void *address,
                       size_t length)
{
    union message message = {.bytes = {0}};
    struct nlmsghdr *header = mnl_nlmsg_put_header(message.bytes);

    header->nlmsg_type = RTM_NEWADDR;
    header->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
    struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(header, sizeof *info);
    info->ifa_family = family;
    info->ifa_prefixlen = prefix;
    info->ifa_flags = IFA_F_PERMANENT;
    info->ifa_scope = RT_SCOPE_HOST;
    info->ifa_index = LOOPBACK_INDEX;
    put_attribute(header, IFA_LOCAL, address, length);
    put_attribute(header, IFA_ADDRESS, address, length);
    int result = request(fd, header);
    /* The kernel gives lo these addresses itself when it comes up. */
    return result == -EEXIST ? 0 : result;
}

static int add_ipv4(int fd)
{
    const struct in_addr address = {htonl(INADDR_LOOPBACK)};

    return add_address(fd, AF_INET, 8, &address, sizeof address);
}

static int add_ipv6(int fd)
{
    static const unsigned char address[16] = {[15] = 1};
    int result = add_address(fd, AF_INET6, 128, address, sizeof address);

    /* No IPv6 in this kernel, or switched off: somebody wanted it so. */
    if (result == -EOPNOTSUPP || result == -EAFNOSUPPORT || result == -EACCES) {
        errno = -result;
        log_debug("lo has no ::1: %m");
        return 0;
    }
    return result;
}

static enum step_result configure(int fd)
{
    static const struct {
        const char *what;
        int (*run)(int fd);
    } parts[] = {{"can't be brought up", bring_up},
                 {"can't be given 127.0.0.1", add_ipv4},
                 {"can't be given ::1", add_ipv6}};
    enum step_result result = STEP_DONE;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int error = parts[i].run(fd);
        if (error == 0)
            continue;
        errno = -error;
        log_warning("lo %s: %m; what talks over loopback (epmd, distribution) will fail",
                    parts[i].what);
        result = STEP_WARNED;
    }
    return result;
}

enum step_result boot_loopback(struct boot *boot)
{
    (void)boot;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0) {
        log_warning("no netlink socket, lo stays down: %m");
        return STEP_WARNED;
    }
    enum step_result result = configure(fd);
    (void)close(fd);
    return result;
}
