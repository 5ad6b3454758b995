/* SPDX-License-Identifier: MIT */
/* The controlling terminal, as far as job control goes (termios(3), "The controlling terminal" in
 * credentials(7)). */
#ifndef ERLINIT_TERMINAL_H
#define ERLINIT_TERMINAL_H

#include <sys/types.h>

/*
 * Makes `group` the foreground process group of the terminal on fd 0. Works from a background group
 * too. No terminal: nothing happens; another error is logged. Call it in a child: an ioctl on a
 * broken console can block.
 */
void terminal_foreground(pid_t group);

/* Puts the terminal on fd 0 into the state a person expects (echo, lines, signals), speed and size
 * of characters untouched. */
void terminal_sane(void);

#endif
