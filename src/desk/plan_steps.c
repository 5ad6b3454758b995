/* SPDX-License-Identifier: MIT */
/* The steps that take a line or two to tell. */
#include "../vm/capabilities.h"
#include "erlinit/text.h"
#include "plan.h"

#include <errno.h>
#include <string.h>

/* The value of the last `name`= that the kernel keeps for itself, or NULL. */
static const char *kernel_value(const struct plan *plan, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < plan->cmdline.count; i++) {
        const struct cmdline_word *word = &plan->cmdline.word[i];
        if (word->fate == CMDLINE_KERNEL && text_starts_with(word->text, name))
            value = word->text + strlen(name);
    }
    return value;
}

enum step_result plan_rootdevice(struct plan *plan)
{
    node_text(plan->facts, "root", kernel_value(plan, "root="));
    return STEP_DONE;
}

enum step_result plan_overlay(struct plan *plan)
{
    if (!plan->options.pivot_root_on_overlayfs)
        return STEP_SKIPPED;
    node_text(plan->facts, "root", "a writable overlay in memory, over what the kernel mounted");
    plan_remark(plan, "no overlay if the root is in memory already");
    return STEP_DONE;
}

static void add_consoles(const struct plan *plan, struct node *list)
{
    for (size_t i = 0; i < plan->cmdline.count; i++) {
        const struct cmdline_word *word = &plan->cmdline.word[i];
        if (word->fate == CMDLINE_KERNEL && text_starts_with(word->text, "console="))
            node_text(list, NULL, word->text + strlen("console="));
    }
}

static void add_format(struct plan *plan, const struct word *word)
{
    struct tty_format format = {.baud = 115200, .parity = 'n', .bits = 8};
    if (word->text != NULL && tty_parse_format(word->text, &format) < 0)
        log_at(LOG_WARNING, &word->origin,
               "'%s' is no format like 115200n8 for the terminal, 115200n8 is used", word->text);
    const char *used =
        node_format("%u%c%u%s", format.baud, format.parity, format.bits, format.rtscts ? "r" : "");
    node_text(plan->facts, "format", word->text == NULL ? NULL : used);
}

enum step_result plan_console(struct plan *plan)
{
    const char *name = plan->options.ctty.text;
    if (name != NULL && text_starts_with(name, "/dev/"))
        name += strlen("/dev/");
    bool usable = !text_equal(name, "tty0");
    node_text(plan->facts, "terminal",
              name != NULL && usable ? node_format("/dev/%s", name) : NULL);
    struct node *consoles = node_list(plan->facts, "kernel_consoles");
    add_consoles(plan, consoles);
    add_format(plan, &plan->options.tty_options);
    if (!usable) {
        errno = ENOTTY; /* it stands for whichever terminal is shown */
        log_at(LOG_WARNING, &plan->options.ctty.origin,
               "terminal %s can't be the VM's: %m; %s is used", plan->options.ctty.text,
               "a console of the kernel");
    }
    if (plan->options.warn_unused_tty)
        plan_remark(plan, "the other active consoles are told where the shell is once the VM runs");
    if (name == NULL || !usable)
        plan_remark(plan, "the terminal is the first of the kernel's active consoles that opens");
    else
        plan_remark(plan,
                    "should it not open: the first of the kernel's active consoles that does");
    return STEP_DONE;
}

enum step_result plan_rootdisk(struct plan *plan)
{
    plan_remark(plan, "/dev/rootdisk0 and /dev/rootdisk0pN, if the root is on a partition");
    return STEP_DONE;
}

enum step_result plan_clock(struct plan *plan)
{
    if (!plan->options.update_clock)
        return STEP_SKIPPED;
    struct node *floors = node_list(plan->facts, "not_before");
    node_text(floors, NULL, "the build of erlinit");
    node_text(floors, NULL, "start_erl.data of the releases");
    node_text(floors, NULL, "the last seed");
    return STEP_DONE;
}

static void add_capabilities(struct node *parent, const struct identity *identity)
{
    struct strings names = {0};
    if (!identity->limited) {
        node_text(parent, "capabilities", NULL);
        return;
    }
    if (capabilities_names(identity->capabilities, &names) < 0)
        (void)node_memory(NULL);
    struct node *list = node_strings(parent, "capabilities", &names);
    list->line = names.count == 0 ? "none" : plan_quoted(&names);
}

void plan_add_identity(struct node *parent, const struct identity *identity)
{
    node_number(parent, "uid", identity->uid);
    node_number(parent, "gid", identity->gid);
    struct node *groups = node_list(parent, "groups");
    for (size_t i = 0; i < identity->group_count; i++) {
        const char *before = i == 0 ? "" : node_format("%s ", groups->line);
        node_number(groups, NULL, identity->groups[i]);
        groups->line = node_format("%s%u", before, identity->groups[i]);
    }
    add_capabilities(parent, identity);
    node_truth(parent, "no_new_privs", identity->no_new_privs)->hidden = !identity->no_new_privs;
}

enum step_result plan_identity(struct plan *plan)
{
    const struct options *options = &plan->options;
    struct identity *identity = &plan->boot.vm.identity;
    int result = identity_resolve(plan->prefix, &options->uid, &options->gid, identity);
    if (result == 0)
        result = identity_restrict(&options->capabilities, options->no_new_privs, identity);
    if (result == -ENOMEM)
        (void)node_memory(NULL);
    if (result < 0)
        return STEP_FATAL;
    plan_add_identity(plan->facts, identity);
    node_text(plan->facts, "home", identity->home);
    return identity->change ? STEP_DONE : STEP_SKIPPED;
}

enum step_result plan_corepattern(struct plan *plan)
{
    const char *pattern = plan->options.core_pattern.text;
    if (pattern == NULL)
        return STEP_SKIPPED;
    node_text(plan->facts, "core_pattern", pattern);
    return STEP_DONE;
}

enum step_result plan_loopback(struct plan *plan)
{
    struct node *addresses = node_list(plan->facts, "lo");
    node_text(addresses, NULL, "127.0.0.1/8");
    node_text(addresses, NULL, "::1/128");
    addresses->line = "up, 127.0.0.1/8 ::1/128";
    return STEP_DONE;
}

enum step_result plan_entropy(struct plan *plan)
{
    const char *directory = node_format("%s/seedrng", plan->options.state_directory.text);
    node_text(plan->facts, "seed", directory);
    node_number(plan->facts, "timeout_ms", plan->options.seed_timeout_ms);
    return STEP_DONE;
}
