/* SPDX-License-Identifier: MIT */
/*
 * Every life that a machine can have: from the start, all events at all moments that matter, until
 * no new state appears (times counted from now, so there are few). What must hold is checked at
 * every step. With --dot: the diagram of what was found, for the documentation.
 */
#include "erlinit/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STATES  4096
#define ACTIONS     3
#define EVENTS      (EVENT_BROKEN + 1)
#define NEVER       LIFECYCLE_NO_DEADLINE
#define MAX_MOMENTS 4

/* Times of all states: as if it were zero o'clock now. */
static struct lifecycle states[MAX_STATES];
static size_t state_count;
static struct lifecycle_settings settings;

struct step {
    struct lifecycle before, after;
    enum lifecycle_event event;
    enum action asked_for;
    int64_t now;
    unsigned int actions;
};

static const char *const event_names[] = {"VM started", "VM ended", "fatal error",
                                          "request",    "deadline", "broken"};

/* Not memcmp(3): what is between the members does not count. */
static bool same(const struct lifecycle *a, const struct lifecycle *b)
{
    return a->phase == b->phase && a->action == b->action && a->requested == b->requested &&
           a->fatal == b->fatal && a->vm_gone == b->vm_gone && a->asked == b->asked &&
           a->hurry == b->hurry && a->requested_at_ms == b->requested_at_ms &&
           a->ended_at_ms == b->ended_at_ms && a->deadline_ms == b->deadline_ms;
}

static void fail_at(const struct step *step, const char *rule)
{
    fail_msg("%s: phase %d (asked %d, hurry %d, deadline %lld) --%s at %lld--> phase %d "
             "(deadline %lld), actions %u; grace %lld, budget %lld",
             rule, step->before.phase, step->before.asked, step->before.hurry,
             (long long)step->before.deadline_ms, event_names[step->event], (long long)step->now,
             step->after.phase, (long long)step->after.deadline_ms, step->actions,
             (long long)settings.stop_grace_ms, (long long)settings.graceful_ms);
}

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_at(step, #condition);                                                             \
    } while (0)

/* Either there is a VM (or a boot on its way to one), or the machine is going down. */
static void check_there_is_a_plan(const struct step *step)
{
    const struct lifecycle *after = &step->after;
    if (after->vm_gone || after->fatal)
        HOLDS(after->phase == PHASE_ENDING);
    if (after->phase == PHASE_BOOTING || after->phase == PHASE_RUNNING)
        HOLDS(!after->requested && after->deadline_ms == NEVER);
    if (after->phase == PHASE_STOPPING)
        HOLDS(after->requested && after->deadline_ms != NEVER);
    if (after->phase == PHASE_ENDING)
        HOLDS(after->deadline_ms == NEVER);
    HOLDS(after->phase >= step->before.phase);
    HOLDS(((step->actions & ACT_SHUT_DOWN) != 0) ==
          (after->phase == PHASE_ENDING && step->before.phase != PHASE_ENDING));
    if ((step->actions & ACT_SHUT_DOWN) != 0)
        HOLDS(after->ended_at_ms == step->now);
}

/* The VM is told once, pages are written back once, and the budget starts with the first request.
 */
static void check_graces(const struct step *step)
{
    const struct lifecycle *before = &step->before;
    const struct lifecycle *after = &step->after;
    HOLDS(((step->actions & ACT_ASK_VM) != 0) == (after->asked && !before->asked));
    HOLDS(((step->actions & ACT_LATE) != 0) ==
          (after->phase == PHASE_RUNNING && before->phase != PHASE_RUNNING));
    HOLDS(((step->actions & ACT_FLUSH) != 0) ==
          (after->phase == PHASE_STOPPING && before->phase != PHASE_STOPPING));
    if (after->phase != PHASE_STOPPING)
        return;
    HOLDS(after->deadline_ms <= after->requested_at_ms + settings.graceful_ms);
    if (before->phase == PHASE_STOPPING)
        HOLDS(after->requested_at_ms == before->requested_at_ms);
    if (before->phase == PHASE_STOPPING && after->deadline_ms != before->deadline_ms)
        HOLDS(step->event == EVENT_DEADLINE && after->asked && !before->asked &&
              after->deadline_ms > before->deadline_ms);
    /* to be told and not to be given any time would be of no use */
    if (before->phase == PHASE_STOPPING && after->asked && !before->asked)
        HOLDS(after->deadline_ms > before->deadline_ms);
    if (before->phase == PHASE_BOOTING || settings.stop_grace_ms == 0)
        HOLDS(after->asked);
    if (after->asked)
        HOLDS(after->deadline_ms == after->requested_at_ms + settings.graceful_ms);
    else
        HOLDS(after->deadline_ms - after->requested_at_ms == settings.stop_grace_ms ||
              settings.stop_grace_ms >= settings.graceful_ms);
}

/* A request decides, whatever comes before or after it, and makes nothing later than it was. */
static void check_requests(const struct step *step)
{
    const struct lifecycle *before = &step->before;
    const struct lifecycle *after = &step->after;
    if (step->event == EVENT_REQUEST) {
        HOLDS(after->requested && after->action == step->asked_for);
        HOLDS(after->hurry == before->requested);
        HOLDS(after->fatal == before->fatal);
        HOLDS(after->phase == PHASE_STOPPING || after->phase == PHASE_ENDING);
        HOLDS(after->requested_at_ms == (before->requested ? before->requested_at_ms : step->now));
        if (before->phase == PHASE_STOPPING)
            HOLDS(after->phase == PHASE_ENDING);
        return;
    }
    HOLDS(after->requested == before->requested && after->hurry == before->hurry);
    if (before->requested)
        HOLDS(after->action == before->action);
}

static void check_ends(const struct step *step)
{
    const struct lifecycle *before = &step->before;
    const struct lifecycle *after = &step->after;
    bool fault = step->event == EVENT_FATAL || step->event == EVENT_BROKEN;
    HOLDS(after->vm_gone == (before->vm_gone || step->event == EVENT_VM_ENDED));
    if (before->phase == PHASE_ENDING) {
        HOLDS(step->actions == 0 && after->ended_at_ms == before->ended_at_ms);
        HOLDS(after->fatal == before->fatal);
        HOLDS(step->event == EVENT_REQUEST || after->action == before->action);
        return;
    }
    HOLDS(after->fatal == fault);
    if (fault || step->event == EVENT_VM_ENDED)
        HOLDS(after->phase == PHASE_ENDING);
    if (fault && !before->requested)
        HOLDS(after->action == settings.on_fatal);
    if (step->event == EVENT_VM_ENDED && !before->requested)
        HOLDS(after->action == settings.on_exit);
    if (step->event == EVENT_VM_STARTED)
        HOLDS(after->phase == (before->phase == PHASE_BOOTING ? PHASE_RUNNING : before->phase));
    if (step->event == EVENT_DEADLINE && step->now < before->deadline_ms)
        HOLDS(same(before, after) && step->actions == 0);
    if (step->event == EVENT_DEADLINE && step->now >= before->deadline_ms)
        HOLDS(after->phase == PHASE_ENDING || (after->asked && !before->asked));
}

static struct step take(const struct lifecycle *state, enum lifecycle_event event,
                        enum action asked_for, int64_t now)
{
    struct step step = {.before = *state, .event = event, .asked_for = asked_for, .now = now};
    step.actions = ~0U;
    step.after = lifecycle_next(state, &settings, event, asked_for, now, &step.actions);
    return step;
}

/* With nothing but the timer, which is never early, the end comes within the budget. */
static void check_budget(const struct lifecycle *from)
{
    struct lifecycle state = *from;
    for (int fired = 0; state.phase == PHASE_STOPPING; fired++) {
        assert_true(fired < 2);
        int64_t now = state.deadline_ms < 0 ? 0 : state.deadline_ms;
        struct step step = take(&state, EVENT_DEADLINE, ACTION_REBOOT, now);
        state = step.after;
        int64_t budget = state.requested_at_ms + settings.graceful_ms;
        if (state.phase == PHASE_ENDING)
            assert_true(state.ended_at_ms <= (budget < 0 ? 0 : budget));
    }
}

/* Moves zero o'clock to `now`, and forgets times that mean nothing (any more). */
static struct lifecycle relative(struct lifecycle state, int64_t now)
{
    state.requested_at_ms =
        state.requested && state.phase == PHASE_STOPPING ? state.requested_at_ms - now : 0;
    state.ended_at_ms = 0;
    if (state.deadline_ms != NEVER)
        state.deadline_ms -= now;
    return state;
}

static void remember(const struct lifecycle *state)
{
    for (size_t i = 0; i < state_count; i++)
        if (same(&states[i], state))
            return;
    assert_true(state_count < MAX_STATES);
    states[state_count++] = *state;
}

/* Now; right before, at and after the deadline. A clock that runs on without a deadline, or long
 * after one, changes nothing but numbers. */
static size_t moments_of(const struct lifecycle *state, int64_t moments[MAX_MOMENTS])
{
    size_t count = 0;
    moments[count++] = 0;
    if (state->deadline_ms == NEVER) {
        moments[count++] = 1;
        return count;
    }
    for (int64_t offset = -1; offset <= 1; offset++)
        if (state->deadline_ms + offset > 0)
            moments[count++] = state->deadline_ms + offset;
    return count;
}

static void check_step(const struct step *step)
{
    check_there_is_a_plan(step);
    check_graces(step);
    check_requests(step);
    check_ends(step);
}

/* All steps out of all states, until no state is new. `visit` sees each step. */
static void explore(void (*visit)(const struct step *step))
{
    struct lifecycle start = lifecycle_start();
    state_count = 0;
    remember(&start);
    for (size_t i = 0; i < state_count; i++) {
        int64_t moments[MAX_MOMENTS];
        size_t moment_count = moments_of(&states[i], moments);
        for (int event = 0; event < EVENTS; event++)
            for (int asked_for = 0; asked_for < (event == EVENT_REQUEST ? ACTIONS : 1); asked_for++)
                for (size_t m = 0; m < moment_count; m++) {
                    struct step step = take(&states[i], (enum lifecycle_event)event,
                                            (enum action)asked_for, moments[m]);
                    visit(&step);
                    struct lifecycle next = relative(step.after, step.now);
                    remember(&next);
                }
    }
}

static const int64_t times[][2] = {{3, 7}, {0, 7}, {1, 2}, {6, 7}, {7, 7}, {9, 7}, {0, 1}, {1, 1}};

static void every_life_ends_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        for (int pair = 0; pair < ACTIONS * ACTIONS; pair++) {
            settings = (struct lifecycle_settings){.stop_grace_ms = times[i][0],
                                                   .graceful_ms = times[i][1],
                                                   .on_exit = (enum action)(pair / ACTIONS),
                                                   .on_fatal = (enum action)(pair % ACTIONS)};
            explore(check_step);
            for (size_t s = 0; s < state_count; s++)
                check_budget(&states[s]);
            /* that the search went anywhere: all phases, requests in each */
            assert_in_range(state_count, 30, MAX_STATES);
        }
}

static void starts_with_a_boot(void **state)
{
    (void)state;
    struct lifecycle start = lifecycle_start();
    assert_int_equal(start.phase, PHASE_BOOTING);
    assert_true(start.deadline_ms == NEVER);
    assert_false(start.requested || start.fatal || start.vm_gone || start.asked || start.hurry);
}

/* One life with the numbers of the clock, as a person would tell it. */
static void stops_a_vm_that_does_not_listen(void **state)
{
    (void)state;
    settings = (struct lifecycle_settings){.stop_grace_ms = 100, .graceful_ms = 10000};
    struct lifecycle life = lifecycle_start();
    life = take(&life, EVENT_VM_STARTED, ACTION_REBOOT, 1000).after;
    assert_int_equal(life.phase, PHASE_RUNNING);
    struct step step = take(&life, EVENT_REQUEST, ACTION_POWEROFF, 50000);
    assert_int_equal(step.actions, ACT_FLUSH);
    assert_int_equal(step.after.deadline_ms, 50100);
    step = take(&step.after, EVENT_DEADLINE, ACTION_REBOOT, 50100);
    assert_int_equal(step.actions, ACT_ASK_VM);
    assert_int_equal(step.after.deadline_ms, 60000);
    step = take(&step.after, EVENT_DEADLINE, ACTION_REBOOT, 60001);
    assert_int_equal(step.actions, ACT_SHUT_DOWN);
    assert_int_equal(step.after.action, ACTION_POWEROFF);
    assert_int_equal(step.after.ended_at_ms, 60001);
    assert_false(step.after.vm_gone);
}

/* ---- the diagram ---- */

static const char *node_of(const struct lifecycle *state)
{
    static const char *const names[] = {"booting", "running", "stopping", "ending"};
    if (state->phase == PHASE_STOPPING)
        return state->asked ? "told to stop" : "about to stop";
    return names[state->phase];
}

static void draw(const struct step *step)
{
    static char drawn[64][160];
    static size_t count;
    static const char *const action_names[] = {[0] = "",
                                               [ACT_ASK_VM] = "tell the VM",
                                               [ACT_FLUSH] = "write back",
                                               [ACT_FLUSH | ACT_ASK_VM] = "write back, tell the VM",
                                               [ACT_SHUT_DOWN] = "shut down",
                                               [ACT_LATE] = "start the late process"};
    char line[160];
    const char *from = node_of(&step->before);
    const char *to = node_of(&step->after);
    if (from == to)
        return;
    (void)snprintf(line, sizeof line, "    \"%s\" -> \"%s\" [label=\"%s%s%s\"];", from, to,
                   event_names[step->event], step->actions == 0 ? "" : "\\n",
                   action_names[step->actions]);
    for (size_t i = 0; i < count; i++)
        if (strcmp(drawn[i], line) == 0)
            return;
    if (count == sizeof drawn / sizeof drawn[0])
        abort();
    memcpy(drawn[count++], line, sizeof line);
    puts(line);
}

static int print_diagram(void)
{
    puts("// Made by tests/unit/test_lifecycle --dot from every life that src/supervise allows.");
    puts("digraph lifecycle {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n"
         "    \"ending\" [peripheries=2];");
    settings =
        (struct lifecycle_settings){.stop_grace_ms = times[0][0], .graceful_ms = times[0][1]};
    explore(draw);
    puts("}");
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "--dot") == 0)
        return print_diagram();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_with_a_boot),
        cmocka_unit_test(every_life_ends_well),
        cmocka_unit_test(stops_a_vm_that_does_not_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
