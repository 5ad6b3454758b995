/* SPDX-License-Identifier: MIT */
/*
 * Which VM, and how: release, ERTS, identity, environment, arguments. Filled by boot steps, read by
 * launch; all strings are in the arena.
 */
#ifndef ERLINIT_VM_H
#define ERLINIT_VM_H

#include "erlinit/arena.h"
#include "erlinit/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VM_ERLANG_ROOT "/usr/lib/erlang"

struct release {
    const char *base; /* directory of the release; VM_ERLANG_ROOT when there is none */
    const char
        *name; /* directory name, NULL when releases/ is directly in the search path or none */
    const char *version_dir;  /* <base>/releases/<version>, NULL: no release */
    const char *erts_version; /* from start_erl.data, or NULL */
    const char *sys_config;   /* full path, or NULL */
    const char *vm_args;      /* full path, or NULL */
    const char *boot;         /* full path without .boot, or NULL (no release) */
    const char *consolidated; /* <base>/lib/x/consolidated, or NULL */
};

struct identity {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary, in the arena */
    size_t group_count;
    const char *home;
    bool change;           /* anything to change from root:root without groups */
    bool limited;          /* --capabilities: no others, neither for a program that it starts */
    bool no_new_privs;     /* setuid and file capabilities have no effect */
    uint64_t capabilities; /* bits by number; none unless `limited` */
};

struct vm {
    struct release release;
    const char *erts; /* directory of the ERTS, <x>/erts-<v> */
    struct identity identity;
    const char *program;        /* path to exec */
    struct strings arguments;   /* argv */
    struct strings environment; /* envp */
};

/*
 * Looks for a release along `search_path` (p1:p2). Logs what is odd. 0 also when there is none
 * (version_dir NULL); -ENOENT: a release without boot file (fatal, logged at error level with what
 * to do); -ENOMEM. `root` is put before every path when looking, and left out of the results ("" on
 * the device; a directory for --plan and unit tests).
 */
int release_find(const char *root, const char *search_path, const char *boot_option,
                 struct release *release);

/* Finds the ERTS. 0 and the directory; -ENOENT (none) or -EEXIST (more than one), logged with what
 * to do. */
int erts_find(const char *root, const struct release *release, bool include_erts,
              const char **erts);

/*
 * Resolves --uid and --gid (number: decimal, 0x, octal; or a name of <root>/etc/passwd,
 * /etc/group). Only a uid given: its primary group. Supplementary groups: those that name the user.
 * 0, or -EINVAL/-ENOENT after logging with the origin, or -ENOMEM; the caller must not start the VM
 * as root then. A number that /etc/passwd doesn't have is its own group, with a warning.
 */
int identity_resolve(const char *root, const struct word *uid, const struct word *gid,
                     struct identity *identity);

/* --capabilities and --no-new-privs, for an identity that has been resolved. 0, or -EINVAL after
 * logging; the caller must not start the VM then. */
int identity_restrict(const struct word *capabilities, bool no_new_privs,
                      struct identity *identity);

/* Bounding set, groups, group, user, capabilities, no_new_privs, all read back. 0 or -errno;
 * nothing may be run as root after a failure. */
int identity_apply(const struct identity *identity);

/* The environment of compat section 8 over `inherited` (envp of PID 1). Same names are replaced,
 * not doubled. 0 or -ENOMEM. */
int environment_build(char *const inherited[], const struct vm *vm, const struct options *options,
                      struct strings *environment);

/* Program and argument list of compat section 8. `root` as above (is ERTS_LIB_DIR there?). An
 * --alternate-exec that can't be started is left out, with a warning. 0 or -ENOMEM. */
int arguments_build(const char *root, const struct options *options, struct vm *vm);

/* Signals, umask, identity, exec. Returns only on failure: -errno. */
int vm_launch(const struct vm *vm, mode_t umask_bits);

/*
 * SIGTERM to the VM: to erlexec or beam in the process tree of `leader` (PID 1's child, perhaps a
 * wrapper), else to leader itself. Reads /proc; for a child.
 */
void vm_ask_to_stop(pid_t leader);

#endif
