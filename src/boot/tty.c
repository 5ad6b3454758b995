/* SPDX-License-Identifier: MIT */
/* The format of serial console options: Documentation/admin-guide/serial-console.rst. */
#include "tty.h"
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>

#define SPEED_TOLERANCE_PERCENT 5

#ifndef TCGETS2 /* architectures whose termios knows all speeds anyway */
#define termios2 termios
#define TCGETS2  TCGETS
#define TCSETS2  TCSETS
#endif

static int take_baud(const char **at, unsigned int *baud)
{
    unsigned int value = 0;

    for (; text_is_digit(**at); ++*at) {
        unsigned int digit = (unsigned int)(**at - '0');
        if (value > (UINT_MAX - digit) / 10)
            return -EINVAL;
        value = value * 10 + digit;
    }
    if (value == 0)
        return -EINVAL;
    *baud = value;
    return 0;
}

int tty_parse_format(const char *text, struct tty_format *format)
{
    struct tty_format parsed = {.parity = 'n', .bits = 8};

    if (take_baud(&text, &parsed.baud) < 0)
        return -EINVAL;
    if (*text != '\0') {
        parsed.parity = (char)(*text++ | 0x20); /* the kernel takes capitals too */
        if (parsed.parity != 'n' && parsed.parity != 'o' && parsed.parity != 'e')
            return -EINVAL;
    }
    if (*text != '\0') {
        if (*text < '5' || *text > '8')
            return -EINVAL;
        parsed.bits = (unsigned int)(*text++ - '0');
    }
    if (*text == 'r') {
        parsed.rtscts = true;
        text++;
    }
    if (*text != '\0')
        return -EINVAL;
    *format = parsed;
    return 0;
}

static tcflag_t frame_bits(const struct tty_format *format)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    tcflag_t flags = sizes[format->bits - 5];

    if (format->parity != 'n')
        flags |= PARENB;
    if (format->parity == 'o')
        flags |= PARODD;
    if (format->rtscts)
        flags |= CRTSCTS;
    return flags;
}

/* A receiver copes with this much; a driver that can't do a speed at all takes 9600 and is silent.
 */
static bool is_near(unsigned int baud, unsigned int wanted)
{
    unsigned int difference = baud > wanted ? baud - wanted : wanted - baud;

    return difference <= wanted / 100U * SPEED_TOLERANCE_PERCENT + 1;
}

int tty_set_format(int fd, const struct tty_format *format)
{
    struct termios2 settings;

    if (ioctl(fd, TCGETS2, &settings) < 0)
        return -errno;
    settings.c_iflag &=
        ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    settings.c_cflag &= ~(tcflag_t)(CBAUD | CIBAUD | CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS);
    /* CIBAUD cleared: reads at the speed of writing. */
    settings.c_cflag |= BOTHER | CREAD | CLOCAL | frame_bits(format);
    settings.c_ispeed = format->baud;
    settings.c_ospeed = format->baud;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (ioctl(fd, TCSETS2, &settings) < 0 || ioctl(fd, TCGETS2, &settings) < 0)
        return -errno;
    return is_near(settings.c_ospeed, format->baud) ? 0 : -EOPNOTSUPP;
}

int tty_ignore_carrier(int fd)
{
    struct termios2 settings;

    if (ioctl(fd, TCGETS2, &settings) < 0)
        return -errno;
    if (settings.c_cflag & CLOCAL)
        return 0;
    settings.c_cflag |= CLOCAL;
    return ioctl(fd, TCSETS2, &settings) < 0 ? -errno : 0;
}
