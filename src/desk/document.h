/* SPDX-License-Identifier: MIT */
/*
 * What a use of the desk has to say, once: written as text for people or as JSON for programs. A
 * document is a tree of nodes in the arena. Strings are borrowed, and must live as long as it. At
 * the desk there is memory, or nothing: without it the program ends with DESK_MISUSE.
 */
#ifndef DESK_DOCUMENT_H
#define DESK_DOCUMENT_H

#include "erlinit/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum node_kind { NODE_OBJECT, NODE_LIST, NODE_TEXT, NODE_NUMBER, NODE_TRUTH, NODE_NULL };

/* How the text looks on a terminal. */
enum node_look { LOOK_PLAIN, LOOK_STRONG, LOOK_FAINT, LOOK_WARNING, LOOK_ERROR };

struct node {
    const char *name; /* in an object, NULL in a list */
    enum node_kind kind;
    enum node_look look;
    const char *text; /* NODE_TEXT */
    long long number; /* NODE_NUMBER, NODE_TRUTH */
    /* For people. An object or a list with a line is shown as that line and nothing else. */
    const char *line;
    bool hidden; /* not for people: they have read it elsewhere */
    struct node *first, *last, *next;
};

/* Each adds a node to `parent` (NULL: a new tree) and returns it. A text that is NULL is null. */
struct node *node_object(struct node *parent, const char *name);
struct node *node_list(struct node *parent, const char *name);
struct node *node_text(struct node *parent, const char *name, const char *text);
struct node *node_number(struct node *parent, const char *name, long long number);
struct node *node_truth(struct node *parent, const char *name, bool truth);
/* A list of texts. */
struct node *node_strings(struct node *parent, const char *name, const struct strings *strings);

struct node *node_hide(struct node *node);
/* arena_format() and the like, without the NULL. */
void *node_memory(void *memory);
#define node_format(...) ((const char *)node_memory(arena_format(__VA_ARGS__)))

/* For programs, as json.h has it. */
void document_write_json(const struct node *root, FILE *to);

/*
 * For people: the members of an object as "name  value" with the values in one column, `indent`
 * spaces in front. Bytes that a terminal could take for control are shown as \xNN.
 */
void document_write_text(const struct node *object, int indent, bool coloured, FILE *to);

/* A line of its own. */
void document_write_line(const char *line, int indent, enum node_look look, bool coloured,
                         FILE *to);

/* Whether `to` is a terminal that shows colours (https://no-color.org). */
bool document_is_coloured(FILE *to);

#endif
