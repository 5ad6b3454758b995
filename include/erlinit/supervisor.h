/* SPDX-License-Identifier: MIT */
/* supervise: PID 1's event loop. */
#ifndef ERLINIT_SUPERVISOR_H
#define ERLINIT_SUPERVISOR_H

#include "erlinit/machine.h"
#include "erlinit/options.h"

#include <signal.h>

/* Blocks the signals that PID 1 waits for, and asks the kernel for SIGINT on ctrl-alt-del instead
 * of a reset (reboot(2)). */
void supervisor_take_signals(void);

/* The signals that mean a request: SIGTERM SIGINT reboot, SIGUSR1 SIGPWR halt, SIGUSR2 power off.
 */
sigset_t supervisor_request_signals(void);
/* What a request signal asks for. False for another signal. */
bool supervisor_request_of(int signal, enum action *action);

/*
 * Runs until machine->life is PHASE_ENDING: reaps, passes stops on, keeps deadlines. Blocks only in
 * epoll_wait(2); no heap. Returns in every case, never with the phase anything but ENDING.
 */
void supervise(const struct options *options, struct machine *machine);

#endif
