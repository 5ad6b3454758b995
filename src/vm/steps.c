/* SPDX-License-Identifier: MIT */
/* The steps of the boot that find out what to start. */
#include "erlinit/boot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DEVICE_ROOT "" /* paths are the device's own */

/* Whoever failed said why, unless memory ran out. */
static enum step_result fatal(int result)
{
    if (result == -ENOMEM)
        log_error("no memory to find out what to start");
    return STEP_FATAL;
}

enum step_result boot_identity(struct boot *boot)
{
    const struct options *options = boot->options;
    struct identity *identity = &boot->vm.identity;
    int result = identity_resolve(DEVICE_ROOT, &options->uid, &options->gid, identity);
    if (result == 0)
        result = identity_restrict(&options->capabilities, options->no_new_privs, identity);
    if (result < 0)
        return fatal(result);
    log_debug("the VM runs as %u:%u with %zu more groups, at home in %s", identity->uid,
              identity->gid, identity->group_count, identity->home);
    return identity->change ? STEP_DONE : STEP_SKIPPED;
}

/* Finds everything, then builds on it. boot_identity() has been: HOME is its. */
static int prepare(const struct options *options, struct vm *vm)
{
    int result =
        release_find(DEVICE_ROOT, options->release_path.text, options->boot.text, &vm->release);
    if (result == 0)
        result = erts_find(DEVICE_ROOT, &vm->release, options->release_include_erts, &vm->erts);
    if (result == 0)
        result = environment_build(environ, vm, options, &vm->environment);
    return result < 0 ? result : arguments_build(DEVICE_ROOT, options, vm);
}

static void log_vm(const struct vm *vm)
{
    log_debug("release %s in %s",
              vm->release.version_dir == NULL ? "none" : vm->release.version_dir, vm->release.base);
    log_debug("run-time system %s", vm->erts);
    log_debug("program %s", vm->program);
    for (size_t i = 0; i < vm->arguments.count; i++)
        log_debug("argument %zu: %s", i, vm->arguments.item[i]);
    for (size_t i = 0; i < vm->environment.count; i++) {
        /* not the value: it may be a secret, and everybody reads the log */
        const char *entry = vm->environment.item[i];
        log_debug("environment: %.*s", (int)strcspn(entry, "="), entry);
    }
}

enum step_result boot_release(struct boot *boot)
{
    int result = prepare(boot->options, &boot->vm);
    if (result < 0)
        return fatal(result);
    log_vm(&boot->vm);
    return boot->vm.release.version_dir == NULL ? STEP_WARNED : STEP_DONE;
}

enum step_result boot_workdir(struct boot *boot)
{
    const struct word *wanted = &boot->options->working_directory;
    const char *base = boot->vm.release.base;
    if (wanted->text != NULL) {
        if (chdir(wanted->text) == 0)
            return STEP_DONE;
        log_at(LOG_WARNING, &wanted->origin, "--working-directory %s: %m; using %s", wanted->text,
               base);
    }
    if (chdir(base) == 0)
        return wanted->text == NULL ? STEP_DONE : STEP_WARNED;
    log_warning("can't change to %s: %m; using /", base);
    (void)!chdir("/");
    return STEP_WARNED;
}
