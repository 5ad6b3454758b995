/* SPDX-License-Identifier: MIT */
/*
 * Boot is two ordered tables of steps (boot.c): a short one that only PID 1 can do, and one that
 * runs in the boot child, which ends by becoming the VM. A step does its own business only; it
 * takes what it needs from the options and from what earlier steps published in struct boot. Adding
 * a step is a file, a declaration here and a row.
 */
#ifndef ERLINIT_BOOT_H
#define ERLINIT_BOOT_H

#include "erlinit/machine.h"
#include "erlinit/options.h"
#include "erlinit/seed.h"
#include "erlinit/vm.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum step_result {
    STEP_DONE,
    STEP_SKIPPED, /* not asked for, nothing to do */
    STEP_WARNED,  /* done in part or not at all, said so; the boot goes on */
    STEP_FATAL,   /* said why; the boot can't go on */
};

/* time_us() clock. */
struct boot_span {
    uint64_t start_us;
    uint64_t over_us;
};

struct boot {
    const struct options *options;
    dev_t root_device; /* of "/" before an overlay went over it (early); 0: of none */
    dev_t root_now;    /* of "/" as it is; 0: not known */
    bool root_in_memory;
    struct boot_span aside; /* of the step that runs now, if it went on beside earlier ones */
    struct id_command *id_command;              /* begun beside the mounts, or NULL */
    const char *id;                             /* of the board */
    unsigned char seed_chain[SEED_CHAIN_BYTES]; /* of the seeds that were used (seed.h) */
    struct vm vm;                               /* which VM and how, see vm.h */
};

struct boot_step {
    const char *name;
    enum step_result (*run)(struct boot *boot);
};

/* The ordered tables, each ended by a row without a name. In struct machine's steps[] the early
 * ones come first. */
extern const struct boot_step boot_early_steps[];
extern const struct boot_step boot_steps[];

/* The name of a step by its index in struct machine's steps[], NULL behind the last one. */
const char *boot_step_name(size_t index);
/* The same words in the log and in boot.json. */
const char *boot_result_name(unsigned int result);

/* What the boot child tells PID 1 about each step, through a pipe that closes when it becomes the
 * VM. */
struct boot_record {
    uint8_t index; /* in struct machine's steps[], or BOOT_SEED */
    union {
        struct step_time time;
        unsigned char seed_chain[SEED_CHAIN_BYTES];
    };
};
#define BOOT_SEED MACHINE_MAX_STEPS

/* Runs the early table in PID 1. A step that is fatal there is fatal for nobody: the boot goes on
 * without it. */
void boot_early(struct boot *boot, struct machine *machine);

/*
 * Forks the boot child, which runs the second table and becomes the VM. Returns its pid and the
 * reading end of the pipe of records (O_CLOEXEC, O_NONBLOCK), or -errno.
 */
pid_t boot_start(struct boot *boot, int *events);

/* PID 1 itself, in order. Each is in the file of its name. */
enum step_result boot_rootdevice(struct boot *boot); /* rootdisk.c: remembers what holds "/" */
enum step_result boot_overlay(struct boot *boot);    /* overlay.c: --x-pivot-root-on-overlayfs */
enum step_result
boot_pseudofs(struct boot *boot); /* pseudofs.c: /proc /sys /dev /dev/pts /dev/shm */
enum step_result boot_console(struct boot *boot); /* console.c: session, terminal, fds 0-2 */

/* The boot child, in order. */
enum step_result boot_rootdisk(struct boot *boot); /* rootdisk.c: /dev/rootdisk0 links */
enum step_result boot_scratch(struct boot *boot);  /* pseudofs.c: /tmp and /run */
enum step_result boot_mounts(struct boot *boot);   /* mounts.c: --mount */
enum step_result boot_clock(struct boot *boot); /* clock.c: --update-clock, after the mounts (last
                                                   time stored with the seed) */
enum step_result boot_identity(struct boot *boot);    /* vm/steps.c: who; HOME depends on it */
enum step_result boot_release(struct boot *boot);     /* vm/steps.c: release, ERTS, environment,
                                                         arguments; after boot_identity */
enum step_result boot_workdir(struct boot *boot);     /* vm/steps.c: --working-directory, after
                                                         boot_release */
enum step_result boot_corepattern(struct boot *boot); /* kernel.c */
enum step_result boot_loopback(struct boot *boot);    /* loopback.c */
enum step_result boot_id(struct boot *boot);          /* id.c: --uniqueid-exec */
enum step_result boot_hostname(struct boot *boot);    /* hostname.c */
enum step_result boot_entropy(struct boot *boot);     /* entropy.c: the seed */
enum step_result boot_prerun(struct boot *boot);      /* prerun.c */
enum step_result boot_limits(struct boot *boot);      /* limits.c: the VM's, last before launch */

/* Of boot_id(), for boot_mounts(): whether there is a command and a use for it, and its start ahead
 * of its step. 0 or -errno, which is nothing to tell of: boot_id() runs it then. */
bool boot_id_is_wanted(const struct boot *boot);
int boot_id_begin(struct boot *boot);

/* boot.c: --umask as a number; what is wrong with it is logged. */
mode_t boot_umask(const struct options *options);

/* --warn-unused-tty, in console.c: a job for the late child (late.h). Starts a child for each
 * terminal and does not wait. */
void console_note_others(const struct options *options, const struct machine *machine);

/* A pure part of hostname.c: expands `pattern` with `id` into buffer (any length of pattern and id;
 * result is cut to fit). */
void hostname_expand(const char *pattern, const char *id, char *buffer, size_t size);
/* Lower case, only a-z 0-9 - . kept, leading and trailing hyphens (and dots) removed, cut at 63. In
 * place. */
void hostname_clean(char *name);

/* Pure: the whole --tty-options format of the kernel (BBBBPNF: baud, parity n|o|e, bits 5-8, flow
 * r). 0 or -EINVAL. */
struct tty_format {
    unsigned int baud;
    char parity; /* n o e */
    unsigned int bits;
    bool rtscts;
};
int tty_parse_format(const char *text, struct tty_format *format);

/* A mount specification, see mountspec.c. All strings are in the arena. */
struct mount_spec {
    const char *source;
    const char *target;
    const char *type;
    const char *data;          /* what remains for the file system, "" if nothing */
    unsigned long flags;       /* MS_* to set */
    unsigned long propagation; /* MS_PRIVATE and friends, applied by a second mount(2), 0: none */
};

/* What mount(8) calls the flags of mount(2). */
struct mount_flag {
    const char *name;
    enum { MOUNT_FLAG_SET, MOUNT_FLAG_CLEAR, MOUNT_FLAG_PROPAGATE } what;
    unsigned int bits;
};
/* The flag of this name (`length` bytes of it), or NULL. */
const struct mount_flag *mount_flag_find(const char *name, size_t length);

/*
 * Pure: dev:path:type:flags:data with `\:` and `\;` for a literal colon and semicolon. 0; -EINVAL
 * with fewer than five fields or an empty target (*problem says what, static); -ENOMEM. An unknown
 * flag is left out and named in *unknown (in the arena, first one; NULL if none).
 */
int mount_parse(const char *text, struct mount_spec *spec, const char **problem,
                const char **unknown);

/* The names of its flags, added to *names. 0 or -ENOMEM. For the desk. */
int mount_flag_names(const struct mount_spec *spec, struct strings *names);

#endif
