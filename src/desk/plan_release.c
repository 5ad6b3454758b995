/* SPDX-License-Identifier: MIT */
/*
 * Which release and which run-time system. The choice is that of src/vm; what else there is, and
 * what speaks against it, is found here.
 */
#include "../vm/start_erl.h"
#include "../vm/tree.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "plan.h"

#include <errno.h>
#include <string.h>

#define ERTS_PREFIX "erts-"
#define BOOT_SUFFIX ".boot"

/* The pickers of release.c and erts.c. */
static bool is_version(const struct directory_entry *entry)
{
    return directory_entry_is_directory(entry);
}

static bool is_erts(const struct directory_entry *entry)
{
    return text_starts_with(entry->name, ERTS_PREFIX) && directory_entry_is_directory(entry);
}

static bool is_boot_file(const struct directory_entry *entry)
{
    return text_ends_with(entry->name, BOOT_SUFFIX) && directory_entry_is_file(entry);
}

/* One that can't be read is empty: the boot has said so. */
static struct strings list(const struct plan *plan, const char *path, directory_filter *wanted)
{
    struct strings names = {0};
    if (directory_list(node_format("%s%s", plan->prefix, path), wanted, &names) == -ENOMEM)
        (void)node_memory(NULL);
    return names;
}

static void add_candidate(struct node *candidates, const char *path, bool taken, const char *why)
{
    struct node *candidate = node_object(candidates, NULL);
    node_text(candidate, "path", path);
    node_truth(candidate, "taken", taken);
    node_text(candidate, "why", why);
    candidate->line = node_format("%s %s: %s", taken ? "+" : "-", path, why);
    candidate->look = taken ? LOOK_PLAIN : LOOK_FAINT;
}

/* What start_erl.data says, without its complaints, which the boot has made. */
static struct start_erl read_start_erl(struct plan *plan, const char *releases)
{
    struct start_erl data = {0};
    enum log_severity level = log_level();
    log_set_level(LOG_EMERGENCY);
    int result = start_erl_read(plan->prefix, releases, &data);
    log_set_level(level);
    if (result < 0)
        (void)node_memory(NULL);
    return data;
}

struct search {
    struct plan *plan;
    struct node *candidates;
    const char *found; /* the base whose release is taken, so far */
};

static const char *why_version(const struct strings *versions, size_t at, const char *named)
{
    const char *last = versions->item[versions->count - 1];
    const char *name = versions->item[at];
    if (named != NULL)
        return text_equal(name, named) ? "start_erl.data names it"
                                       : node_format("start_erl.data names %s", named);
    if (versions->count == 1)
        return "the only version";
    return name == last ? "the last version in alphabetical order"
                        : node_format("%s is later in alphabetical order", last);
}

static const char *named_version(const struct strings *versions, const char *name)
{
    for (size_t i = 0; name != NULL && i < versions->count; i++)
        if (text_equal(versions->item[i], name))
            return name;
    return NULL;
}

static void add_versions(struct search *search, const char *base)
{
    const char *releases = node_format("%s/releases", base);
    struct strings versions = list(search->plan, releases, is_version);
    struct start_erl data = read_start_erl(search->plan, releases);
    const char *named = named_version(&versions, data.version);
    const char *taken = search->plan->boot.vm.release.version_dir;
    for (size_t i = 0; i < versions.count; i++) {
        const char *path = node_format("%s/%s", releases, versions.item[i]);
        bool best = named != NULL ? text_equal(named, versions.item[i]) : i + 1 == versions.count;
        if (search->found != NULL)
            add_candidate(search->candidates, path, false,
                          node_format("%s comes first", search->found));
        else
            add_candidate(search->candidates, path, taken == NULL ? best : text_equal(path, taken),
                          why_version(&versions, i, named));
    }
    if (search->found == NULL && versions.count > 0)
        search->found = base;
}

static void add_directory(struct search *search, const char *directory)
{
    struct strings names = list(search->plan, directory, directory_entry_is_directory);
    add_versions(search, directory);
    for (size_t i = 0; i < names.count; i++)
        add_versions(search, node_format("%s/%s", directory, names.item[i]));
}

/* Each directory of the search path, absolute and without slashes at its end. */
static void plan_releases(struct plan *plan)
{
    struct search search = {.plan = plan, .candidates = node_list(plan->facts, "releases")};
    const char *at = plan->options.release_path.text;
    while (*at != '\0') {
        size_t length = strcspn(at, ":");
        size_t kept = length;
        while (kept > 1 && at[kept - 1] == '/')
            kept--;
        if (kept > 0) {
            const char *directory = node_format("%s%.*s", *at == '/' ? "" : "/", (int)kept, at);
            (void)plan_is_mounted(plan, "a place for releases", directory);
            add_directory(&search, directory);
        }
        at += length + (at[length] == ':');
    }
}

/* Whether the boot file is what `name` stands for, as --boot or the release's name. */
static bool is_named(const struct release *release, const char *name)
{
    if (name == NULL)
        return false;
    const char *path = *name == '/' ? name : node_format("%s/%s", release->version_dir, name);
    return text_equal(path, release->boot) ||
           text_equal(path, node_format("%s" BOOT_SUFFIX, release->boot));
}

static void plan_boot_files(struct plan *plan)
{
    const struct release *release = &plan->boot.vm.release;
    const char *taken = node_format("%s" BOOT_SUFFIX, release->boot);
    struct node *candidates = node_list(plan->facts, "boot_files");
    struct strings names = list(plan, release->version_dir, is_boot_file);
    bool by_option = is_named(release, plan->options.boot.text);
    bool by_name = !by_option && is_named(release, release->name);
    const char *why = by_option          ? "--boot names it"
                      : by_name          ? "it has the release's name"
                      : names.count == 1 ? "the only one"
                                         : "the first in alphabetical order";
    const char *why_not = by_option ? "--boot names another"
                          : by_name ? "another has the release's name"
                                    : "another is earlier in alphabetical order";
    bool listed = false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = node_format("%s/%s", release->version_dir, names.item[i]);
        bool here = text_equal(path, taken);
        listed = listed || here;
        add_candidate(candidates, path, here, here ? why : why_not);
    }
    if (!listed)
        add_candidate(candidates, taken, true, why);
}

static const char *why_erts(const struct plan *plan, const char *place, const char *name)
{
    const struct vm *vm = &plan->boot.vm;
    const char *wanted = vm->release.erts_version;
    bool included = plan->options.release_include_erts;
    bool right_place = text_equal(place, included ? vm->release.base : VM_ERLANG_ROOT);
    const char *path = node_format("%s/%s", place, name);
    bool by_version = vm->erts != NULL && wanted != NULL &&
                      text_equal(strrchr(vm->erts, '/') + 1, node_format(ERTS_PREFIX "%s", wanted));
    if (by_version && text_equal(path, vm->erts))
        return "start_erl.data wants it";
    if (by_version && text_ends_with(vm->erts, node_format("/%s", name)))
        return "the release's own comes first";
    if (by_version)
        return node_format("start_erl.data wants %s", wanted);
    if (!right_place)
        return included ? "--release-include-erts: the release's own count"
                        : "without --release-include-erts the installed ones count";
    return vm->erts != NULL ? "the only one there" : "one of several";
}

static void add_erts(struct plan *plan, struct node *candidates, const char *place)
{
    struct strings names = list(plan, place, is_erts);
    for (size_t i = 0; i < names.count; i++) {
        const char *path = node_format("%s/%s", place, names.item[i]);
        add_candidate(candidates, path, text_equal(path, plan->boot.vm.erts),
                      why_erts(plan, place, names.item[i]));
    }
}

static void plan_run_time_systems(struct plan *plan)
{
    const char *base = plan->boot.vm.release.base;
    struct node *candidates = node_list(plan->facts, "run_time_systems");
    add_erts(plan, candidates, base);
    if (!text_equal(base, VM_ERLANG_ROOT))
        add_erts(plan, candidates, VM_ERLANG_ROOT);
    (void)plan_is_mounted(plan, "the place for run-time systems", VM_ERLANG_ROOT);
}

/* As prepare() of vm/steps.c does it. */
static int prepare(struct plan *plan)
{
    const struct options *options = &plan->options;
    struct vm *vm = &plan->boot.vm;
    int result =
        release_find(plan->prefix, options->release_path.text, options->boot.text, &vm->release);
    plan_releases(plan);
    if (result < 0)
        return result;
    if (vm->release.version_dir != NULL)
        plan_boot_files(plan);
    node_text(plan->facts, "sys_config", vm->release.sys_config);
    node_text(plan->facts, "vm_args", vm->release.vm_args);
    node_text(plan->facts, "consolidated", vm->release.consolidated);
    result = erts_find(plan->prefix, &vm->release, options->release_include_erts, &vm->erts);
    plan_run_time_systems(plan);
    if (result == 0)
        result =
            environment_build((char *const *)plan->environment.item, vm, options, &vm->environment);
    return result < 0 ? result : arguments_build(plan->prefix, options, vm);
}

enum step_result plan_release(struct plan *plan)
{
    int result = prepare(plan);
    if (result == -ENOMEM)
        (void)node_memory(NULL);
    if (result < 0)
        return STEP_FATAL;
    return plan->boot.vm.release.version_dir == NULL ? STEP_WARNED : STEP_DONE;
}
