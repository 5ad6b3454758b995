/* SPDX-License-Identifier: MIT */
/* The first moments of PID 1, before there is anything to configure. */
#ifndef ERLINIT_START_H
#define ERLINIT_START_H

#include "erlinit/boot.h"
#include "erlinit/machine.h"

/* Not PID 1: the desk's tools (desk.h) where this build has them, else says so. Returns the exit
 * status. */
int start_otherwise(int argc, char *argv[]);

/* The kernel starts init with fds 0-2 closed when it finds no console: puts placeholders there, so
 * that no file of ours lands on them. umask 022. */
void start_descriptors(void);

/* Makes sure there is a /dev with kmsg in it, and opens the log. */
void start_devices(void);

/*
 * configure, guarded: when reading the configuration has made PID 1 crash before, it is left out,
 * and the defaults hold. Says which version starts.
 */
void start_configure(int argc, char *argv[], struct options *options, struct machine *machine);

/*
 * Starts the boot child, unless there is one already (after a crash). If it can't be started, the
 * machine's ending is decided: a fatal error.
 */
void start_boot(struct boot *boot, struct machine *machine);

#endif
