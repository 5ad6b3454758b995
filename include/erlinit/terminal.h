/* SPDX-License-Identifier: MIT */
/* The controlling terminal, as far as job control goes (termios(3), "The controlling terminal" in
 * credentials(7)). */
#ifndef ERLINIT_TERMINAL_H
#define ERLINIT_TERMINAL_H

#include <stdint.h>
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

/* What was written to the terminal on fd 0 has so long to get out, and is discarded then: who
 * closes a terminal that takes nothing would wait for half a minute. For the end: SIGTTOU may stay
 * ignored. */
void terminal_let_out(int64_t limit_ms);

#endif
