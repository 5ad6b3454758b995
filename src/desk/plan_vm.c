/* SPDX-License-Identifier: MIT */
/* What is executed, where, with which limits, and what comes after it. */
#include "../boot/limits.h"
#include "erlinit/text.h"
#include "plan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tree that isn't entered is only looked at. */
static int change_directory(struct plan *plan, const char *path)
{
    struct stat status;
    if (plan->root.entered)
        return chdir(path) < 0 ? -errno : 0;
    int result = root_stat(&plan->root, path, &status);
    return result == 0 && !S_ISDIR(status.st_mode) ? -ENOTDIR : result;
}

/* The path that the kernel would give: links followed. */
static const char *current_directory(const struct plan *plan, const char *path)
{
    char buffer[PATH_MAX];
    if (!plan->root.entered || getcwd(buffer, sizeof buffer) == NULL)
        return path;
    return node_memory(arena_string(buffer));
}

/* As boot_workdir() does it. */
static enum step_result choose_directory(struct plan *plan)
{
    const struct word *wanted = &plan->options.working_directory;
    const char *base = plan->boot.vm.release.base;
    if (wanted->text != NULL) {
        int result = change_directory(plan, wanted->text);
        bool mounted = plan_is_mounted(plan, "the working directory", wanted->text);
        plan->directory = result == 0 ? current_directory(plan, wanted->text) : wanted->text;
        if (result == 0 || mounted)
            return STEP_DONE;
        errno = -result;
        log_at(LOG_WARNING, &wanted->origin, "--working-directory %s: %m; using %s", wanted->text,
               base);
    }
    int result = change_directory(plan, base);
    plan->directory = current_directory(plan, base);
    if (result == 0)
        return STEP_DONE;
    errno = -result;
    log_warning("can't change to %s: %m; using /", base);
    plan->directory = "/";
    return STEP_WARNED;
}

enum step_result plan_workdir(struct plan *plan)
{
    enum step_result result = choose_directory(plan);
    node_text(plan->facts, "directory", plan->directory);
    return result;
}

static void add_limit(struct node *limit, const char *name, rlim_t value)
{
    if (value == RLIM_INFINITY)
        node_text(limit, name, "unlimited");
    else
        node_number(limit, name, (long long)value);
}

static const char *limit_text(rlim_t value)
{
    return value == RLIM_INFINITY ? "unlimited" : node_format("%llu", (unsigned long long)value);
}

static void plan_limit(struct node *list, const struct word *word)
{
    const char *problem = NULL;
    struct rlimit limit;
    int resource = 0;
    if (limits_parse(word->text, &resource, &limit, &problem) < 0) {
        log_at(LOG_WARNING, &word->origin, "limit '%s' is left out: %s", word->text, problem);
        return;
    }
    if (limit.rlim_cur > limit.rlim_max) {
        errno = EINVAL;
        log_at(LOG_WARNING, &word->origin, "limit '%s' is left out, the kernel refuses it: %m",
               word->text);
        return;
    }
    struct node *node = node_object(list, NULL);
    const char *name = node_format("%.*s", (int)strcspn(word->text, ":"), word->text);
    node_text(node, "resource", name);
    add_limit(node, "soft", limit.rlim_cur);
    add_limit(node, "hard", limit.rlim_max);
    node->line = node_format("%s %s, at most %s", name, limit_text(limit.rlim_cur),
                             limit_text(limit.rlim_max));
}

enum step_result plan_limits(struct plan *plan)
{
    const struct words *limits = &plan->options.limits;
    if (limits->count == 0)
        return STEP_SKIPPED;
    struct node *list = node_list(plan->facts, "limits");
    for (size_t i = 0; i < limits->count; i++)
        plan_limit(list, &limits->item[i]);
    return STEP_DONE;
}

/* Whether execve(2) could start it, as far as its file tells. */
static enum step_result look_at_program(struct plan *plan, const char *program)
{
    struct stat status;
    if (plan_is_mounted(plan, "the program", program))
        return STEP_DONE;
    int result = root_stat(&plan->root, program, &status);
    if (result == 0 && (!S_ISREG(status.st_mode) || (status.st_mode & 0111) == 0))
        result = -EACCES;
    if (result == 0)
        return STEP_DONE;
    errno = -result;
    log_line(LOG_EMERGENCY, "Can't start %s: %m", program);
    return STEP_FATAL;
}

/* child_reset_signals() does it. */
static void add_signals(struct node *facts)
{
    struct node *signals = node_object(facts, "signals");
    (void)node_list(signals, "blocked");
    (void)node_list(signals, "ignored");
    signals->line = "none blocked, none ignored";
}

enum step_result plan_vm(struct plan *plan)
{
    const struct vm *vm = &plan->boot.vm;
    mode_t mask = boot_umask(&plan->options);
    node_text(plan->facts, "program", vm->program);
    node_strings(plan->facts, "arguments", &vm->arguments);
    node_strings(plan->facts, "environment", &vm->environment);
    node_text(plan->facts, "working_directory", plan->directory);
    plan_add_identity(plan->facts, &vm->identity);
    node_text(plan->facts, "umask", node_format("%04o", (unsigned int)mask));
    add_signals(plan->facts);
    return look_at_program(plan, vm->program);
}
