/* SPDX-License-Identifier: MIT */
/* What the boot would log, and what the plan adds to it. */
#include "erlinit/text.h"
#include "plan.h"

#include <stdarg.h>

#define TEXT_BYTES 4096

/* The log has one sink, and no context for it. */
static struct plan *listener;

static const char *severity_name(enum log_severity severity)
{
    return severity <= LOG_ERROR ? "error" : severity == LOG_WARNING ? "warning" : "note";
}

static enum node_look look_of(enum log_severity severity)
{
    return severity <= LOG_ERROR ? LOOK_ERROR : severity == LOG_WARNING ? LOOK_WARNING : LOOK_FAINT;
}

/* Adds the place to the message, and returns it as text. */
static const char *add_place(struct node *message, const struct origin *origin)
{
    if (origin == NULL || origin->column == 0)
        return "";
    if (origin->file == NULL) {
        node_number(message, "argument", origin->column);
        return node_format("kernel command line, argument %u: ", origin->column);
    }
    node_text(message, "file", origin->file);
    node_number(message, "line", origin->line);
    node_number(message, "column", origin->column);
    return node_format("%s:%u:%u: ", origin->file, origin->line, origin->column);
}

static void add_message(struct plan *plan, enum log_severity severity, const struct origin *origin,
                        const char *text)
{
    struct node *message = node_object(plan->messages, NULL);
    const char *name = severity_name(severity);
    node_text(message, "severity", name);
    const char *place = add_place(message, origin);
    text = node_memory(arena_string(text));
    node_text(message, "text", text);
    message->line = node_format("%s%s: %s", place, name, text);
    message->look = look_of(severity);
    plan->warned = plan->warned || severity <= LOG_WARNING;
}

static void take_line(enum log_severity severity, const struct origin *origin, const char *text)
{
    if (severity <= LOG_WARNING)
        add_message(listener, severity, origin, text);
}

void plan_take_log(struct plan *plan)
{
    listener = plan;
    log_set_sink(take_line);
}

void plan_say(struct plan *plan, enum log_severity severity, const struct origin *origin,
              const char *format, ...)
{
    TEXT_ON_STACK(text, TEXT_BYTES);
    va_list arguments;
    va_start(arguments, format);
    (void)text_vformat(&text, format, arguments);
    va_end(arguments);
    add_message(plan, severity, origin, text.at);
}
