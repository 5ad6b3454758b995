/* SPDX-License-Identifier: MIT */
/*
 * --check: what of a configuration will not do what its author thinks. A check is a function that
 * looks at one thing and says what it finds; the table of them is in check_all.c. They look at the
 * words that PID 1 would read, and ask the code with which it would read them.
 */
#ifndef DESK_CHECK_H
#define DESK_CHECK_H

#include "cmdline.h"
#include "erlinit/options.h"
#include "root.h"

#include <stddef.h>

/* Error: will not work at all. Warning: most likely not what is meant. Note: worth knowing. */
enum check_severity { CHECK_ERROR, CHECK_WARNING, CHECK_NOTE };

/* A kind of finding. Its id is stable: build systems look at it. docs/check.md explains each. */
struct check_kind {
    const char *id;
    enum check_severity severity;
};

struct finding {
    const struct check_kind *kind;
    struct origin origin; /* line 0: the file as a whole */
    const char *text;
    size_t number; /* in the order of finding */
};

struct findings {
    struct finding *item;
    size_t count;
    size_t room;
    bool no_memory; /* there are more */
};

/* An option that somebody has written. */
struct use {
    const struct option_row *row;
    const struct word *option; /* the word that names it */
    const struct word *holder; /* the word that the value is in, maybe the same */
    struct word value;         /* text NULL: a flag */
    size_t number;             /* in the order of reading */
    bool on;                   /* of a flag */
    bool effective;            /* changes something: no `false` of an action, no bad number */
    bool counts;               /* nothing that comes later is taken instead; all of a list count */
};

struct uses {
    struct use *item;
    size_t count;
    size_t room;
};

/* A configuration, and what PID 1 would make of it. */
struct check {
    const char *name; /* of the file, for people */
    const char *content;
    size_t length;
    const size_t *lines; /* where each line of the file begins */
    size_t line_count;
    const char *cmdline_text; /* NULL: none was given */
    const struct root *root;  /* NULL: only the text is looked at */
    struct words words;       /* of the file */
    struct cmdline cmdline;
    struct words arguments; /* what of the command line reaches init */
    /* for each word of the file, then each argument: the number of the use that it is part of, + 1
     */
    unsigned int *use_of;
    struct uses uses; /* of the file, then of the command line */
    struct options options;
    const struct check_places *places; /* check_tree.c's */
    struct findings *findings;
};

/* The name under which places on the kernel command line are shown. */
#define CHECK_CMDLINE "kernel command line"

/* Everything of check_all.c. name, content, cmdline_text, root and findings are given. */
void check_all(struct check *check);

/* Adds a finding. `format` is that of text_format(); what it shows of foreign text is made
 * printable, and cut after some hundred bytes. */
__attribute__((format(printf, 4, 5))) void check_say(struct check *check,
                                                     const struct check_kind *kind,
                                                     const struct origin *origin,
                                                     const char *format, ...);

/* The kind of a line that PID 1's code logs, by a part of its text. */
struct check_log_kind {
    const char *part;       /* NULL ends a list */
    struct check_kind kind; /* id NULL: such a line is no finding */
};

/* From now on what is logged (warnings and worse) are findings, of the first kind whose part they
 * have. Lines without a place get `origin`. kinds NULL: no more, lines go nowhere. */
void check_take_log(struct check *check, const struct check_log_kind *kinds,
                    const struct origin *origin);

/* Kinds that several checks have. */
extern const struct check_kind check_override;         /* by a later word of the same place */
extern const struct check_kind check_cmdline_override; /* by the command line */
extern const struct check_kind check_repeated;         /* with the same text */
extern const struct check_kind check_shell_syntax;
extern const struct check_kind check_relative_path;

/* check_findings.c */
/* In the order of places, from number `first` on. */
void findings_sort(struct findings *findings, size_t first);
size_t findings_count(const struct findings *findings, enum check_severity severity);
/* To standard output: a line each, or one JSON document. 0 or -ENOMEM. */
void findings_print(const struct findings *findings);
int findings_print_json(const struct findings *findings);

/* check_text.c: places in the file and on the command line */
/* 0 or -ENOMEM. */
int check_index_lines(struct check *check);
/* The place of `at`, which points into the text of `holder`. */
struct origin check_place(const struct check *check, const struct word *holder, const char *at);
/* Whether the word stands between quotes. */
bool check_is_quoted(const struct check *check, const struct word *word);
bool check_is_on_cmdline(const struct word *word);
/* "line 3" or "the kernel command line", in the arena. */
const char *check_where(const struct word *word);
/* What a text from outside looks like in a finding: printable, its beginning; in the arena. */
const char *check_shown(const char *text, size_t length);
#define CHECK_SHOWN(text) check_shown(text, strlen(text))

/* check_uses.c: fills use_of, uses and options from words and arguments. */
void check_read(struct check *check);
/* The use of `row`'s field that counts, or NULL: it was not given, or took back what was. `field`
 * is its offset in struct options. */
const struct use *check_use_of(const struct check *check, size_t field);
#define CHECK_USE_OF(check, field) check_use_of(check, offsetof(struct options, field))
/* Whether `use` is of that field, counts, and says something. */
bool check_is_use_of(const struct use *use, size_t field);
#define CHECK_IS_USE_OF(use, field) check_is_use_of(use, offsetof(struct options, field))

/* check_cmdline.c: whoever writes this doesn't mean a parameter of the kernel or of a module. */
bool check_is_for_init(const char *text);

/* check_commands.c: where in `text` a shell would put the value of a variable or the output of a
 * command; `length` if nowhere. */
size_t check_variable(const char *text, size_t length);
/* Whether it is the use of an option that takes a command, and counts. */
bool check_is_command(const struct use *use);

/* check_tree.c */
/* Whether `path` is what erlinit, or a mount of the configuration, mounts at boot, or below it:
 * what the tree has there says nothing. */
bool check_is_mounted_over(struct check *check, const char *path);

/* The checks. */
void check_words(struct check *check);       /* quotes, comments, characters */
void check_line_limits(struct check *check); /* what the old program cuts */
void check_build_tool(struct check *check);  /* what the Nerves build tool loses */
void check_cmdline_words(struct check *check);
void check_strays(struct check *check);
void check_swallowed(struct check *check);
void check_overrides(struct check *check);
void check_numbers(struct check *check);
void check_effects(struct check *check); /* options that do nothing without another */
void check_environment(struct check *check);
void check_mounts(struct check *check);
void check_mount_order(struct check *check);
void check_limits(struct check *check);
void check_hostname(struct check *check);
void check_terminal(struct check *check);
void check_core_pattern(struct check *check);
void check_identity(struct check *check);
void check_umask(struct check *check);
void check_commands(struct check *check);
void check_paths(struct check *check);
void check_program_paths(struct check *check); /* needs a root */

#endif
