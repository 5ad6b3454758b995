/* SPDX-License-Identifier: MIT */
/* What reaches PID 1 from the kernel and from the configuration. */
#include "erlinit/files.h"
#include "plan.h"

#include <string.h>

#define INIT "/sbin/init" /* argv[0]; nobody looks at it */

static void add(struct strings *list, const char *string)
{
    if (strings_add(list, string) < 0)
        (void)node_memory(NULL);
}

/* The kernel puts NAME=value in the place of an earlier one of that name, HOME and TERM included.
 */
static void set(struct strings *environment, const char *word)
{
    size_t length = strcspn(word, "=") + 1;
    for (size_t i = 0; i < environment->count; i++) {
        if (strncmp(environment->item[i], word, length) == 0) {
            environment->item[i] = word;
            return;
        }
    }
    add(environment, word);
}

static struct strings words_of(const struct cmdline *cmdline, enum cmdline_fate fate)
{
    struct strings words = {0};
    for (size_t i = 0; i < cmdline->count; i++)
        if (cmdline->word[i].fate == fate)
            add(&words, cmdline->word[i].text);
    return words;
}

static void split_cmdline(struct plan *plan)
{
    if (cmdline_split(plan->request.cmdline, &plan->cmdline) < 0)
        (void)node_memory(NULL);
    add(&plan->arguments, INIT);
    add(&plan->environment, "HOME=/");
    add(&plan->environment, "TERM=linux");
    for (size_t i = 0; i < plan->cmdline.count; i++) {
        const struct cmdline_word *word = &plan->cmdline.word[i];
        if (word->fate == CMDLINE_ARGUMENT)
            add(&plan->arguments, word->text);
        else if (word->fate == CMDLINE_ENVIRONMENT)
            set(&plan->environment, word->text);
    }
}

static void note_dropped(struct plan *plan, const char *name, enum cmdline_fate fate,
                         const char *why)
{
    struct strings words = words_of(&plan->cmdline, fate);
    struct node *list = node_strings(plan->facts, name, &words);
    if (words.count == 0)
        return;
    list->line = plan_quoted(&words);
    plan_remark(plan, "%s: %s", list->line, why);
}

static void describe(struct plan *plan, const char *file)
{
    struct strings arguments = words_of(&plan->cmdline, CMDLINE_ARGUMENT);
    node_text(plan->facts, "file", file);
    node_truth(plan->facts, "found", path_exists(file));
    struct node *list = node_strings(plan->facts, "arguments", &arguments);
    if (arguments.count > 0)
        list->line = plan_quoted(&arguments);
    node_strings(plan->facts, "environment", &plan->environment);
    note_dropped(plan, "kernel_parameters", CMDLINE_KERNEL,
                 "taken to be the kernel's own, which don't reach init; a kernel may know more");
    note_dropped(plan, "module_parameters", CMDLINE_MODULE,
                 "a dot in the name makes the kernel drop it; behind \"--\" it would reach init");
    note_dropped(plan, "forgotten", CMDLINE_FORGOTTEN, "dropped by the init= behind it");
    /* init's own name, and HOME and TERM, which count differently there */
    if (plan->arguments.count > CMDLINE_ARGUMENTS_MOST + 1 ||
        plan->environment.count > CMDLINE_ENVIRONMENT_MOST + 2)
        plan_say(plan, LOG_WARNING, NULL,
                 "more words for init than kernels have room for: usual ones panic "
                 "(CONFIG_INIT_ENV_ARG_LIMIT)");
}

void plan_configure(struct plan *plan)
{
    const char *file = plan->request.config;
    if (file == NULL)
        file = node_format("%s%s", plan->prefix, OPTIONS_CONFIG_FILE);
    split_cmdline(plan);
    options_configure(file, (int)plan->arguments.count, (char *const *)plan->arguments.item,
                      &plan->options);
    plan->boot.options = &plan->options;
    describe(plan, file);
}
