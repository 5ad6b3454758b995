/* SPDX-License-Identifier: MIT */
/*
 * --plan: the boot of a tree, as it would happen. Each step of the tables in boot.h has a function
 * here that finds out, with the code that the step itself uses, what the step would do, and puts it
 * into the document. Nothing in the tree is changed, and nothing of it is executed.
 */
#ifndef DESK_PLAN_H
#define DESK_PLAN_H

#include "cmdline.h"
#include "document.h"
#include "erlinit/boot.h"
#include "erlinit/options.h"
#include "root.h"

#include <stdio.h>

/* What was asked for. */
struct plan_request {
    const char *root;
    const char *cmdline; /* "" if none */
    const char *config;  /* NULL: the tree's own */
    bool json;
};

struct plan {
    struct plan_request request;
    struct root root;
    /* what is put before a path of the tree: "" where the tree is entered */
    const char *prefix;
    struct cmdline cmdline;
    struct strings arguments;   /* argv of init */
    struct strings environment; /* envp of init */
    struct options options;
    struct boot boot;
    /* mount points, in the order of mounting: what the tree has below is not what there will be */
    struct strings mounted;
    const char *directory; /* the working directory of the VM */
    struct node *document;
    struct node *facts;    /* of the step under way */
    struct node *messages; /* the same */
    bool warned;           /* there is a warning or worse among them */
};

/* From now on lines of the log, warnings and worse, are messages of the step under way. */
void plan_take_log(struct plan *plan);

/* Adds what the plan itself has to say: LOG_WARNING what the boot will not be happy with,
 * LOG_NOTICE what is worth knowing. `origin` may be NULL. */
__attribute__((format(printf, 4, 5))) void plan_say(struct plan *plan, enum log_severity severity,
                                                    const struct origin *origin, const char *format,
                                                    ...);
#define plan_remark(plan, ...) plan_say(plan, LOG_NOTICE, NULL, __VA_ARGS__)

/* Writes the document for people. */
void plan_write_text(const struct plan *plan, bool coloured, FILE *to);

/* A word list on one line, quoted where needed so that command_split() would give it again. */
const char *plan_quoted(const struct strings *words);

/*
 * Adds a command to `parent`: its words, and the program that would be started. 0, or what the boot
 * would get: -EINVAL (can't be split), -ENOENT, -EACCES. A program on a file system that is mounted
 * at boot is a note.
 */
int plan_command(struct plan *plan, struct node *parent, const char *name,
                 const struct word *command);

void plan_add_identity(struct node *parent, const struct identity *identity);

/* The mount point of this boot that `path` is on or below, or NULL: it is in the tree. */
const char *plan_mount_above(const struct plan *plan, const char *path);
/* Says so, if it is. True if it is. */
bool plan_is_mounted(struct plan *plan, const char *what, const char *path);

/* The steps. As in boot.h, a result of STEP_DONE is one with warnings if something was logged. */
enum step_result plan_rootdevice(struct plan *plan);
enum step_result plan_overlay(struct plan *plan);
enum step_result plan_pseudofs(struct plan *plan);
enum step_result plan_console(struct plan *plan);
enum step_result plan_rootdisk(struct plan *plan);
enum step_result plan_scratch(struct plan *plan);
enum step_result plan_mounts(struct plan *plan);
enum step_result plan_clock(struct plan *plan);
enum step_result plan_identity(struct plan *plan);
enum step_result plan_release(struct plan *plan);
enum step_result plan_corepattern(struct plan *plan);
enum step_result plan_loopback(struct plan *plan);
enum step_result plan_id(struct plan *plan);
enum step_result plan_hostname(struct plan *plan);
enum step_result plan_workdir(struct plan *plan);
enum step_result plan_entropy(struct plan *plan);
enum step_result plan_prerun(struct plan *plan);
enum step_result plan_limits(struct plan *plan);

/* Reads the command line and the configuration, as PID 1 would, and says what it found. */
void plan_configure(struct plan *plan);

/* Adds "vm", what is executed, to the document, and to the step's messages why it can't be.
 * STEP_FATAL then. */
enum step_result plan_vm(struct plan *plan);

/* Adds "end": what happens when the VM ends, or somebody asks; or, after a fatal error, now. */
void plan_end(struct plan *plan, bool fatal);

#endif
