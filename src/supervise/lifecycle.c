/* SPDX-License-Identifier: MIT */
#include "erlinit/lifecycle.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct lifecycle lifecycle_start(void)
{
    return (struct lifecycle){.phase = PHASE_BOOTING, .deadline_ms = LIFECYCLE_NO_DEADLINE};
}

static void end(struct lifecycle *next, int64_t now_ms, unsigned int *actions)
{
    next->phase = PHASE_ENDING;
    next->ended_at_ms = now_ms;
    next->deadline_ms = LIFECYCLE_NO_DEADLINE;
    *actions |= ACT_SHUT_DOWN;
}

static void end_by_fault(struct lifecycle *next, const struct lifecycle_settings *settings,
                         int64_t now_ms, unsigned int *actions)
{
    next->fatal = true;
    if (!next->requested)
        next->action = settings->on_fatal;
    end(next, now_ms, actions);
}

static void ask_vm(struct lifecycle *next, const struct lifecycle_settings *settings,
                   unsigned int *actions)
{
    next->asked = true;
    next->deadline_ms = next->requested_at_ms + settings->graceful_ms;
    *actions |= ACT_ASK_VM;
}

/* The first request. The VM may have asked itself and be about to leave: it is given a moment
 * before it is told. While booting there is no application that could have asked: tell at once; a
 * boot child simply dies of it. */
static void begin_stop(struct lifecycle *next, const struct lifecycle_settings *settings,
                       int64_t now_ms, unsigned int *actions)
{
    bool booting = next->phase == PHASE_BOOTING;
    next->phase = PHASE_STOPPING;
    next->requested_at_ms = now_ms;
    next->deadline_ms = now_ms + earlier(settings->stop_grace_ms, settings->graceful_ms);
    *actions |= ACT_FLUSH;
    if (booting || settings->stop_grace_ms == 0)
        ask_vm(next, settings, actions);
}

static void on_request(struct lifecycle *next, const struct lifecycle_settings *settings,
                       enum action asked_for, int64_t now_ms, unsigned int *actions)
{
    bool again = next->requested;
    next->requested = true;
    next->action = asked_for;
    if (again)
        next->hurry = true;
    if (next->phase == PHASE_ENDING)
        next->requested_at_ms = again ? next->requested_at_ms : now_ms;
    else if (next->phase == PHASE_STOPPING)
        end(next, now_ms, actions);
    else
        begin_stop(next, settings, now_ms, actions);
}

static void on_deadline(struct lifecycle *next, const struct lifecycle_settings *settings,
                        int64_t now_ms, unsigned int *actions)
{
    if (next->phase != PHASE_STOPPING || now_ms < next->deadline_ms)
        return;
    if (!next->asked && settings->stop_grace_ms < settings->graceful_ms)
        ask_vm(next, settings, actions);
    else
        end(next, now_ms, actions);
}

static void on_vm_ended(struct lifecycle *next, const struct lifecycle_settings *settings,
                        int64_t now_ms, unsigned int *actions)
{
    next->vm_gone = true;
    if (next->phase == PHASE_ENDING)
        return;
    next->stopped = next->phase == PHASE_STOPPING;
    if (!next->requested)
        next->action = settings->on_exit;
    end(next, now_ms, actions);
}

struct lifecycle lifecycle_next(const struct lifecycle *state,
                                const struct lifecycle_settings *settings,
                                enum lifecycle_event event, enum action asked_for, int64_t now_ms,
                                unsigned int *actions)
{
    struct lifecycle next = *state;
    *actions = 0;
    switch (event) {
    case EVENT_VM_STARTED:
        if (next.phase == PHASE_BOOTING) {
            next.phase = PHASE_RUNNING;
            *actions |= ACT_LATE;
        }
        break;
    case EVENT_VM_ENDED:
        on_vm_ended(&next, settings, now_ms, actions);
        break;
    case EVENT_FATAL:
    case EVENT_BROKEN:
        if (next.phase != PHASE_ENDING)
            end_by_fault(&next, settings, now_ms, actions);
        break;
    case EVENT_REQUEST:
        on_request(&next, settings, asked_for, now_ms, actions);
        break;
    case EVENT_DEADLINE:
        on_deadline(&next, settings, now_ms, actions);
        break;
    }
    return next;
}
