/* SPDX-License-Identifier: MIT */
/* What trace.c and inject.c share. */
#ifndef TRACE_H
#define TRACE_H

#include "faultinit.h"

#include <sys/user.h>

#define MAX_TASKS 64

struct task {
    pid_t pid;
    bool ours;      /* erlinit's code: its calls count */
    bool announced; /* its parent's event has come */
    bool waiting;   /* it has stopped before that */
    bool seek;  /* at the end of this call: /dev/kmsg is open, skip what earlier lives have said */
    bool sysrq; /* it will write a key: its calls are looked at until then */
    int fail;   /* at the end of this call: the errno that it returns */
};

struct life {
    const struct fault *fault;
    struct outcome *out;
    pid_t init;
    bool armed; /* init has become erlinit */
    unsigned int nth, stops;
    struct task tasks[MAX_TASKS];
};

/* inject.c */
void trace_read_text(pid_t pid, unsigned long address, char *text, size_t size);
/* The call is skipped, and returns this. */
void trace_set_result(pid_t pid, struct user_regs_struct *regs, long result);
/* Counts the call; true when it has been made to fail. */
bool trace_inject(struct life *life, struct task *task, struct user_regs_struct *regs);

#endif
