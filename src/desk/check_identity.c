/* SPDX-License-Identifier: MIT */
/* Who the VM runs as, the umask, and options that depend on another. */
#include "check.h"

#include "../vm/accounts.h"
#include "erlinit/boot.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <string.h>

static const struct check_kind octal_number = {"octal-number", CHECK_NOTE};
static const struct check_kind never_told = {"stop-grace", CHECK_WARNING};
static const struct check_kind without_effect = {"without-effect", CHECK_NOTE};

static const struct check_log_kind identity_says[] = {
    {"--uid", {"user", CHECK_ERROR}},
    {"--gid", {"group", CHECK_ERROR}},
    {"--capabilities", {"capabilities", CHECK_ERROR}},
    {"taking group", {"user-unlisted", CHECK_WARNING}},
    {NULL, {NULL, CHECK_ERROR}},
};

/* ---- user and group ---- */

static void check_octal(struct check *check, const struct use *use)
{
    unsigned int number;
    const char *text = use != NULL ? use->value.text : "";
    if (text[0] == '0' && text_is_digit(text[1]) && accounts_number(text, 0, &number) == 0)
        check_say(check, &octal_number, &use->value.origin,
                  "--%s %s begins with 0 and so is octal: %u", use->row->name, text, number);
}

#define NO_TREE "/proc/self/none" /* there are no files below it */

/* A name means nothing without the tree's files, a number has its range. */
static bool is_out_of_range(const struct word *word)
{
    unsigned int number;
    return word->text != NULL && accounts_number(word->text, 0, &number) == -ERANGE;
}

static int resolve(const struct check *check, const struct word *uid, const struct word *gid)
{
    static const struct word nobody;
    struct identity identity;
    if (check->root != NULL && check->root->entered)
        return identity_resolve("", uid, gid, &identity);
    int result = 0;
    if (is_out_of_range(uid))
        result = identity_resolve(NO_TREE, uid, &nobody, &identity);
    if (result != -ENOMEM && is_out_of_range(gid))
        result = identity_resolve(NO_TREE, &nobody, gid, &identity);
    return result;
}

void check_identity(struct check *check)
{
    const struct options *options = &check->options;
    const struct origin nowhere = {.file = check->name};
    struct identity identity = {0};
    check_octal(check, CHECK_USE_OF(check, uid));
    check_octal(check, CHECK_USE_OF(check, gid));
    check_take_log(check, identity_says, &nowhere);
    if (resolve(check, &options->uid, &options->gid) == -ENOMEM)
        check->findings->no_memory = true;
    (void)identity_restrict(&options->capabilities, options->no_new_privs, &identity);
    check_take_log(check, NULL, NULL);
}

void check_umask(struct check *check)
{
    static const struct check_log_kind umask_says[] = {{"--umask", {"umask", CHECK_ERROR}},
                                                       {NULL, {NULL, CHECK_ERROR}}};
    const struct origin nowhere = {.file = check->name};
    check_take_log(check, umask_says, &nowhere);
    (void)boot_umask(&check->options);
    check_take_log(check, NULL, NULL);
}

/* ---- one option and another ---- */

static void check_stop_grace(struct check *check)
{
    const struct options *options = &check->options;
    const struct use *grace = CHECK_USE_OF(check, stop_grace_ms);
    const struct use *timeout = CHECK_USE_OF(check, graceful_shutdown_timeout_ms);
    const struct use *use = timeout != NULL ? timeout : grace;
    if (use != NULL && options->stop_grace_ms >= options->graceful_shutdown_timeout_ms)
        check_say(check, &never_told, &use->option->origin,
                  "with --stop-grace %lld and --graceful-shutdown-timeout %lld the VM is never "
                  "told to stop: its time ends before",
                  options->stop_grace_ms, options->graceful_shutdown_timeout_ms);
}

static bool has_commands(const struct options *options)
{
    return options->pre_run_exec.count > 0 || options->run_on_exit.text != NULL ||
           options->uniqueid_exec.text != NULL;
}

static bool is_halt_possible(const struct options *options)
{
    return options->on_exit != ACTION_REBOOT || options->on_fatal != ACTION_REBOOT;
}

void check_effects(struct check *check)
{
    const struct options *options = &check->options;
    const struct {
        const struct use *use;
        bool has_effect;
        const char *why;
    } rows[] = {
        {CHECK_USE_OF(check, report_keep), options->shutdown_report.text != NULL,
         "there is no --shutdown-report"},
        {CHECK_USE_OF(check, exit_pause_ms), is_halt_possible(options),
         "no option makes it halt or power off when the VM ends"},
        {CHECK_USE_OF(check, mount_timeout_ms), options->mounts.count > 0, "there is no --mount"},
        {CHECK_USE_OF(check, command_timeout_ms), has_commands(options), "there is no command"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].use != NULL && !rows[i].has_effect)
            check_say(check, &without_effect, &rows[i].use->option->origin, "--%s does nothing: %s",
                      rows[i].use->row->name, rows[i].why);
    check_stop_grace(check);
}
