/* SPDX-License-Identifier: MIT */
/* Paths and programs: what has to be in the root file system. */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

const struct check_kind check_relative_path = {"relative-path", CHECK_NOTE};
static const struct check_kind path_missing = {"path-missing", CHECK_WARNING};
static const struct check_kind program_missing = {"program-missing", CHECK_ERROR};
static const struct check_kind not_executable = {"program-not-executable", CHECK_ERROR};
static const struct check_kind interpreter_missing = {"interpreter-missing", CHECK_ERROR};

#define FIRST_LINE_BYTES 256 /* BINPRM_BUF_SIZE: more of a #! line the kernel doesn't read */

/* ---- directories ---- */

enum path_kind { PATH_DIRECTORY, PATH_FILE_TO_BE, PATH_SEARCH };

static const struct {
    unsigned short offset;
    enum path_kind kind;
} paths[] = {
    {offsetof(struct options, release_path), PATH_SEARCH},
    {offsetof(struct options, working_directory), PATH_DIRECTORY},
    {offsetof(struct options, state_directory), PATH_DIRECTORY},
    {offsetof(struct options, shutdown_report), PATH_FILE_TO_BE},
};

/* What we may not look at (a directory of root's alone) can be there all the same. */
static bool is_missing(int result)
{
    return result == -ENOENT || result == -ENOTDIR || result == -ELOOP;
}

static bool is_there(struct check *check, const char *path)
{
    struct stat status;
    if (check->root == NULL || check_is_mounted_over(check, path))
        return true;
    int result = root_stat(check->root, path, &status);
    return result == 0 ? S_ISDIR(status.st_mode) : !is_missing(result);
}

/* What has to be there for a file to be written. */
static const char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return "/";
    const char *directory = arena_copy(path, (size_t)(slash - path));
    return directory != NULL ? directory : "/";
}

static void check_directory(struct check *check, const struct use *use, const char *directory)
{
    if (*use->value.text != '/')
        check_say(check, &check_relative_path, &use->value.origin, "\"%s\" is taken as /%s",
                  CHECK_SHOWN(use->value.text), CHECK_SHOWN(use->value.text));
    if (!is_there(check, directory))
        check_say(check, &path_missing, &use->value.origin, "--%s: there is no directory %s",
                  use->row->name, CHECK_SHOWN(directory));
}

static void check_search_path(struct check *check, const struct use *use)
{
    const char *at = use->value.text;
    bool found = false, any = false;
    while (*at != '\0') {
        size_t length = strcspn(at, ":");
        const char *directory = length > 0 ? arena_copy(at, length) : NULL;
        struct origin origin = check_place(check, use->holder, at);
        if (directory != NULL && *directory != '/')
            check_say(check, &check_relative_path, &origin, "\"%s\" is taken as /%s",
                      CHECK_SHOWN(directory), CHECK_SHOWN(directory));
        any = any || directory != NULL;
        found = found || (directory != NULL && is_there(check, directory));
        at += length + (at[length] == ':');
    }
    if (any && !found)
        check_say(check, &path_missing, &use->value.origin,
                  "--release-path: none of these directories is there");
}

void check_paths(struct check *check)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const struct use *use = check_use_of(check, paths[i].offset);
        if (use == NULL)
            continue;
        if (paths[i].kind == PATH_SEARCH)
            check_search_path(check, use);
        else
            check_directory(check, use,
                            paths[i].kind == PATH_FILE_TO_BE ? directory_of(use->value.text)
                                                             : use->value.text);
    }
}

/* ---- programs ---- */

/* The interpreter of a script, NULL if it is none. */
static const char *interpreter_of(const struct check *check, const char *path)
{
    char line[FIRST_LINE_BYTES];
    if (root_read(check->root, path, line, sizeof line) < 3 || !text_starts_with(line, "#!"))
        return NULL;
    const char *start = line + 2 + strspn(line + 2, " \t");
    size_t length = strcspn(start, " \t\r\n");
    /* with a carriage return it is not there, whatever is there without */
    length += start[length] == '\r' ? 1 : 0;
    return length > 0 ? arena_copy(start, length) : NULL;
}

static void check_program_file(struct check *check, const struct use *use, const char *path,
                               const struct stat *status)
{
    struct stat interpreter_status;
    if (!S_ISREG(status->st_mode) || (status->st_mode & 0111) == 0) {
        check_say(check, &not_executable, &use->value.origin, "--%s: %s is not executable",
                  use->row->name, CHECK_SHOWN(path));
        return;
    }
    const char *interpreter = interpreter_of(check, path);
    if (interpreter != NULL && !check_is_mounted_over(check, interpreter) &&
        is_missing(root_stat(check->root, interpreter, &interpreter_status)))
        check_say(check, &interpreter_missing, &use->value.origin,
                  "--%s: %s asks for %s, which isn't there", use->row->name, CHECK_SHOWN(path),
                  CHECK_SHOWN(interpreter));
}

/* Where the VM's wrapper is looked for; NULL if that can't be known. */
static const char *erts_bin(const struct check *check)
{
    struct release release;
    const char *erts;
    const struct options *options = &check->options;
    if (!check->root->entered ||
        release_find("", options->release_path.text, options->boot.text, &release) < 0 ||
        erts_find("", &release, options->release_include_erts, &erts) < 0)
        return NULL;
    return arena_format("%s/bin", erts);
}

static const char *search_path_of(const struct check *check, const struct use *use)
{
    return CHECK_IS_USE_OF(use, alternate_exec) ? erts_bin(check) : CHILD_COMMAND_PATH;
}

static void check_searched(struct check *check, const struct use *use, const char *program)
{
    const char *path = search_path_of(check, use);
    for (const char *at = path; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ":");
        const char *file = arena_format("%.*s/%s", (int)length, at, program);
        struct stat status;
        if (file == NULL || check_is_mounted_over(check, file))
            return;
        int result = root_stat(check->root, file, &status);
        if (result == 0)
            check_program_file(check, use, file, &status);
        if (!is_missing(result))
            return;
        at += length + (at[length] == ':');
    }
    if (path != NULL)
        check_say(check, &program_missing, &use->value.origin, "--%s: there is no program %s in %s",
                  use->row->name, CHECK_SHOWN(program), path);
}

/* `program` is a path as it stands. */
static void check_path(struct check *check, const struct use *use, const char *program)
{
    struct stat status;
    if (check_is_mounted_over(check, program))
        return;
    int result = root_stat(check->root, program, &status);
    if (result == 0)
        check_program_file(check, use, program, &status);
    else if (is_missing(result))
        check_say(check, &program_missing, &use->value.origin, "--%s: there is no program %s",
                  use->row->name, CHECK_SHOWN(program));
}

static void check_program(struct check *check, const struct use *use)
{
    struct strings words = {0};
    if (command_split(use->value.text, &words) < 0)
        return;
    const char *program = words.item[0];
    bool is_searched =
        CHECK_IS_USE_OF(use, alternate_exec) ? *program != '/' : strchr(program, '/') == NULL;
    if (is_searched)
        check_searched(check, use, program);
    else
        check_path(check, use, program);
}

/* The kernel runs what is behind a `|`, split at spaces. */
static void check_core_program(struct check *check)
{
    const struct use *use = CHECK_USE_OF(check, core_pattern);
    if (use == NULL || *use->value.text != '|')
        return;
    const char *start = use->value.text + 1 + strspn(use->value.text + 1, " ");
    const char *program = arena_copy(start, strcspn(start, " "));
    if (program != NULL && *program == '/')
        check_path(check, use, program);
}

/* ---- the boot file ---- */

/* The rest of what is said about a release is not the configuration's. */
static const struct check_log_kind release_says[] = {
    {"(--boot)", {"boot-missing", CHECK_WARNING}},
    {"", {NULL, CHECK_WARNING}},
    {NULL, {NULL, CHECK_WARNING}},
};

static void check_boot(struct check *check)
{
    const struct use *use = CHECK_USE_OF(check, boot);
    struct release release;
    if (use == NULL || !check->root->entered)
        return;
    check_take_log(check, release_says, &use->value.origin);
    if (release_find("", check->options.release_path.text, use->value.text, &release) == -ENOMEM)
        check->findings->no_memory = true;
    check_take_log(check, NULL, NULL);
}

void check_program_paths(struct check *check)
{
    if (check->root == NULL)
        return;
    for (size_t i = 0; i < check->uses.count; i++)
        if (check_is_command(&check->uses.item[i]))
            check_program(check, &check->uses.item[i]);
    check_core_program(check);
    check_boot(check);
}
