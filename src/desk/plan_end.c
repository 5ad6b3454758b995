/* SPDX-License-Identifier: MIT */
/* What happens when the VM has ended, when somebody asks, and when there is no VM. */
#include "erlinit/shutdown.h"
#include "plan.h"

#include <errno.h>

static void plan_exit(struct plan *plan)
{
    const struct options *options = &plan->options;
    const struct word *command = &options->run_on_exit;
    struct node *unasked = node_object(plan->facts, "vm_exits");
    if (command->text != NULL) {
        int result = plan_command(plan, unasked, "command", command);
        errno = -result;
        if (result < 0)
            log_at(LOG_WARNING, &command->origin, "--run-on-exit %s: %m. Shutting down now",
                   command->text);
        node_number(unasked, "command_timeout_ms", options->command_timeout_ms);
    }
    node_text(unasked, "action", shutdown_action_name(options->on_exit));
    if (options->on_exit != ACTION_REBOOT)
        node_number(unasked, "pause_ms", options->exit_pause_ms);
}

/* The VM may be leaving already: it is told only if there is time left after the grace. */
static void plan_request(struct plan *plan)
{
    const struct options *options = &plan->options;
    struct node *asked = node_object(plan->facts, "somebody_asks");
    if (options->stop_grace_ms < options->graceful_shutdown_timeout_ms)
        node_number(asked, "sigterm_after_ms", options->stop_grace_ms);
    else
        node_text(asked, "sigterm_after_ms", NULL);
    node_number(asked, "timeout_ms", options->graceful_shutdown_timeout_ms);
}

static void plan_fatal(struct plan *plan)
{
    const struct options *options = &plan->options;
    struct node *fatal = node_object(plan->facts, "fatal_error");
    node_text(fatal, "action", shutdown_action_name(options->on_fatal));
    if (options->on_fatal == ACTION_REBOOT)
        node_number(fatal, "not_before_ms", options->reboot_min_uptime_ms);
}

static void plan_shutdown(struct plan *plan)
{
    const struct options *options = &plan->options;
    struct node *shutdown = node_object(plan->facts, "shutdown");
    node_number(shutdown, "timeout_ms", options->shutdown_timeout_ms);
    node_number(shutdown, "term_grace_ms", options->term_grace_ms);
    node_number(shutdown, "kill_timeout_ms", options->kill_timeout_ms);
    node_number(shutdown, "step_timeout_ms", options->step_timeout_ms);
    node_number(shutdown, "reboot_timeout_ms", options->reboot_timeout_ms);
    struct node *steps = node_hide(node_list(shutdown, "steps"));
    for (const struct shutdown_step *step = shutdown_steps; step->name != NULL; step++)
        node_text(steps, NULL, step->name);
    node_text(shutdown, "report", options->shutdown_report.text);
    if (options->shutdown_report.text != NULL)
        node_number(shutdown, "reports_kept", options->report_keep);
    node_text(shutdown, "seed", node_format("%s/seedrng", options->state_directory.text));
}

void plan_end(struct plan *plan, bool fatal)
{
    if (!fatal) {
        plan_request(plan);
        plan_exit(plan);
    }
    plan_fatal(plan);
    plan_shutdown(plan);
}
