/* SPDX-License-Identifier: MIT */
/* Commands, which are not run, and what depends on them. */
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "plan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_PATH "/usr/sbin:/usr/bin:/sbin:/bin" /* as command.c */
#define NO_ID        "00000000"                      /* as hostname.c */
#define NAME_BYTES   4096                            /* the same */

static const char *quote_for(const char *word)
{
    if (strchr(word, '\'') != NULL)
        return "\"";
    return *word == '\0' || strpbrk(word, " \t\n\v\f\r\"") != NULL ? "'" : "";
}

const char *plan_quoted(const struct strings *words)
{
    const char *line = "";
    for (size_t i = 0; i < words->count; i++) {
        const char *quote = quote_for(words->item[i]);
        line = node_format("%s%s%s%s%s", line, i == 0 ? "" : " ", quote, words->item[i], quote);
    }
    return line;
}

/* 0 if `path` can be executed. */
static int is_program(const struct plan *plan, const char *path)
{
    struct stat status;
    int result = root_stat(&plan->root, path, &status);
    if (result == 0 && (!S_ISREG(status.st_mode) || (status.st_mode & 0111) == 0))
        result = -EACCES;
    return result;
}

/* As execvp(3) looks for it. 0 and the path, or what is wrong. */
static int find_program(const struct plan *plan, const char *name, const char **program)
{
    int reason = -ENOENT;
    if (strchr(name, '/') != NULL) {
        *program = name;
        return is_program(plan, name);
    }
    for (const char *at = COMMAND_PATH; *at != '\0';) {
        size_t length = strcspn(at, ":");
        const char *path = node_format("%.*s/%s", (int)length, at, name);
        int result = is_program(plan, path);
        if (result == 0) {
            *program = path;
            return 0;
        }
        reason = result == -ENOENT || result == -ENOTDIR ? reason : result;
        at += length + (at[length] == ':');
    }
    return reason;
}

int plan_command(struct plan *plan, struct node *parent, const char *name,
                 const struct word *command)
{
    struct strings words = {0};
    const char *program = NULL;
    int result = command_split(command->text, &words);
    if (result == -ENOMEM)
        (void)node_memory(NULL);
    struct node *list = node_strings(parent, name, &words);
    list->line = result < 0 ? command->text : plan_quoted(&words);
    if (result < 0)
        return result;
    result = find_program(plan, words.item[0], &program);
    if (program != NULL && plan_is_mounted(plan, "the program", program))
        return 0;
    return result;
}

/* What the id will be nobody knows here: NULL then. */
enum step_result plan_id(struct plan *plan)
{
    const struct word *command = &plan->options.uniqueid_exec;
    plan->boot.id = NO_ID;
    if (!boot_id_is_wanted(&plan->boot))
        return STEP_SKIPPED;
    int result = plan_command(plan, plan->facts, "command", command);
    node_number(plan->facts, "timeout_ms", plan->options.uniqueid_timeout_ms);
    errno = -result;
    if (result < 0) {
        log_at(LOG_WARNING, &command->origin, "id command '%s' failed, the id is " NO_ID ": %m",
               command->text);
        return STEP_WARNED;
    }
    plan->boot.id = NULL;
    if (plan->options.mounts.count > 0)
        plan_remark(plan, "beside mounts that wait for devices, if it can't need one of them");
    return STEP_DONE;
}

static const char *expand(const char *pattern, const char *id)
{
    char name[NAME_BYTES];
    hostname_expand(pattern, id, name, sizeof name);
    hostname_clean(name);
    return node_memory(arena_string(name));
}

/* NULL if it depends on the id. */
static const char *plan_pattern(struct plan *plan)
{
    const char *pattern = plan->options.hostname_pattern.text;
    const char *without_id = expand(pattern, NO_ID);
    node_text(plan->facts, "pattern", pattern);
    if (plan->boot.id != NULL) {
        plan_remark(plan, "the id is %s", plan->boot.id);
        return without_id;
    }
    node_text(plan->facts, "without_id", without_id);
    node_text(plan->facts, "for_example", expand(pattern, "0123456789abcdef"));
    return *without_id == '\0' ? "" : NULL;
}

enum step_result plan_hostname(struct plan *plan)
{
    const struct word *pattern = &plan->options.hostname_pattern;
    char line[NAME_BYTES] = "";
    const char *name = line;
    if (pattern->text != NULL) {
        name = plan_pattern(plan);
    } else {
        (void)file_read_line(node_format("%s/etc/hostname", plan->prefix), line, sizeof line);
        hostname_clean(line);
    }
    if (name != NULL && *name != '\0')
        node_text(plan->facts, "hostname", node_memory(arena_string(name)));
    if (name == NULL || *name != '\0')
        return STEP_DONE;
    if (pattern->text != NULL)
        log_at(LOG_WARNING, &pattern->origin, "'%s' gives no hostname, none is set", pattern->text);
    else
        log_warning("no hostname pattern and no name in /etc/hostname: no hostname is set");
    return STEP_WARNED;
}

enum step_result plan_prerun(struct plan *plan)
{
    const struct words *commands = &plan->options.pre_run_exec;
    if (commands->count == 0)
        return STEP_SKIPPED;
    struct node *list = node_list(plan->facts, "commands");
    for (size_t i = 0; i < commands->count; i++) {
        const struct word *word = &commands->item[i];
        int result = plan_command(plan, list, NULL, word);
        errno = -result;
        if (result < 0)
            log_at(LOG_WARNING, &word->origin, "'%s' can't be run: %m; the boot goes on",
                   word->text);
    }
    node_number(plan->facts, "timeout_ms", plan->options.command_timeout_ms);
    return STEP_DONE;
}
