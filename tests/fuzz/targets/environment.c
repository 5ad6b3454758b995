/* SPDX-License-Identifier: MIT */
/* The VM's environment: what the kernel gave PID 1, two lines of it, then one --env a line. */
#include "erlinit/text.h"
#include "erlinit/vm.h"
#include "fuzz.h"

#include <errno.h>

#define SETTINGS_MOST 16

static size_t name_length(const char *entry)
{
    return strcspn(entry, "=");
}

static void environment_holds(const struct strings *environment)
{
    size_t paths = 0;
    FUZZ_CHECK(environment->item[environment->count] == NULL);
    for (size_t i = 0; i < environment->count; i++) {
        const char *entry = environment->item[i];
        paths += text_starts_with(entry, "PATH=") ? 1 : 0;
        for (size_t j = 0; j < i; j++)
            FUZZ_CHECK(name_length(environment->item[j]) != name_length(entry) ||
                       strncmp(environment->item[j], entry, name_length(entry) + 1) != 0);
    }
    FUZZ_CHECK(paths == 1);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    char *inherited[3] = {0};
    inherited[0] = fuzz_line(&bytes, &size);
    inherited[1] = fuzz_line(&bytes, &size);
    struct word words[SETTINGS_MOST];
    struct options options = {.env = {.item = words}};
    while (size > 0 && options.env.count < SETTINGS_MOST)
        words[options.env.count++] =
            (struct word){.text = fuzz_line(&bytes, &size), .origin = {.column = 1}};
    const struct vm vm = {.erts = "/erts",
                          .release = {.base = "/srv/erlang", .sys_config = inherited[0]},
                          .identity = {.home = "/root"}};
    struct strings environment = {0};
    int result = environment_build(inherited, &vm, &options, &environment);
    FUZZ_CHECK(result == 0 || (result == -ENOMEM && fuzz_starved()));
    if (result == 0)
        environment_holds(&environment);
}
