/* SPDX-License-Identifier: MIT */
/*
 * Children: everything that can block, or that parses what others wrote, runs in one, under a
 * deadline. Needs SIGCHLD blocked in the caller (PID 1 and the boot child both have it so): waiting
 * is sigtimedwait(2), which loses no signal and polls nothing.
 */
#ifndef ERLINIT_CHILD_H
#define ERLINIT_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct strings;

/* What happens besides the child that somebody waits for. Both hooks may be NULL. */
struct child_hooks {
    void (*reaped)(void *context, pid_t pid, int status);      /* another child has ended */
    void (*signalled)(void *context, const siginfo_t *signal); /* a signal of `signals` arrived */
    void *context;
    sigset_t signals; /* blocked signals to take besides SIGCHLD */
};

/* The hooks that child_wait() uses when it is given none. For PID 1's main path; pointer is kept.
 */
void child_set_hooks(const struct child_hooks *hooks);

#define CHILD_NO_DEADLINE INT64_MAX

/* The signals that PID 1 catches (survive.h), and children must not. */
#define CHILD_FAULT_SIGNALS 5
extern const int child_fault_signals[CHILD_FAULT_SIGNALS];

/* Ends every blocked signal, handler, and ignoring, ours and inherited: what a program that we
 * start expects. */
void child_reset_signals(void);

/* A descriptor that children don't get, nor their children: somebody waits for its other end. */
void child_keep_private(int fd);

/*
 * Forks. In the child `function(argument)` runs and its result (0..255) is the exit status; signals
 * are reset except that SIGCHLD stays blocked. Returns the pid or -errno.
 */
pid_t child_start(int (*function)(void *argument), void *argument);

/*
 * Waits until `pid` ended or `deadline_ms` (time_ms() clock). 0 and its wait status, or -ETIMEDOUT
 * (it still runs), -ECHILD. Reaps whatever else ends meanwhile.
 */
int child_wait(pid_t pid, int64_t deadline_ms, int *status);

/* Reaps all that has ended. True when no child is left at all: as PID 1, the certificate that no
 * other process exists. */
bool child_reap(const struct child_hooks *hooks);

/* Deals with the hooks' signals that are pending now, without waiting: what was asked before a
 * child ended is known before its end is. */
void child_take_signals(const struct child_hooks *hooks);

/* One wait for SIGCHLD or one of the hooks' signals, which it deals with. False when the deadline
 * has passed. */
bool child_wait_event(const struct child_hooks *hooks, int64_t deadline_ms);

/*
 * A child beside which others may be waited for. Whoever waits, in this process, notes the end of
 * all of them, and kills each at its deadline. Stays where it is until it is over.
 */
struct child {
    pid_t pid;           /* 0: it is over */
    int64_t deadline_ms; /* time_ms() clock, CHILD_NO_DEADLINE */
    bool leads_group;    /* its process group is killed with it */
    bool spared;         /* left behind at its deadline, not killed */
    int result;          /* 0; -ETIMEDOUT: killed at its deadline, and left behind if it can't be;
                            -ECHILD: lost */
    int status;          /* wait status, when it is over and result is 0 */
    uint64_t over_us;    /* time_us() when its end was noted */
    struct child *next;
};

/* child_start(), with a deadline. 0 or -errno. */
int child_begin(struct child *child, int (*function)(void *argument), void *argument,
                int64_t deadline_ms);

/* Notes what has happened to those begun, without waiting. */
void child_update(void);

/* Waits until something happens, to those begun or to another child, and notes it. */
void child_progress(void);

/* Waits until it is over. */
void child_finish(const struct child *child);

/* What child_call() says of a child that is over. */
int child_result(const struct child *child);

/*
 * function(argument) in a child with a deadline of `limit_ms` from now. function returns 0 or a
 * positive errno, which comes back negative. -ETIMEDOUT: killed (or, if it can't be killed, left
 * behind). -EINTR: died of a signal.
 */
int child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);

/* Where a command without a slash is looked for, and its PATH: the same as the VM's. */
#define CHILD_COMMAND_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

struct command {
    const char *line;   /* split at white space; "double" and 'single' quotes keep words together */
    int64_t limit_ms;   /* 0: none */
    char *output;       /* where standard output goes, NULL: the console's */
    size_t output_size; /* with NUL; the rest is read and dropped */
    bool foreground;    /* give it the terminal, in a sane state, while it runs */
};

/*
 * Runs a command (no shell) in a process group of its own, PATH as the VM has it, and waits. The
 * whole group is killed at its limit. Returns its exit status (0..255), 256 + signal if it died of
 * one, or -errno: -ENOENT and the like from exec, -ETIMEDOUT, -EINVAL (an open quote, no word).
 */
int command_run(const struct command *command);

/*
 * The same in two halves, for what can be done meanwhile. 0 and a command that runs, in the arena,
 * or -errno. `command` and its output stay where they are until command_end(), which waits, and
 * gives what command_run() would.
 */
struct command_running;
int command_begin(const struct command *command, struct command_running **running);
int command_end(struct command_running *running);

/* When it was over, after command_end(): time_us() clock. */
uint64_t command_over_us(const struct command_running *running);

/* Splits a command line as command_run() does. 0, -EINVAL or -ENOMEM. */
int command_split(const char *line, struct strings *words);

#endif
