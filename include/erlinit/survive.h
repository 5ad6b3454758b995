/* SPDX-License-Identifier: MIT */
/*
 * A crash of PID 1 (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) is not the end of the machine: the
 * handler, on a stack of its own, says so in one line, puts struct machine into a memfd, and
 * executes this program again, which reads it and goes on where it stood. The VM and everybody else
 * never notice.
 */
#ifndef ERLINIT_SURVIVE_H
#define ERLINIT_SURVIVE_H

#include "erlinit/machine.h"

#include <stdbool.h>

/* This many crashes within SURVIVE_WINDOW_MS, and PID 1 no longer trusts itself to supervise: the
 * machine is shut down in order. */
#define SURVIVE_MAX_CRASHES 3
#define SURVIVE_WINDOW_MS   60000

/*
 * Installs the handlers and returns the state: a fresh one, or the one of before a crash (vm_pid,
 * phase and so on are set then). Never NULL. Should a crash find no memory for a memfd, or no
 * program to execute, that is logged, and the machine reboots. `argv` is kept.
 */
struct machine *survive_start(char *argv[]);

/* Opens the program file for executing it again whatever happens to "/". Once /proc is there. */
void survive_find_program(void);

/* Pure: notes a crash at `now_ms`. */
void survive_count_crash(struct machine *machine, int64_t now_ms);
/* Pure: too many of late? */
bool survive_is_broken(const struct machine *machine);
/* Pure: can this be the state of a machine, or has it been overwritten? */
bool survive_is_plausible(const struct machine *machine);

#endif
