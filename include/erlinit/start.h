/* SPDX-License-Identifier: MIT */
/* The first moments of PID 1, before there is anything to configure. */
#ifndef ERLINIT_START_H
#define ERLINIT_START_H

#include "erlinit/boot.h"
#include "erlinit/machine.h"

/* Not PID 1: says so and returns the exit status. */
int start_refuse(int argc, char *argv[]);

/* The kernel starts init with fds 0-2 closed when it finds no console: puts placeholders there, so
 * that no file of ours lands on them. umask 022. */
void start_descriptors(void);

/* Makes sure there is a /dev with kmsg in it, and opens the log. */
void start_devices(void);

/* The state that survives a crash of PID 1. Never NULL. */
struct machine *start_machine(void);

/*
 * Starts the boot child. Returns the descriptor of its records; without a child (fork failed) -1,
 * and the machine's ending is decided: a fatal error.
 */
int start_boot(struct boot *boot, struct machine *machine);

#endif
