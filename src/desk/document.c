/* SPDX-License-Identifier: MIT */
/* The tree, and how it looks to people. */
#include "document.h"

#include "erlinit/desk.h"
#include "erlinit/json.h"
#include "erlinit/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_COLUMNS     20 /* the values begin behind */
#define MILLISECONDS     "_ms"
#define JSON_FIRST_BYTES ((size_t)64 * 1024)

void *node_memory(void *memory)
{
    if (memory == NULL) {
        fputs("erlinit: no memory\n", stderr);
        exit(DESK_MISUSE);
    }
    return memory;
}

static struct node *add(struct node *parent, const char *name, enum node_kind kind)
{
    struct node *node = node_memory(arena_alloc(sizeof *node));
    *node = (struct node){.name = name, .kind = kind};
    if (parent == NULL)
        return node;
    if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    return node;
}

struct node *node_object(struct node *parent, const char *name)
{
    return add(parent, name, NODE_OBJECT);
}

struct node *node_list(struct node *parent, const char *name)
{
    return add(parent, name, NODE_LIST);
}

struct node *node_text(struct node *parent, const char *name, const char *text)
{
    struct node *node = add(parent, name, text == NULL ? NODE_NULL : NODE_TEXT);
    node->text = text;
    return node;
}

struct node *node_number(struct node *parent, const char *name, long long number)
{
    struct node *node = add(parent, name, NODE_NUMBER);
    node->number = number;
    return node;
}

struct node *node_truth(struct node *parent, const char *name, bool truth)
{
    struct node *node = add(parent, name, NODE_TRUTH);
    node->number = truth;
    return node;
}

struct node *node_strings(struct node *parent, const char *name, const struct strings *strings)
{
    struct node *list = node_list(parent, name);
    for (size_t i = 0; i < strings->count; i++)
        node_text(list, NULL, strings->item[i]);
    return list;
}

struct node *node_hide(struct node *node)
{
    node->hidden = true;
    return node;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a document, which is ours */
static void add_json(const struct node *node, struct text *text)
{
    bool object = node->kind == NODE_OBJECT;
    switch (node->kind) {
    case NODE_OBJECT:
    case NODE_LIST:
        json_open(text, node->name, object ? '{' : '[');
        for (const struct node *child = node->first; child != NULL; child = child->next)
            add_json(child, text);
        json_close(text, object ? '}' : ']');
        break;
    case NODE_NUMBER:
        json_number(text, node->name, node->number);
        break;
    case NODE_TRUTH:
        json_bool(text, node->name, node->number != 0);
        break;
    case NODE_TEXT:
    case NODE_NULL:
        json_string(text, node->name, node->text);
        break;
    }
}

/* NOLINTEND(misc-no-recursion) */

void document_write_json(const struct node *root, FILE *to)
{
    struct text text = {.cut = true};
    for (size_t size = JSON_FIRST_BYTES; text.cut; size *= 4) {
        text = text_into(node_memory(arena_alloc(size)), size);
        add_json(root, &text);
    }
    fprintf(to, "%s\n", text.at);
}

/* Selects a look and takes it back (ECMA-48, "Select graphic rendition"). */
static void look_on(enum node_look look, bool coloured, FILE *to)
{
    static const char *const codes[] = {"", "\033[1m", "\033[2m", "\033[33m", "\033[1;31m"};
    if (coloured)
        fputs(codes[look], to);
}

static void look_off(enum node_look look, bool coloured, FILE *to)
{
    if (coloured && look != LOOK_PLAIN)
        fputs("\033[0m", to);
}

/* What is in it may be anybody's. */
static void write_printable(const char *string, FILE *to)
{
    size_t length = strlen(string);
    size_t size = 4 * length + sizeof "...";
    struct text text = text_into(node_memory(arena_alloc(size)), size);
    text_add_printable(&text, string, length);
    fputs(text.at, to);
}

void document_write_line(const char *line, int indent, enum node_look look, bool coloured, FILE *to)
{
    fprintf(to, "%*s", indent, "");
    look_on(look, coloured, to);
    write_printable(line, to);
    look_off(look, coloured, to);
    fputc('\n', to);
}

/* "boot_files" is for programs, and so is "timeout_ms", whose value tells the unit. */
static int write_name(const char *name, int indent, FILE *to)
{
    size_t length = strlen(name) - (text_ends_with(name, MILLISECONDS) ? strlen(MILLISECONDS) : 0);
    int column = fprintf(to, "%*s", indent, "");
    for (size_t i = 0; i < length; i++, column++)
        fputc(name[i] == '_' ? ' ' : name[i], to);
    return column;
}

static const char *value_of(const struct node *node)
{
    if (node->line != NULL)
        return node->line;
    if (node->kind == NODE_NUMBER && node->name != NULL && text_ends_with(node->name, MILLISECONDS))
        return node_format("%lld ms", node->number);
    if (node->kind == NODE_NUMBER)
        return node_format("%lld", node->number);
    if (node->kind == NODE_TRUTH)
        return node->number != 0 ? "yes" : "no";
    return node->kind == NODE_TEXT && *node->text != '\0' ? node->text : "\"\"";
}

static bool is_one_line(const struct node *node)
{
    return node->line != NULL || (node->kind != NODE_OBJECT && node->kind != NODE_LIST);
}

static bool is_shown(const struct node *node)
{
    bool empty = (node->kind == NODE_OBJECT || node->kind == NODE_LIST) && node->first == NULL;
    return !node->hidden && node->kind != NODE_NULL && !(empty && node->line == NULL);
}

static void write_value(const struct node *node, int column, int indent, bool coloured, FILE *to)
{
    int gap = indent + NAME_COLUMNS - column;
    document_write_line(value_of(node), gap > 1 ? gap : 2, node->look, coloured, to);
}

/* NOLINTBEGIN(misc-no-recursion): the same */
static void write_member(const struct node *node, int indent, bool coloured, FILE *to)
{
    int column = write_name(node->name, indent, to);
    if (is_one_line(node)) {
        write_value(node, column, indent, coloured, to);
    } else if (node->kind == NODE_OBJECT) {
        fputc('\n', to);
        document_write_text(node, indent + 2, coloured, to);
    } else {
        for (const struct node *item = node->first; item != NULL; item = item->next) {
            write_value(item, column, indent, coloured, to);
            column = 0;
        }
    }
}

void document_write_text(const struct node *object, int indent, bool coloured, FILE *to)
{
    for (const struct node *node = object->first; node != NULL; node = node->next)
        if (is_shown(node))
            write_member(node, indent, coloured, to);
}

/* NOLINTEND(misc-no-recursion) */

bool document_is_coloured(FILE *to)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(fileno(to)) == 1 && (no_color == NULL || *no_color == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}
