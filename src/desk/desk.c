/* SPDX-License-Identifier: MIT */
/* Which use it is. */
#include "erlinit/desk.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char *argv[]);
} uses[] = {
    {"--version", desk_version},
    {"--help", desk_help},
    {"--check", desk_check},
};

int desk_main(int argc, char *argv[])
{
    for (size_t i = 0; argc > 1 && i < sizeof uses / sizeof uses[0]; i++)
        if (strcmp(argv[1], uses[i].name) == 0)
            return uses[i].run(argc - 2, argv + 2);
    fputs("erlinit: PID 1 of a machine, started by the kernel. At the desk: erlinit --help\n",
          stderr);
    return DESK_MISUSE;
}
