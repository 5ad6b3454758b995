/* SPDX-License-Identifier: MIT */
/* Values with a form of their own: hostname, terminal, core pattern, limits, umask. */
#include "check.h"

#include "../boot/limits.h"
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>

static const struct check_kind tty_options = {"tty-options", CHECK_ERROR};
static const struct check_kind tty_speed = {"tty-speed", CHECK_NOTE};
static const struct check_kind ctty_kind = {"ctty", CHECK_WARNING};
static const struct check_kind tty_missing = {"tty-missing", CHECK_WARNING};
static const struct check_kind core_pattern = {"core-pattern", CHECK_ERROR};
static const struct check_kind core_percent = {"core-pattern-percent", CHECK_WARNING};
static const struct check_kind core_place = {"core-pattern-place", CHECK_NOTE};
static const struct check_kind core_limit = {"core-limit", CHECK_NOTE};
static const struct check_kind limit_kind = {"limit", CHECK_ERROR};
static const struct check_kind limit_order = {"limit-order", CHECK_ERROR};
static const struct check_kind limit_high = {"limit-too-high", CHECK_WARNING};
static const struct check_kind octal_number = {"octal-number", CHECK_NOTE};

#define TTY_NAME_BYTES     64  /* longer ones are cut, boot/console.c */
#define CORE_PATTERN_BYTES 127 /* CORENAME_MAX_SIZE without the NUL, fs/coredump.c */
#define CORE_LETTERS       "%cCdeEfFghiIpPstu" /* core(5) */
#define OPEN_FILES_MOST    1048576U            /* fs.nr_open as it is without being changed */

/* ---- terminal ---- */

static bool is_usual_speed(unsigned int baud)
{
    static const unsigned int usual[] = {1200,    2400,    4800,    9600,    19200,   38400,
                                         57600,   115200,  230400,  460800,  500000,  576000,
                                         921600,  1000000, 1152000, 1500000, 2000000, 2500000,
                                         3000000, 3500000, 4000000};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (usual[i] == baud)
            return true;
    return false;
}

static void check_tty_options(struct check *check)
{
    const struct use *use = CHECK_USE_OF(check, tty_options);
    struct tty_format format;
    if (use == NULL)
        return;
    if (tty_parse_format(use->value.text, &format) < 0)
        check_say(check, &tty_options, &use->value.origin,
                  "'%s' is no format like 115200n8 for the terminal, 115200n8 is used",
                  CHECK_SHOWN(use->value.text));
    else if (!is_usual_speed(format.baud))
        check_say(check, &tty_speed, &use->value.origin, "%u is an unusual speed", format.baud);
}

/* A tree's /dev says something only if somebody has put terminals there. */
static bool is_missing(const struct check *check, const char *name)
{
    struct stat status;
    const char *path = arena_format("/dev/%s", name);
    return check->root != NULL && path != NULL &&
           (root_stat(check->root, "/dev/tty", &status) == 0 ||
            root_stat(check->root, "/dev/tty1", &status) == 0 ||
            root_stat(check->root, "/dev/ttyS0", &status) == 0) &&
           root_stat(check->root, path, &status) == -ENOENT;
}

static void check_ctty(struct check *check)
{
    const struct use *use = CHECK_USE_OF(check, ctty);
    if (use == NULL)
        return;
    const char *name = use->value.text;
    name += text_starts_with(name, "/dev/") ? strlen("/dev/") : 0;
    if (text_equal(name, "tty0"))
        check_say(check, &ctty_kind, &use->value.origin,
                  "tty0 stands for another terminal and can't be the VM's: tty1? The first active "
                  "console is used");
    else if (strlen(name) >= TTY_NAME_BYTES || strpbrk(name, " \t,") != NULL)
        check_say(check, &ctty_kind, &use->value.origin,
                  "\"%s\" is no name of a terminal: the first active console is used",
                  CHECK_SHOWN(name));
    else if (is_missing(check, name))
        check_say(check, &tty_missing, &use->value.origin, "/dev/%s isn't there",
                  CHECK_SHOWN(name));
}

void check_terminal(struct check *check)
{
    check_tty_options(check);
    check_ctty(check);
}

/* ---- core pattern ---- */

static bool has_core_limit(const struct check *check)
{
    for (size_t i = 0; i < check->options.limits.count; i++)
        if (text_starts_with(check->options.limits.item[i].text, "core:"))
            return true;
    return false;
}

static void check_core_letters(struct check *check, const struct use *use)
{
    for (const char *at = strchr(use->value.text, '%'); at != NULL; at = strchr(at + 2, '%')) {
        struct origin origin = check_place(check, use->holder, at);
        if (at[1] == '\0' || strchr(CORE_LETTERS, at[1]) == NULL)
            check_say(check, &core_percent, &origin, "`%s` is nothing that the kernel replaces",
                      check_shown(at, at[1] == '\0' ? 1 : 2));
        if (at[1] == '\0')
            break;
    }
}

void check_core_pattern(struct check *check)
{
    const struct use *use = CHECK_USE_OF(check, core_pattern);
    if (use == NULL)
        return;
    const char *text = use->value.text;
    bool is_pipe = *text == '|';
    if (strlen(text) > CORE_PATTERN_BYTES)
        check_say(check, &core_pattern, &use->value.origin,
                  "the kernel cuts a core pattern at %d characters", CORE_PATTERN_BYTES);
    if (is_pipe && text[1 + strspn(text + 1, " ")] != '/')
        check_say(check, &core_pattern, &use->value.origin,
                  "the kernel starts no program for a core dump whose path doesn't begin with /");
    if (!is_pipe && *text != '/')
        check_say(check, &core_place, &use->value.origin,
                  "a core dump is written to the working directory of the process that crashed");
    check_core_letters(check, use);
    if (!is_pipe && !has_core_limit(check))
        check_say(check, &core_limit, &use->value.origin,
                  "a usual kernel starts with core dumps switched off: they need "
                  "`--limits core:unlimited:unlimited`");
}

/* ---- limits ---- */

static bool is_octal(const char *text)
{
    return text[0] == '0' && text_is_digit(text[1]);
}

static void say_octal(struct check *check, const struct origin *origin, const char *text)
{
    check_say(check, &octal_number, origin, "%s begins with 0 and so is octal", text);
}

static void check_limit(struct check *check, const struct use *use, const struct use **earlier)
{
    const char *problem, *text = use->value.text;
    struct rlimit limit;
    int resource;
    if (limits_parse(text, &resource, &limit, &problem) < 0) {
        check_say(check, &limit_kind, &use->value.origin, "limit '%s' is left out: %s",
                  CHECK_SHOWN(text), problem);
        return;
    }
    if (limit.rlim_cur > limit.rlim_max)
        check_say(check, &limit_order, &use->value.origin,
                  "limit '%s': the kernel refuses a soft limit above the hard one",
                  CHECK_SHOWN(text));
    if (resource == RLIMIT_NOFILE && limit.rlim_max > OPEN_FILES_MOST)
        check_say(check, &limit_high, &use->value.origin,
                  "limit '%s': the kernel refuses more than fs.nr_open, which is %u unless changed",
                  CHECK_SHOWN(text), OPEN_FILES_MOST);
    const char *soft = strchr(text, ':') + 1;
    if (is_octal(soft) || is_octal(strchr(soft, ':') + 1))
        say_octal(check, &use->value.origin, is_octal(soft) ? "the soft limit" : "the hard limit");
    if (earlier[resource] != NULL)
        check_say(
            check,
            text_equal(earlier[resource]->value.text, text) ? &check_repeated
            : check_is_on_cmdline(use->option) && !check_is_on_cmdline(earlier[resource]->option)
                ? &check_cmdline_override
                : &check_override,
            &use->value.origin, "limit '%s' overrides '%s' of %s", CHECK_SHOWN(text),
            CHECK_SHOWN(earlier[resource]->value.text), check_where(earlier[resource]->option));
    earlier[resource] = use;
}

void check_limits(struct check *check)
{
    const struct use *earlier[RLIM_NLIMITS] = {NULL};
    for (size_t i = 0; i < check->uses.count; i++)
        if (CHECK_IS_USE_OF(&check->uses.item[i], limits))
            check_limit(check, &check->uses.item[i], earlier);
}
