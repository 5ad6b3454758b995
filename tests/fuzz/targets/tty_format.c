/* SPDX-License-Identifier: MIT */
/* --tty-options. */
#include "erlinit/boot.h"
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

static void format_holds(const struct tty_format *format)
{
    char text[32];
    struct tty_format again = {0};
    FUZZ_CHECK(format->baud > 0 && format->bits >= 5 && format->bits <= 8);
    FUZZ_CHECK(format->parity == 'n' || format->parity == 'o' || format->parity == 'e');
    snprintf(text, sizeof text, "%u%c%u%s", format->baud, format->parity, format->bits,
             format->rtscts ? "r" : "");
    FUZZ_CHECK(tty_parse_format(text, &again) == 0);
    FUZZ_CHECK(again.baud == format->baud && again.parity == format->parity);
    FUZZ_CHECK(again.bits == format->bits && again.rtscts == format->rtscts);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    struct tty_format format = {.baud = 1};
    int result = tty_parse_format(fuzz_string(bytes, size), &format);
    if (result == 0)
        format_holds(&format);
    else
        FUZZ_CHECK(result == -EINVAL && format.baud == 1 && format.bits == 0);
}
