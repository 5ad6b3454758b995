/* SPDX-License-Identifier: MIT */
/* What can be asked of the program at the desk: one table, for choosing, help and completion. */
#ifndef DESK_USES_H
#define DESK_USES_H

#include "erlinit/arena.h"

/* What a value or an operand is, for completion. */
enum desk_takes {
    DESK_NOTHING,
    DESK_ANYTHING,
    DESK_FILE,
    DESK_DIRECTORY,
    DESK_ONE_OF, /* of the words of its name: text|json */
    DESK_OPTION, /* an option of PID 1, with its dashes */
    DESK_NAME,   /* the same without them */
};

struct desk_option {
    const char *name;     /* with its dashes */
    const char *argument; /* name of its value */
    enum desk_takes takes;
    const char *help;
};

struct desk_use {
    const char *name;     /* with its dashes: argv[1] */
    const char *operands; /* names of what else it takes, "" if nothing */
    enum desk_takes takes;
    const char *help;
    const struct desk_option *options; /* ended by a row without a name */
    int (*run)(int argc, char *argv[]);
};

/* Ended by a row without a name. */
extern const struct desk_use desk_uses[];

/*
 * Reads the arguments of the use called `name`: values[i] is the last value of its option i, left
 * alone if it isn't given; everything else goes to *operands. DESK_OK, or DESK_MISUSE after saying
 * on standard error what is wrong.
 */
int desk_read_arguments(const char *name, int argc, char *argv[], const char *values[],
                        struct strings *operands);

/* Says on standard error what is wrong with the asking. DESK_MISUSE. */
__attribute__((format(printf, 2, 3))) int desk_misuse(const char *name, const char *format, ...);

#endif
