/* SPDX-License-Identifier: MIT */
/* Settings of a terminal (termios2: the only interface that knows every speed). */
#ifndef TTY_H
#define TTY_H

#include "erlinit/boot.h"

/* CLOCAL: reading and writing don't wait for a carrier. 0 or -errno (-ENOTTY: no terminal). */
int tty_ignore_carrier(int fd);

/* Speed and frame, raw, no flow control by characters. 0 or -errno; -EOPNOTSUPP:
 * the hardware has no such speed, what it has now is its own choice. */
int tty_set_format(int fd, const struct tty_format *format);

#endif
