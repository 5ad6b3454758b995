/* SPDX-License-Identifier: MIT */
/* --version and --help; the help is made of the table of options. */
#include "erlinit/desk.h"

#include <stdio.h>

int desk_version(int argc, char *argv[])
{
    (void)argc;
    (void)argv;
    puts("erlinit " ERLINIT_VERSION);
    return DESK_OK;
}

int desk_help(int argc, char *argv[])
{
    (void)argc;
    (void)argv;
    puts("usage: erlinit --version | --help");
    return DESK_OK;
}
