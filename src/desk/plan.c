/* SPDX-License-Identifier: MIT */
/* --plan: what was asked for, and the loop over the boot's own tables. */
#include "plan.h"

#include "erlinit/desk.h"
#include "erlinit/files.h"
#include "erlinit/text.h"

#include "uses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USE "--plan"

static const struct {
    const char *name; /* as in boot.c */
    enum step_result (*run)(struct plan *plan);
} planners[] = {
    {"root-device", plan_rootdevice},
    {"overlay", plan_overlay},
    {"pseudo-file-systems", plan_pseudofs},
    {"console", plan_console},
    {"rootdisk-links", plan_rootdisk},
    {"scratch", plan_scratch},
    {"mounts", plan_mounts},
    {"clock", plan_clock},
    {"identity", plan_identity},
    {"release", plan_release},
    {"core-pattern", plan_corepattern},
    {"loopback", plan_loopback},
    {"id-command", plan_id},
    {"hostname", plan_hostname},
    {"working-directory", plan_workdir},
    {"entropy", plan_entropy},
    {"pre-run", plan_prerun},
    {"limits", plan_limits},
};

/* A step that nobody taught the plan is there all the same. */
static enum step_result plan_unknown(struct plan *plan)
{
    plan_remark(plan, "what this step does isn't known to --plan");
    return STEP_DONE;
}

static enum step_result run_planner(struct plan *plan, const char *name)
{
    for (size_t i = 0; i < sizeof planners / sizeof planners[0]; i++)
        if (text_equal(planners[i].name, name))
            return planners[i].run(plan);
    return plan_unknown(plan);
}

/* What is found out from now on is a part of `object`. */
static void begin(struct plan *plan, struct node *object)
{
    plan->facts = object;
    plan->messages = node_hide(node_list(object, "messages"));
    plan->warned = false;
}

static bool plan_step(struct plan *plan, struct node *steps, const char *name, bool child)
{
    struct node *step = node_object(steps, NULL);
    node_text(step, "name", name);
    node_text(step, "process", child ? "boot" : "init");
    struct node *said = node_text(step, "result", "");
    begin(plan, step);
    plan->facts = node_object(step, "facts");
    enum step_result result = run_planner(plan, name);
    if (result < STEP_WARNED && plan->warned)
        result = STEP_WARNED;
    said->text = boot_result_name(result);
    said->number = result; /* how it looks */
    return result != STEP_FATAL;
}

/* False if the boot ends in a fatal error. */
static bool plan_steps(struct plan *plan)
{
    struct node *steps = node_list(plan->document, "steps");
    for (const struct boot_step *step = boot_early_steps; step->name != NULL; step++)
        (void)plan_step(plan, steps, step->name, false);
    for (const struct boot_step *step = boot_steps; step->name != NULL; step++)
        if (!plan_step(plan, steps, step->name, true))
            return false;
    return true;
}

static bool make_plan(struct plan *plan)
{
    bool boots = plan_steps(plan);
    struct node *vm = node_object(plan->document, "vm");
    begin(plan, vm);
    if (boots)
        boots = plan_vm(plan) != STEP_FATAL;
    else
        vm->kind = NODE_NULL;
    struct node *end = node_object(plan->document, "end");
    begin(plan, end);
    plan_end(plan, !boots);
    node_truth(plan->document, "boots", boots);
    return boots;
}

static int read_request(int argc, char *argv[], struct plan_request *request)
{
    enum { ROOT, CMDLINE, CONFIG, FORMAT, VALUES }; /* as desk.c has them */
    const char *values[VALUES] = {[CMDLINE] = "", [FORMAT] = "text"};
    struct strings none = {0};
    int result = desk_read_arguments(USE, argc, argv, values, &none);
    if (result != DESK_OK)
        return result;
    bool json = strcmp(values[FORMAT], "json") == 0;
    if (!json && strcmp(values[FORMAT], "text") != 0)
        return desk_misuse(USE, "the format is text or json, not %s", values[FORMAT]);
    if (values[ROOT] == NULL)
        return desk_misuse(USE, "of which root file system? --root DIR");
    *request = (struct plan_request){
        .root = values[ROOT], .cmdline = values[CMDLINE], .config = values[CONFIG], .json = json};
    return DESK_OK;
}

static int enter_root(struct plan *plan)
{
    const char *whole = realpath(plan->request.root, NULL);
    int reason = 0;
    int result = root_enter(plan->request.root, &plan->root, &reason);
    if (result < 0 || whole == NULL) {
        errno = result < 0 ? -result : errno;
        return desk_misuse(USE, "%s: %s", plan->request.root, strerror(errno));
    }
    plan->prefix = plan->root.entered ? "" : whole;
    if (reason != 0) {
        errno = reason;
        plan_remark(plan, "can't enter the tree: %m; absolute links in it lead outside");
    }
    return DESK_OK;
}

static int configure(struct plan *plan)
{
    struct node *configuration = node_object(plan->document, "configuration");
    begin(plan, configuration);
    plan_take_log(plan);
    /* a path of the desk is not one of the tree */
    if (plan->request.config == NULL) {
        int result = enter_root(plan);
        if (result == DESK_OK)
            plan_configure(plan);
        return result;
    }
    if (access(plan->request.config, R_OK) < 0)
        return desk_misuse(USE, "%s: %s", plan->request.config, strerror(errno));
    plan_configure(plan);
    return enter_root(plan);
}

int desk_plan(int argc, char *argv[])
{
    static struct plan plan; /* the log keeps it */
    int result = read_request(argc, argv, &plan.request);
    if (result != DESK_OK)
        return result;
    plan.document = node_object(NULL, NULL);
    node_text(plan.document, "erlinit", ERLINIT_VERSION);
    node_text(plan.document, "root", plan.request.root);
    result = configure(&plan);
    if (result != DESK_OK)
        return result;
    bool boots = make_plan(&plan);
    if (plan.request.json)
        document_write_json(plan.document, stdout);
    else
        plan_write_text(&plan, document_is_coloured(stdout), stdout);
    return boots ? DESK_OK : DESK_FINDINGS;
}
