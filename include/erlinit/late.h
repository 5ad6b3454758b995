/* SPDX-License-Identifier: MIT */
/*
 * What could wait until the VM runs: a short list of jobs, one after the other, in a child with low
 * priority. Nobody waits for it. It may be killed at any moment (the shutdown spares nobody) and
 * may hang, so a job leaves nothing half-done behind, and the order of the list is that of their
 * worth. To add a job: a row in late.c.
 */
#ifndef ERLINIT_LATE_H
#define ERLINIT_LATE_H

#include "erlinit/machine.h"
#include "erlinit/options.h"

/* Starts the child; a failure is logged. Once in a machine's life, when the VM has started. */
void late_start(const struct options *options, const struct machine *machine);

#endif
