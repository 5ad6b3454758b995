/* SPDX-License-Identifier: MIT */
/*
 * All that PID 1 must not forget, in one piece of plain data without pointers, so that it can be
 * handed on when PID 1 crashes and starts itself anew (survive.h).
 */
#ifndef ERLINIT_MACHINE_H
#define ERLINIT_MACHINE_H

#include "erlinit/lifecycle.h"
#include "erlinit/seed.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MACHINE_MAX_STEPS  32
#define MACHINE_LAUNCH     (MACHINE_MAX_STEPS - 1) /* the row for the VM's start, without duration */
#define MACHINE_NAME_BYTES 16                      /* of a process: TASK_COMM_LEN */

/* One row of the time line. */
struct step_time {
    uint64_t start_us; /* since the kernel started */
    uint32_t duration_us;
    uint8_t result; /* enum step_result */
    uint8_t ran;
};

/* Who asked first. */
struct requester {
    int signal; /* 0: nobody */
    pid_t pid;  /* 0: the kernel */
    uid_t uid;
    char name[MACHINE_NAME_BYTES];
};

struct machine {
    uint64_t magic;
    struct lifecycle life;
    pid_t vm_pid;  /* the boot child that became the VM; 0 before */
    int vm_status; /* wait status, meaningful when life.vm_gone */
    struct requester requester;
    struct step_time steps[MACHINE_MAX_STEPS]; /* in the order of boot_steps */
    /* how far PID 1 has come, so that it goes on behind what made it crash */
    uint32_t configured;        /* 1: the configuration could be read */
    uint32_t early_begun;       /* steps of boot_early_steps */
    uint32_t shutdown_begun;    /* steps of shutdown_steps */
    uint32_t shutdown_repeated; /* steps that were begun again after a crash in them */
    int64_t shutdown_deadline_ms;
    int boot_events_fd;                         /* the pipe from the boot child, or -1 */
    unsigned char seed_chain[SEED_CHAIN_BYTES]; /* until the new seed is made (seed.h) */
    uint64_t start_us;                          /* of PID 1, since the kernel started */
    uint32_t crashes;                           /* of PID 1, all */
    uint32_t recent_crashes;
    int64_t first_recent_crash_ms;
};

#endif
