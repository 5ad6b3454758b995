/* SPDX-License-Identifier: MIT */
/*
 * The life of the machine as a pure function: what has happened, and what is to be done about it.
 * No system call in here; supervisor.c turns signals, timers and descriptors into events and
 * carries the actions out. Tested over every sequence of events.
 *
 *   BOOTING --vm started--> RUNNING --request--> STOPPING --vm ended or timeout--> ENDING
 */
#ifndef ERLINIT_LIFECYCLE_H
#define ERLINIT_LIFECYCLE_H

#include "erlinit/options.h"

#include <stdbool.h>
#include <stdint.h>

enum lifecycle_phase {
    PHASE_BOOTING,  /* the boot child works; it has not become the VM yet */
    PHASE_RUNNING,  /* the VM runs, nobody asked for anything */
    PHASE_STOPPING, /* somebody asked; the VM has its graceful time */
    PHASE_ENDING,   /* the ending is decided: shut down. Final. */
};

enum lifecycle_event {
    EVENT_VM_STARTED, /* the boot child became the VM */
    EVENT_VM_ENDED,   /* the VM, or the boot child before it became the VM, is gone */
    EVENT_FATAL,      /* the boot child said that the boot can't go on */
    EVENT_REQUEST,    /* reboot, halt or power off, asked from outside */
    EVENT_DEADLINE,   /* the deadline of the state has passed */
    EVENT_BROKEN,     /* PID 1 itself can't go on (crashed too often) */
};

/* What the supervisor has to do now; several at once are possible. */
enum lifecycle_action {
    ACT_ASK_VM = 1 << 0,    /* SIGTERM to the VM: BEAM does init:stop() */
    ACT_FLUSH = 1 << 1,     /* start writing dirty pages back, side by side with the VM's exit */
    ACT_SHUT_DOWN = 1 << 2, /* leave the loop: phase is ENDING */
    ACT_LATE = 1 << 3,      /* the VM runs: start what could wait till now (late.h) */
};

#define LIFECYCLE_NO_DEADLINE INT64_MAX

/* Times in ms of the monotonic clock, from options. */
struct lifecycle_settings {
    int64_t stop_grace_ms; /* from the request to SIGTERM */
    int64_t graceful_ms;   /* from the request to the end of patience; >= 1 */
    enum action on_exit;
    enum action on_fatal;
};

/* All that PID 1 knows about where it stands. Plain data. */
struct lifecycle {
    enum lifecycle_phase phase;
    enum action action; /* ENDING, STOPPING: what the machine will do */
    bool requested;     /* somebody asked: the exit is intentional */
    bool fatal;         /* ended by EVENT_FATAL or EVENT_BROKEN */
    bool vm_gone;
    bool stopped;            /* the VM ended in STOPPING: within its graceful time */
    bool asked;              /* the VM was sent SIGTERM */
    bool hurry;              /* asked twice: no grace for anybody any more */
    int64_t requested_at_ms; /* meaningful when requested */
    int64_t ended_at_ms;     /* meaningful in ENDING */
    int64_t deadline_ms;     /* of the phase, or LIFECYCLE_NO_DEADLINE */
};

/* The state at start: BOOTING. */
struct lifecycle lifecycle_start(void);

/*
 * The next state. `asked_for` counts for EVENT_REQUEST only. *actions gets what to do (bits of enum
 * lifecycle_action). In PHASE_ENDING nothing happens any more except that a request is noted: it
 * decides the action, makes the exit intentional, and hurries.
 */
struct lifecycle lifecycle_next(const struct lifecycle *state,
                                const struct lifecycle_settings *settings,
                                enum lifecycle_event event, enum action asked_for, int64_t now_ms,
                                unsigned int *actions);

#endif
