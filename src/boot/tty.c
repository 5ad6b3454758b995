/* SPDX-License-Identifier: MIT */
/* The format of serial console options: Documentation/admin-guide/serial-console.rst. */
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>

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
