/* SPDX-License-Identifier: MIT */
/* The plan for people. */
#include "erlinit/text.h"
#include "plan.h"

#define INDENT 4

struct out {
    bool coloured;
    FILE *to;
};

static const struct node *member(const struct node *object, const char *name)
{
    const struct node *node = object->first;
    while (node != NULL && !text_equal(node->name, name))
        node = node->next;
    return node;
}

static void write_line(const char *line, enum node_look look, const struct out *out)
{
    document_write_line(line, 0, look, out->coloured, out->to);
}

static void write_messages(const struct node *object, const struct out *out)
{
    const struct node *messages = member(object, "messages");
    for (const struct node *node = messages->first; node != NULL; node = node->next)
        document_write_line(node->line, INDENT, node->look, out->coloured, out->to);
}

static void write_part(const char *heading, const struct node *object, const struct out *out)
{
    if (object->kind != NODE_OBJECT)
        return;
    fputc('\n', out->to);
    write_line(heading, LOOK_STRONG, out);
    document_write_text(object, INDENT, out->coloured, out->to);
    write_messages(object, out);
}

static void write_step(const struct node *step, const struct out *out)
{
    static const enum node_look looks[] = {[STEP_DONE] = LOOK_STRONG,
                                           [STEP_SKIPPED] = LOOK_FAINT,
                                           [STEP_WARNED] = LOOK_WARNING,
                                           [STEP_FATAL] = LOOK_ERROR};
    const struct node *result = member(step, "result");
    const char *line = node_format("%s: %s", member(step, "name")->text, result->text);
    write_line(line, looks[result->number], out);
    document_write_text(member(step, "facts"), INDENT, out->coloured, out->to);
    write_messages(step, out);
}

void plan_write_text(const struct plan *plan, bool coloured, FILE *to)
{
    const struct out out = {coloured, to};
    const struct node *document = plan->document;
    const struct node *steps = member(document, "steps");
    const char *title = node_format("The boot of %s by erlinit %s", plan->request.root,
                                    member(document, "erlinit")->text);
    write_line(title, LOOK_STRONG, &out);
    write_part("configuration", member(document, "configuration"), &out);
    fputc('\n', to);
    for (const struct node *step = steps->first; step != NULL; step = step->next)
        write_step(step, &out);
    write_part("the VM", member(document, "vm"), &out);
    write_part("at the end", member(document, "end"), &out);
    bool boots = member(document, "boots")->number != 0;
    fputc('\n', to);
    write_line(boots ? "A VM is started." : "No VM is started: see the error above.",
               boots ? LOOK_STRONG : LOOK_ERROR, &out);
}
