/* SPDX-License-Identifier: MIT */
/* What is started, and with which arguments. */
#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"
#include "tree.h"

#include <errno.h>
#include <string.h>

#define ERTS_LIB_DIR VM_ERLANG_ROOT "/lib"

static int add_all(struct strings *arguments, const char *const items[], size_t count)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        result = items[i] == NULL ? -ENOMEM : strings_add(arguments, items[i]);
    return result;
}

/* `-name value`, when there is a value. */
static int add_pair(struct strings *arguments, const char *name, const char *value)
{
    const char *const pair[] = {name, value};
    return value == NULL ? 0 : add_all(arguments, pair, 2);
}

static int add_boot_var(struct strings *arguments, const char *name, const char *value)
{
    const char *const words[] = {"-boot_var", name, value};
    return add_all(arguments, words, 3);
}

/* All that erlexec is told; after its own name. */
static int add_vm_arguments(const char *root, const struct release *release,
                            struct strings *arguments)
{
    int result = add_pair(arguments, "-pa", release->consolidated);
    if (result == 0)
        result = add_pair(arguments, "-config", release->sys_config);
    if (result == 0)
        result = add_pair(arguments, "-boot", release->boot);
    if (result == 0)
        result = add_pair(arguments, "-args_file", release->vm_args);
    if (result == 0 && tree_is_directory(root, ERTS_LIB_DIR))
        result = add_boot_var(arguments, "ERTS_LIB_DIR", ERTS_LIB_DIR);
    if (result == 0)
        result = add_boot_var(arguments, "RELEASE_LIB", tree_path("%s/%s", release->base, "lib"));
    return result;
}

static const char *join(const char *const words[], size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *bytes = arena_alloc(size);
    if (bytes == NULL)
        return NULL;
    struct text text = text_into(bytes, size);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, i == 0 ? "" : " ");
        text_add(&text, words[i]);
    }
    return bytes;
}

/* run_erl hands its last argument to `sh -c`: the word exec and all behind it are one argument. */
static int join_from_exec(struct strings *arguments, size_t command_words)
{
    for (size_t i = 1; i < command_words; i++) {
        if (strcmp(arguments->item[i], "exec") == 0) {
            arguments->item[i] = join(arguments->item + i, arguments->count - i);
            arguments->item[i + 1] = NULL;
            arguments->count = i + 1;
            return arguments->item[i] == NULL ? -ENOMEM : 0;
        }
    }
    return 0;
}

static int alternate_problem(const struct word *option, const char *problem)
{
    log_at(LOG_WARNING, &option->origin, "--alternate-exec: %s; starting erlexec without it",
           problem);
    return 0;
}

/* The command's words, its program as a path. None if it can't be started: a VM without its wrapper
 * is better than none. */
static int split_alternate(const char *root, const struct word *option, const char *erts,
                           struct strings *words)
{
    struct strings found = {0};
    int result = command_split(option->text, &found);
    if (result == -EINVAL)
        return alternate_problem(option, "no word in it, or a quote that is open at its end");
    if (result < 0)
        return result;
    if (found.item[0][0] != '/')
        found.item[0] = tree_path("%s/bin/%s", erts, found.item[0]);
    if (found.item[0] == NULL)
        return -ENOMEM;
    if (!tree_is_file(root, found.item[0]))
        return alternate_problem(option, "no such program");
    *words = found;
    return 0;
}

int arguments_build(const char *root, const struct options *options, struct vm *vm)
{
    const char *erlexec = tree_path("%s/bin/erlexec", vm->erts);
    struct strings arguments = {0};
    int result = erlexec == NULL ? -ENOMEM : 0;
    if (result == 0 && options->alternate_exec.text != NULL)
        result = split_alternate(root, &options->alternate_exec, vm->erts, &arguments);
    size_t command_words = arguments.count;
    if (result == 0)
        result = strings_add(&arguments, command_words > 0 ? erlexec : "erlexec");
    if (result == 0)
        result = add_vm_arguments(root, &vm->release, &arguments);
    const char *program = command_words > 0 && result == 0 ? arguments.item[0] : erlexec;
    if (result == 0)
        result = join_from_exec(&arguments, command_words);
    if (result == 0) {
        vm->program = program;
        vm->arguments = arguments;
    }
    return result;
}
