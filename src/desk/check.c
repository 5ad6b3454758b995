/* SPDX-License-Identifier: MIT */
/* --check: its own command line, the files, the exit status. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/desk.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "uses.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STANDARD_INPUT "<stdin>"

static const struct check_kind no_config = {"no-config", CHECK_NOTE};
static const struct check_kind root_not_entered = {"root-not-entered", CHECK_NOTE};

#define USE "--check"

/* As in desk_uses. */
enum { ROOT, CMDLINE, FORMAT, OPTIONS };

struct file {
    const char *name;
    char *content;
    size_t length;
    bool is_read;
    bool is_absent;
};

struct request {
    struct strings names; /* of files */
    const char *root;
    const char *cmdline;
    bool json;
    int status; /* DESK_MISUSE once something can't be read */
};

static int no_memory(void)
{
    fputs("erlinit " USE ": no memory\n", stderr);
    return DESK_MISUSE;
}

static void say_unreadable(struct request *request, const char *name, int result)
{
    fprintf(stderr, "erlinit " USE ": can't read %s: %s\n", name, strerror(-result));
    request->status = DESK_MISUSE;
}

/* ---- reading ---- */

/* All that standard input gives, up to the limit of a configuration. */
static int load_standard_input(struct file *file)
{
    file->content = arena_alloc(OPTIONS_CONFIG_MOST_BYTES + 1);
    if (file->content == NULL)
        return -ENOMEM;
    for (;;) {
        size_t room = OPTIONS_CONFIG_MOST_BYTES + 1 - file->length;
        ssize_t got = room == 0 ? 0 : read(STDIN_FILENO, file->content + file->length, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : room == 0 ? -EFBIG : 0;
        file->length += (size_t)got;
    }
}

static void load_named(struct request *request, const char *name, struct file *file)
{
    bool standard = text_equal(name, "-");
    *file = (struct file){.name = standard ? STANDARD_INPUT : name};
    int result = standard
                     ? load_standard_input(file)
                     : file_load(name, OPTIONS_CONFIG_MOST_BYTES, &file->content, &file->length);
    file->is_read = result == 0;
    if (result < 0)
        say_unreadable(request, file->name, result);
}

/* The configuration of the tree, or of this machine. None is no error: all has a default. */
static void load_default(struct request *request, const struct root *root, struct file *file)
{
    static char nothing[] = "";
    const char *name = OPTIONS_CONFIG_FILE;
    const size_t most = OPTIONS_CONFIG_MOST_BYTES;
    *file = (struct file){.name = name, .content = nothing};
    int result = root != NULL ? root_load(root, name, most, &file->content, &file->length)
                              : file_load(name, most, &file->content, &file->length);
    file->is_absent = result == -ENOENT;
    file->is_read = result == 0 || file->is_absent;
    if (!file->is_read)
        say_unreadable(request, name, result);
}

/* ---- checking ---- */

static void say_about_file(struct findings *findings, const struct file *file,
                           const struct root *root, int reason)
{
    struct check check = {.findings = findings};
    const struct origin origin = {.file = file->name};
    if (file->is_absent)
        check_say(&check, &no_config, &origin,
                  "there is no such file: every option has its default");
    if (root != NULL && !root->entered)
        check_say(&check, &root_not_entered, &origin,
                  "users, groups and the VM's wrapper are not checked, since the root can't be "
                  "entered: %s",
                  strerror(reason));
}

static void check_file(const struct request *request, const struct file *file,
                       const struct root *root, struct findings *findings)
{
    /* not on the stack, with its options */
    static struct check check;
    check = (struct check){
        .name = file->name,
        .content = file->content,
        .length = file->length,
        .cmdline_text = request->cmdline,
        .root = root,
        .findings = findings,
    };
    if (file->is_read)
        check_all(&check);
}

static void say_number(size_t number, const char *what, const char **separator)
{
    if (number > 0)
        fprintf(stderr, "%s%zu %s%s", *separator, number, what, number == 1 ? "" : "s");
    *separator = number > 0 ? ", " : *separator;
}

/* Writes all, and returns the exit status. */
static int finish(const struct request *request, const struct findings *findings)
{
    size_t errors = findings_count(findings, CHECK_ERROR);
    size_t warnings = findings_count(findings, CHECK_WARNING);
    const char *separator = "";
    int result = 0;
    if (request->json)
        result = findings_print_json(findings);
    else
        findings_print(findings);
    if (result < 0 || findings->no_memory || fflush(stdout) != 0) {
        fputs("erlinit " USE ": not all could be checked or written\n", stderr);
        return DESK_MISUSE;
    }
    say_number(errors, "error", &separator);
    say_number(warnings, "warning", &separator);
    say_number(findings_count(findings, CHECK_NOTE), "note", &separator);
    if (findings->count > 0)
        fputc('\n', stderr);
    if (request->status != DESK_OK)
        return request->status;
    return errors + warnings > 0 ? DESK_FINDINGS : DESK_OK;
}

/* Files of the desk are read first: in the root they can't be reached. */
static int run(struct request *request)
{
    struct findings findings = {0};
    struct root root;
    int reason = 0;
    bool has_root = request->root != NULL;
    size_t named = request->names.count;
    size_t count = named > 0 ? named : 1;
    struct file *files = arena_alloc(count * sizeof *files);
    if (files == NULL)
        return no_memory();
    for (size_t i = 0; i < named; i++)
        load_named(request, request->names.item[i], &files[i]);
    int result = has_root ? root_enter(request->root, &root, &reason) : 0;
    if (result < 0) {
        say_unreadable(request, request->root, result);
        return request->status;
    }
    if (named == 0)
        load_default(request, has_root ? &root : NULL, &files[0]);
    for (size_t i = 0; i < count; i++) {
        say_about_file(&findings, &files[i], has_root ? &root : NULL, reason);
        check_file(request, &files[i], has_root ? &root : NULL, &findings);
    }
    return finish(request, &findings);
}

int desk_check(int argc, char *argv[])
{
    const char *values[OPTIONS] = {[FORMAT] = "text"};
    struct request request = {.status = DESK_OK};
    int result = desk_read_arguments(USE, argc, argv, values, &request.names);
    if (result != DESK_OK)
        return result;
    request.root = values[ROOT];
    request.cmdline = values[CMDLINE];
    request.json = text_equal(values[FORMAT], "json");
    if (!request.json && !text_equal(values[FORMAT], "text"))
        return desk_misuse(USE, "the format is text or json, not %s", values[FORMAT]);
    return run(&request);
}
