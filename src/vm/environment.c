/* SPDX-License-Identifier: MIT */
/* What the VM finds in its environment. */
#include "erlinit/arena.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define VM_PATH       "/usr/sbin:/usr/bin:/sbin:/bin"
#define CONFIG_SUFFIX ".config"
#define OWN_NAMES     10 /* set_own(), set_release() */

/* The settings, and where each name is among them: a hash table of positions + 1, twice as large as
 * it will ever be full. */
struct building {
    struct strings list;
    uint32_t *slots;
    size_t mask;
};

/* FNV-1a, of NAME= */
static size_t hash_name(const char *entry, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)entry[i]) * 16777619U;
    return hash;
}

/* Adds NAME=value in the place of an earlier one of that name. */
static int set_entry(struct building *environment, const char *entry)
{
    if (entry == NULL)
        return -ENOMEM;
    size_t length = strcspn(entry, "=") + 1;
    size_t at = hash_name(entry, length) & environment->mask;
    for (; environment->slots[at] != 0; at = (at + 1) & environment->mask) {
        const char **there = &environment->list.item[environment->slots[at] - 1];
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a slot is of what is there */
        if (strncmp(*there, entry, length) == 0) {
            *there = entry;
            return 0;
        }
    }
    environment->slots[at] = (uint32_t)environment->list.count + 1;
    return strings_add(&environment->list, entry);
}

/* As many names as there can be. */
static size_t count_names(char *const *inherited, const struct words *env)
{
    size_t count = OWN_NAMES;
    for (size_t i = 0; inherited[i] != NULL; i++)
        count++;
    for (size_t i = 0; i < env->count; i++) {
        count++;
        for (const char *at = strchr(env->item[i].text, ';'); at != NULL; at = strchr(at + 1, ';'))
            count++;
    }
    return count;
}

static int start_building(char *const inherited[], const struct words *env,
                          struct building *environment)
{
    size_t size = 1;
    while (size < 2 * count_names(inherited, env))
        size *= 2;
    environment->slots = arena_alloc(size * sizeof *environment->slots);
    environment->mask = size - 1;
    return environment->slots == NULL ? -ENOMEM : 0;
}

static int set_inherited(char *const inherited[], struct building *environment)
{
    int result = 0;
    for (size_t i = 0; result == 0 && inherited[i] != NULL; i++)
        result = set_entry(environment, inherited[i]);
    return result;
}

static int set_own(const struct vm *vm, struct building *environment)
{
    const char *const entries[] = {
        arena_format("HOME=%s", vm->identity.home),
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one string */
        "PATH=" VM_PATH,
        "TERM=xterm-256color",
        arena_format("ROOTDIR=%s", vm->release.base),
        arena_format("BINDIR=%s/bin", vm->erts),
        "EMU=beam",
        "PROGNAME=erlexec",
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof entries / sizeof entries[0]; i++)
        result = set_entry(environment, entries[i]);
    return result;
}

/* What the start script of an Elixir release would set, for its config/runtime.exs. */
static int set_release(const struct release *release, struct building *environment)
{
    const char *config = release->sys_config;
    if (config == NULL)
        return 0;
    size_t suffix = text_ends_with(config, CONFIG_SUFFIX) ? strlen(CONFIG_SUFFIX) : 0;
    int length = (int)(strlen(config) - suffix);
    int result = set_entry(environment, arena_format("RELEASE_SYS_CONFIG=%.*s", length, config));
    if (result == 0)
        result = set_entry(environment, arena_format("RELEASE_ROOT=%s", release->base));
    return result < 0 ? result : set_entry(environment, "RELEASE_TMP=/tmp");
}

static int set_configured_one(const struct word *word, const char *setting, size_t length,
                              struct building *environment)
{
    const char *equals = memchr(setting, '=', length);
    if (equals != NULL && equals != setting)
        return set_entry(environment, arena_copy(setting, length));
    TEXT_ON_STACK(shown, 80);
    text_add_printable(&shown, setting, length);
    log_at(LOG_WARNING, &word->origin, "--env: \"%s\" is not NAME=value, ignored", shown.at);
    return 0;
}

static int set_configured(const struct word *word, struct building *environment)
{
    int result = 0;
    const char *at = word->text;
    while (result == 0 && *at != '\0') {
        size_t length = strcspn(at, ";");
        if (length > 0)
            result = set_configured_one(word, at, length, environment);
        at += length + (at[length] == ';');
    }
    return result;
}

int environment_build(char *const inherited[], const struct vm *vm, const struct options *options,
                      struct strings *environment)
{
    struct building built = {0};
    int result = start_building(inherited, &options->env, &built);
    if (result == 0)
        result = set_inherited(inherited, &built);
    if (result == 0)
        result = set_own(vm, &built);
    if (result == 0)
        result = set_release(&vm->release, &built);
    for (size_t i = 0; result == 0 && i < options->env.count; i++)
        result = set_configured(&options->env.item[i], &built);
    if (result == 0)
        *environment = built.list;
    return result;
}
