/* SPDX-License-Identifier: MIT */
/*
 * The kernel's command line, and what of it reaches init
 * (Documentation/admin-guide/kernel-parameters.rst): before `--` the kernel keeps what it knows; of
 * the rest, a word with a dot in its name is a module's parameter and gone, NAME=value becomes
 * environment of init, and any other word an argument. What is after `--` is all arguments.
 */
#ifndef DESK_CMDLINE_H
#define DESK_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* CONFIG_INIT_ENV_ARG_LIMIT as kernels are built; with more words than it gives room for they
 * panic. Init's own name doesn't count; of HOME and TERM, which are there before, one does. */
#define CMDLINE_ARGUMENTS_MOST   32
#define CMDLINE_ENVIRONMENT_MOST 31

enum cmdline_fate {
    CMDLINE_KERNEL,      /* the kernel's own */
    CMDLINE_DASHES,      /* the first `--` */
    CMDLINE_ARGUMENT,    /* for init */
    CMDLINE_ENVIRONMENT, /* NAME=value, for init and so for the VM */
    CMDLINE_MODULE,      /* a dot in the name: taken for a module's parameter, nobody gets it */
    CMDLINE_FORGOTTEN,   /* an argument before an init=, which starts the list anew */
};

struct cmdline_word {
    const char *text;    /* without the quotes that the kernel takes away; in the arena */
    unsigned int column; /* where it begins, in bytes from 1 */
    enum cmdline_fate fate;
    bool behind_dashes;
};

struct cmdline {
    struct cmdline_word *word;
    size_t count;
};

/* 0 or -ENOMEM. What the kernel knows is a list of usual names: it differs by kernel. */
int cmdline_split(const char *text, struct cmdline *cmdline);

#endif
