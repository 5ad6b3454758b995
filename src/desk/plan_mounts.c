/* SPDX-License-Identifier: MIT */
/* File systems: those of every boot, and those of --mount. */
#include "../boot/pseudofs.h"
#include "erlinit/text.h"
#include "plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static const char *join(const struct strings *words, const char *separator)
{
    const char *line = "";
    for (size_t i = 0; i < words->count; i++)
        line = node_format("%s%s%s", line, i == 0 ? "" : separator, words->item[i]);
    return line;
}

static bool covers(const char *target, const char *path)
{
    size_t length = strlen(target);
    return strncmp(target, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

const char *plan_mount_above(const struct plan *plan, const char *path)
{
    const char *found = NULL;
    for (size_t i = 0; i < plan->mounted.count; i++) {
        const char *target = plan->mounted.item[i];
        if (covers(target, path) && (found == NULL || strlen(target) >= strlen(found)))
            found = target;
    }
    return found;
}

bool plan_is_mounted(struct plan *plan, const char *what, const char *path)
{
    const char *target = plan_mount_above(plan, path);
    if (target == NULL)
        return false;
    plan_remark(plan, "%s, %s, is on what is mounted at %s: the tree can't tell", what, path,
                target);
    return true;
}

/* Only a new mount hides what the tree has there. */
static void note_target(struct plan *plan, const struct mount_spec *spec)
{
    bool hides = (spec->flags & MS_REMOUNT) == 0 && spec->propagation == 0;
    if (hides && strings_add(&plan->mounted, spec->target) < 0)
        (void)node_memory(NULL);
}

static void add_mount(struct plan *plan, struct node *list, const struct mount_spec *spec)
{
    struct strings flags = {0};
    if (mount_flag_names(spec, &flags) < 0)
        (void)node_memory(NULL);
    struct node *mount = node_object(list, NULL);
    node_text(mount, "source", spec->source);
    node_text(mount, "target", spec->target);
    node_text(mount, "type", spec->type);
    node_strings(mount, "flags", &flags);
    node_text(mount, "data", spec->data);
    const char *names = join(&flags, ",");
    const char *comma = *names != '\0' && *spec->data != '\0' ? "," : "";
    bool bare = *names == '\0' && *spec->data == '\0';
    mount->line = node_format("%s on %s type %s (%s%s%s)", spec->source, spec->target, spec->type,
                              bare ? "defaults" : names, comma, spec->data);
    note_target(plan, spec);
}

static void add_pseudofs(struct plan *plan, struct node *list, const struct pseudofs *fs,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct mount_spec spec = {.source = fs[i].type,
                                        .target = fs[i].target,
                                        .type = fs[i].type,
                                        .flags = fs[i].flags,
                                        .data = fs[i].data == NULL ? "" : fs[i].data};
        add_mount(plan, list, &spec);
    }
}

enum step_result plan_pseudofs(struct plan *plan)
{
    struct node *list = node_list(plan->facts, "mounts");
    add_pseudofs(plan, list, pseudofs_kernel, PSEUDOFS_KERNEL);
    add_pseudofs(plan, list, &pseudofs_dev, 1);
    add_pseudofs(plan, list, pseudofs_in_dev, PSEUDOFS_IN_DEV);
    return STEP_DONE;
}

enum step_result plan_scratch(struct plan *plan)
{
    add_pseudofs(plan, node_list(plan->facts, "mounts"), pseudofs_scratch, PSEUDOFS_SCRATCH);
    return STEP_DONE;
}

static void look_at_source(struct plan *plan, const struct word *word,
                           const struct mount_spec *spec)
{
    struct stat status;
    if ((spec->flags & (MS_BIND | MS_MOVE)) == 0 || plan_mount_above(plan, spec->source) != NULL)
        return;
    int result = root_stat(&plan->root, spec->source, &status);
    errno = -result;
    if (result < 0)
        plan_say(plan, LOG_WARNING, &word->origin, "%s: %m; it can't be mounted", spec->source);
}

static void plan_mount(struct plan *plan, struct node *list, const struct word *word)
{
    const char *problem = NULL;
    const char *unknown = NULL;
    struct mount_spec spec;
    int result = mount_parse(word->text, &spec, &problem, &unknown);
    if (result == -ENOMEM)
        (void)node_memory(NULL);
    if (result < 0) {
        log_at(LOG_WARNING, &word->origin, "mount '%s' is left out: %s", word->text, problem);
        return;
    }
    if (unknown != NULL)
        log_at(LOG_WARNING, &word->origin, "mount flag '%s' is unknown and left out", unknown);
    look_at_source(plan, word, &spec);
    add_mount(plan, list, &spec);
}

enum step_result plan_mounts(struct plan *plan)
{
    const struct words *mounts = &plan->options.mounts;
    struct node *list = node_list(plan->facts, "mounts");
    for (size_t i = 0; i < mounts->count; i++)
        plan_mount(plan, list, &mounts->item[i]);
    if (mounts->count == 0)
        return STEP_SKIPPED;
    node_number(plan->facts, "timeout_ms", plan->options.mount_timeout_ms);
    return STEP_DONE;
}
