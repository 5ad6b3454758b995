/* SPDX-License-Identifier: MIT */
/*
 * The desk: what the program does when it is not PID 1, for the person who writes a configuration.
 * A room of the builds for that (make desk, DESK=1); a device's build has none of it. Each function
 * here is one use; it gets the arguments behind its own name, writes to standard output what was
 * asked for and to standard error what is wrong with the asking, and returns the exit status.
 */
#ifndef ERLINIT_DESK_H
#define ERLINIT_DESK_H

enum desk_status {
    DESK_OK = 0,
    DESK_FINDINGS = 1, /* the configuration will not do what it says */
    DESK_MISUSE = 2,   /* the command line of the tool itself, or a file that can't be read */
};

/* Chooses by argv[1]. */
int desk_main(int argc, char *argv[]);

int desk_version(int argc, char *argv[]);
int desk_help(int argc, char *argv[]);
int desk_check(int argc, char *argv[]);
int desk_plan(int argc, char *argv[]);
int desk_completion(int argc, char *argv[]);

#endif
