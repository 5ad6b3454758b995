/* SPDX-License-Identifier: MIT */
/*
 * What the configuration says. Filled once by configure(), immutable from then on; all pointers are
 * to the arena or static. The one table of options (options_table) is the source of parsing,
 * defaults, help, completion and the manual's table.
 */
#ifndef ERLINIT_OPTIONS_H
#define ERLINIT_OPTIONS_H

#include "erlinit/log.h"

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_CONFIG_FILE       "/etc/erlinit.config"
#define OPTIONS_CONFIG_MOST_BYTES (4U << 20) /* not a config any more; small devices have 32 MB */

/* A word of the configuration. */
struct word {
    const char *text;
    struct origin origin;
};

struct words {
    struct word *item;
    size_t count;
    size_t room;
};

enum action { ACTION_REBOOT, ACTION_HALT, ACTION_POWEROFF };

/* All values are as written; origin tells where. A text that was not given is NULL (or its default,
 * with line and column 0). */
struct options {
    struct word boot;
    struct word core_pattern;
    struct word ctty;
    struct word uniqueid_exec;
    struct words env; /* each as given: A=b;C=d */
    struct word uid;
    struct word gid;
    long long graceful_shutdown_timeout_ms; /* >= 1, default 10000 */
    enum action on_exit;
    enum action on_fatal;
    struct words limits;
    struct words mounts; /* one mount each */
    struct word hostname_pattern;
    struct words pre_run_exec;
    struct word release_path; /* default /srv/erlang */
    bool release_include_erts;
    struct word run_on_exit;
    struct word alternate_exec;
    struct word shutdown_report;
    bool print_timing;
    struct word tty_options;
    bool update_clock;
    bool verbose;
    bool warn_unused_tty;
    struct word working_directory;
    bool pivot_root_on_overlayfs;
    /* ours */
    struct word umask; /* default 0022 */
    struct word capabilities;
    bool no_new_privs;
    struct word state_directory;   /* default /root: where seedrng/ lives */
    long long command_timeout_ms;  /* 0: none; default 300000 */
    long long mount_timeout_ms;    /* default 60000: a journal replay on slow flash takes seconds,
                                      never a minute */
    long long shutdown_timeout_ms; /* budget from the VM's end to reboot(2), default 8000 */
    long long stop_grace_ms; /* after a request, before the VM is sent SIGTERM; default 1000 */
    long long uniqueid_timeout_ms; /* of the id command, default 10000 */
    long long seed_timeout_ms;     /* at boot, default 10000 */
    long long term_grace_ms;       /* for leftovers that catch SIGTERM, default 1000 */
    long long kill_timeout_ms;     /* for killed processes to go, default 2000 */
    long long step_timeout_ms;     /* of the shutdown's small steps, default 2000 */
    long long reboot_timeout_ms;   /* until reboot(2) counts as failed, default 3000 */
    long long exit_pause_ms; /* before halt and power off after an unintentional exit; default 0 */
    long long reboot_min_uptime_ms; /* an automatic reboot after a fatal error waits until then;
                                       default 5000 */
    long long report_keep;          /* how many old shutdown reports to keep; default 0 */
};

enum option_kind {
    OPTION_FLAG,   /* bool; a stray `true` or `false` after it is its value */
    OPTION_ACTION, /* enum action; the row's `value` is stored; `true`/`false` as above (false:
                      nothing) */
    OPTION_TEXT,   /* struct word, last one wins */
    OPTION_LIST,   /* struct words, appended */
    OPTION_NUMBER, /* long long within minimum..maximum (below: minimum; not a number: warned and
                      skipped) */
};

/* Texts for people at the desk: not in a device's build. */
#ifdef ERLINIT_DESK
typedef const char *desk_text;
#else
typedef char desk_text;
#endif

struct option_row {
    const char *name; /* without -- */
    char letter;      /* or 0 */
    bool ours;        /* not of the compatibility contract: gives way where a prefix is short */
    unsigned char minimum; /* OPTION_NUMBER */
    enum option_kind kind : 8;
    unsigned short offset; /* in struct options */
    desk_text group;       /* heading in the help */
    desk_text help;        /* one line */
    int value;   /* OPTION_ACTION: what is stored; OPTION_NUMBER: the default; OPTION_LIST: what
                    separates several values in one (a backslash before it takes that meaning away
                    and stays), or 0 */
    int maximum; /* OPTION_NUMBER */
    const char *text;     /* OPTION_TEXT: the default, or NULL */
    const char *argument; /* name of the argument in the help, NULL: takes none */
};

extern const struct option_row options_table[];
extern const size_t options_table_count;

/* Appends a word. 0 or -ENOMEM. */
int words_add(struct words *words, const char *text, struct origin origin);

/*
 * Splits the content of a config file into words (compat: `#` comments outside quotes, `"` only at
 * the start of a word, no escapes; any bytes; NUL is white space). `name` is the file's name for
 * origins, kept. 0 or -ENOMEM.
 */
int words_from_config(const char *name, const char *content, size_t length, struct words *words);

/* The defaults of the table. */
void options_defaults(struct options *options);

/*
 * Parses words by the rules of getopt_long(3) (clusters, attached values, --name=value, unambiguous
 * prefixes, `--` is skipped). What is wrong gets one warning line with its place and is skipped.
 * Never fails; without memory the rest is left out, with an error line.
 */
void options_parse(const struct words *words, struct options *options);

#ifdef ERLINIT_DESK
/* An option that the parser has understood. */
struct option_use {
    const struct option_row *row;
    size_t behind;            /* number of the word after it, its value included */
    const struct word *value; /* NULL: a flag; a number may still be none */
    bool on;                  /* of a flag */
};

/* Tells of each use as it is taken, before its value is looked at. NULL: no more. */
void options_set_watcher(void (*watcher)(const struct option_use *use));
#endif

/*
 * configure: defaults, then the words of the config file, then argv[1..]. Sets the log level. A
 * missing file is no error; one that can't be read is a warning.
 */
void options_configure(const char *config_file, int argc, char *const argv[],
                       struct options *options);

#endif
