/* SPDX-License-Identifier: MIT */
/* What was found: collected, put in order, written. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/json.h"
#include "erlinit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES       1000 /* of a finding's text */
#define FIRST_ROOM       64
#define JSON_FRAME_BYTES 200 /* keys, numbers and brackets around a finding's strings */
#define JSON_ESCAPED     6   /* bytes that one byte can become: \u001f */

static const char *const severities[] = {"error", "warning", "note"};

static int grow(struct findings *findings)
{
    size_t room = findings->room == 0 ? FIRST_ROOM : 2 * findings->room;
    struct finding *item = arena_alloc(room * sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    if (findings->count > 0)
        memcpy(item, findings->item, findings->count * sizeof *item);
    findings->item = item;
    findings->room = room;
    return 0;
}

static void add(struct findings *findings, const struct check_kind *kind,
                const struct origin *origin, const char *line, size_t length)
{
    TEXT_ON_STACK(shown, LINE_BYTES);
    text_add_printable(&shown, line, length);
    const char *text = arena_string(shown.at);
    if (text == NULL || (findings->count == findings->room && grow(findings) < 0)) {
        findings->no_memory = true;
        return;
    }
    findings->item[findings->count] = (struct finding){kind, *origin, text, findings->count};
    findings->count++;
}

void check_say(struct check *check, const struct check_kind *kind, const struct origin *origin,
               const char *format, ...)
{
    TEXT_ON_STACK(line, LINE_BYTES);
    va_list arguments;
    va_start(arguments, format);
    (void)text_vformat(&line, format, arguments);
    va_end(arguments);
    add(check->findings, kind, origin, line.at, line.length);
}

/* ---- what PID 1's code says ---- */

static struct {
    struct check *check;
    const struct check_log_kind *kinds;
    const struct origin *origin;
} log_taker;

/* Nothing that PID 1 says may be lost because nobody has thought of it here. */
static const struct check_kind other_error = {"other", CHECK_ERROR};
static const struct check_kind other_warning = {"other", CHECK_WARNING};

static const struct check_kind *kind_of(enum log_severity severity, const char *message)
{
    for (const struct check_log_kind *kind = log_taker.kinds; kind->part != NULL; kind++)
        if (text_find(message, kind->part) != NULL)
            return &kind->kind;
    return severity <= LOG_ERROR ? &other_error : &other_warning;
}

static void take_line(enum log_severity severity, const struct origin *origin, const char *message)
{
    if (log_taker.kinds == NULL || severity > LOG_WARNING)
        return;
    const struct check_kind *kind = kind_of(severity, message);
    if (kind->id == NULL)
        return;
    add(log_taker.check->findings, kind, origin != NULL ? origin : log_taker.origin, message,
        strlen(message));
}

void check_take_log(struct check *check, const struct check_log_kind *kinds,
                    const struct origin *origin)
{
    log_taker.check = check;
    log_taker.kinds = kinds;
    log_taker.origin = origin;
    log_set_sink(take_line);
}

/* ---- order, numbers ---- */

static int order(unsigned int a, unsigned int b)
{
    return a < b ? -1 : a > b;
}

static bool is_on_cmdline(const struct finding *finding)
{
    return text_equal(finding->origin.file, CHECK_CMDLINE);
}

/* The file by its lines, then the command line, which is read last. */
static int compare(const void *a, const void *b)
{
    const struct finding *one = a;
    const struct finding *other = b;
    int result = order(is_on_cmdline(one), is_on_cmdline(other));
    if (result == 0)
        result = order(one->origin.line, other->origin.line);
    if (result == 0)
        result = order(one->origin.column, other->origin.column);
    if (result == 0)
        result = one->number < other->number ? -1 : one->number > other->number;
    return result;
}

void findings_sort(struct findings *findings, size_t first)
{
    if (first < findings->count)
        qsort(findings->item + first, findings->count - first, sizeof *findings->item, compare);
}

size_t findings_count(const struct findings *findings, enum check_severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->item[i].kind->severity == severity;
    return count;
}

/* ---- writing ---- */

void findings_print(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];
        const struct origin *origin = &finding->origin;
        TEXT_ON_STACK(file, LINE_BYTES);
        text_add_printable(&file, origin->file, strlen(origin->file));
        printf("%s:", file.at);
        if (origin->line > 0)
            printf("%u:%u:", origin->line, origin->column);
        printf(" %s: %s [%s]\n", severities[finding->kind->severity], finding->text,
               finding->kind->id);
    }
}

static void add_json(struct text *json, const struct finding *finding)
{
    json_open(json, NULL, '{');
    json_string(json, "file", finding->origin.file);
    json_number(json, "line", finding->origin.line);
    json_number(json, "column", finding->origin.column);
    json_string(json, "severity", severities[finding->kind->severity]);
    json_string(json, "id", finding->kind->id);
    json_string(json, "text", finding->text);
    json_close(json, '}');
}

static size_t json_size(const struct findings *findings)
{
    size_t size = JSON_FRAME_BYTES;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];
        size += JSON_FRAME_BYTES +
                JSON_ESCAPED * (strlen(finding->text) + strlen(finding->origin.file));
    }
    return size;
}

int findings_print_json(const struct findings *findings)
{
    size_t size = json_size(findings);
    char *bytes = arena_alloc(size);
    if (bytes == NULL)
        return -ENOMEM;
    struct text json = text_into(bytes, size);
    json_open(&json, NULL, '{');
    json_number(&json, "schema", 1);
    json_open(&json, "findings", '[');
    for (size_t i = 0; i < findings->count; i++)
        add_json(&json, &findings->item[i]);
    json_close(&json, ']');
    json_number(&json, "errors", (long long)findings_count(findings, CHECK_ERROR));
    json_number(&json, "warnings", (long long)findings_count(findings, CHECK_WARNING));
    json_number(&json, "notes", (long long)findings_count(findings, CHECK_NOTE));
    json_close(&json, '}');
    puts(json.at);
    return 0;
}
