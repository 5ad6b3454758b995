/* SPDX-License-Identifier: MIT */
/*
 * shut down: an ordered table of steps that ends in reboot(2). Nothing sleeps: every wait is for an
 * event, with a deadline, and all of it under one budget (--shutdown-timeout). What can block runs
 * in children; what they have to say comes back through a shared page.
 */
#ifndef ERLINIT_SHUTDOWN_H
#define ERLINIT_SHUTDOWN_H

#include "erlinit/child.h"
#include "erlinit/machine.h"
#include "erlinit/mounts.h"
#include "erlinit/options.h"

#include <stdbool.h>
#include <stdint.h>

#define SHUTDOWN_NOTES_BYTES 8192
#define SHUTDOWN_MAX_STEPS   16
#define SHUTDOWN_MAX_HUNG    32

#define SHUTDOWN_NOT_RUN      (-10000)
#define SHUTDOWN_MAX_CATCHERS 64

/*
 * Shared between PID 1 and the children of the shutdown (anonymous shared mmap, or plain memory
 * when there is none: then what children write is not seen, and the defaults hold: full grace,
 * nothing spared).
 */
struct shutdown_notes {
    /* census of processes */
    bool counted;
    int spared;        /* storage daemons: argv[0] starts with @ */
    int others;        /* the rest */
    int catcher_count; /* of those that catch SIGTERM; at most as many as there is room for */
    pid_t catchers[SHUTDOWN_MAX_CATCHERS];
    /* unmounting: the file system that is being worked on, and those that hung */
    dev_t current_device;
    char current_target[256];
    int mounts_to_go; /* with the current one */
    int hung_count;
    dev_t hung[SHUTDOWN_MAX_HUNG];
    pid_t hung_child[SHUTDOWN_MAX_HUNG]; /* who is still at it; 0: has ended */
    int run_on_exit_result;              /* of command_run(), or SHUTDOWN_NOT_RUN */
    /* lines for the report */
    size_t length;
    char lines[SHUTDOWN_NOTES_BYTES];
};

struct shutdown {
    const struct options *options;
    struct machine *machine;
    struct shutdown_notes *notes;
    struct child_hooks hooks;
    int64_t deadline_ms;       /* end of the budget */
    bool proc_hangs;           /* a look at the processes took too long */
    bool alone;                /* no other process is left (ECHILD) */
    char reboot_argument[256]; /* kernel/reboot.c takes 255 characters */
    struct step_time steps[SHUTDOWN_MAX_STEPS];
};

struct shutdown_step {
    const char *name;
    void (*run)(struct shutdown *shutdown);
    bool again; /* should PID 1 crash in it: worth another try, not only the steps behind it */
};

/* In order; ended by a row without a name. */
extern const struct shutdown_step shutdown_steps[];

/* The machine ends here. Never returns. */
__attribute__((noreturn)) void shut_down(const struct options *options, struct machine *machine);

/* The steps; each in the file of its name. */
void shutdown_run_on_exit(
    struct shutdown *shutdown); /* shutdown.c: --run-on-exit, if nobody asked */
void shutdown_quiet(
    struct shutdown *shutdown); /* shutdown.c: no more helpers of the kernel, no core dumps */
void shutdown_terminate(
    struct shutdown *shutdown); /* processes.c: SIGTERM, and grace for those that catch it */
void shutdown_kill(struct shutdown *shutdown);        /* processes.c: SIGKILL, names what stays */
void shutdown_breadcrumbs(struct shutdown *shutdown); /* report.c: why, to kmsg and pmsg */
void shutdown_report(struct shutdown *shutdown);      /* report.c: --shutdown-report */
void shutdown_save_seed(struct shutdown *shutdown);   /* shutdown.c: and the record of the end */
void shutdown_unmount_others(
    struct shutdown *shutdown);                   /* unmount.c: all but what holds the report */
void shutdown_unmount(struct shutdown *shutdown); /* unmount.c */
void shutdown_pause(struct shutdown *shutdown);   /* shutdown.c: --exit-pause */

/* shutdown.c: takes over /run/reboot-param, if somebody asked for the end. */
void shutdown_read_reboot_argument(struct shutdown *shutdown);

/* What decides how the machine ends, with words for people: "restart", "halt", "power off". */
const char *shutdown_action_name(enum action action);

/* report.c: did the VM stop as it was asked to? */
bool shutdown_was_graceful(const struct machine *machine);

/* end.c: why and how the machine ends, kept for the next boot. In a child: writes to the disk. */
void shutdown_record_end(const struct shutdown *shutdown);

/* Adds a line to the notes for the report. In a child, or in PID 1 while no child writes. What does
 * not fit is left out. */
__attribute__((format(printf, 2, 3))) void shutdown_note(struct shutdown *shutdown,
                                                         const char *format, ...);

/* Milliseconds left in the budget, at most `limit_ms`, at least 1. */
int64_t shutdown_time_left(const struct shutdown *shutdown, int64_t limit_ms);

/* The same for one of the small steps: --step-timeout. */
int64_t shutdown_step_limit_ms(const struct shutdown *shutdown);

/* reboot.c: reboot(2), and what to do if it returns or has not worked after `limit_ms`. */
__attribute__((noreturn)) void shutdown_reboot(enum action action, const char *argument,
                                               int64_t limit_ms);

/* emergency.c: the kernel makes all file systems read-only, without any process. Waits for it, in
 * PID 1, at most `limit_ms`. 0, -ETIMEDOUT, or -errno: this kernel can't. */
int shutdown_force_read_only(int64_t limit_ms);

/* holders.c: names which processes use the file system, in the notes for the report or in the log.
 * In a child. */
void shutdown_name_holders(struct shutdown *shutdown, const struct mount_entry *entry,
                           bool for_report);

/* devices.c: lets go of loop and device-mapper devices that nobody uses. True if one went. In a
 * child. */
bool shutdown_detach_devices(void);

/* devices.c: stops swapping to files, which keeps their file systems busy. In a child: takes as
 * long as there is to read back. */
void shutdown_stop_swap_files(void);

/* processes.c, pure part: what /proc/PID/stat says about SIGTERM; TERM_CATCHES if it doesn't say.
 */
enum term_answer { TERM_DIES, TERM_IGNORES, TERM_CATCHES };
enum term_answer process_answer_to_term(const char *stat);

/* processes.c, pure part: whether /proc/PID/stat is that of a process of user space that has not
 * ended. */
bool process_is_live(const char *stat);

#endif
