/* SPDX-License-Identifier: MIT */
/* Which Erlang run-time system: a directory erts-<version>. */
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"
#include "tree.h"

#include <errno.h>
#include <string.h>

#define ERTS_PREFIX "erts-"

static bool is_erts(const struct directory_entry *entry)
{
    return text_starts_with(entry->name, ERTS_PREFIX) && directory_entry_is_directory(entry);
}

/* The wanted version, in the release or installed; NULL if it is in neither. */
static int find_version(const char *root, const struct release *release, const char **erts)
{
    const char *const place[] = {release->base, VM_ERLANG_ROOT};
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
        const char *path = tree_path("%s/" ERTS_PREFIX "%s", place[i], release->erts_version);
        if (path == NULL)
            return -ENOMEM;
        if (tree_is_directory(root, path)) {
            *erts = path;
            return 0;
        }
    }
    tree_warn(release->base, "start_erl.data wants ERTS %s, which isn't there; looking for another",
              release->erts_version);
    return 0;
}

/* The only one in a place. */
static int find_only(const char *root, const char *place, const char **erts)
{
    struct strings names = {0};
    int result = tree_list(root, place, is_erts, &names);
    if (result < 0)
        return result;
    if (names.count == 0) {
        log_error("no Erlang run-time system (erts-*) in %s: install one there, or build the "
                  "release with its own and say --release-include-erts",
                  place);
        return -ENOENT;
    }
    if (names.count > 1) {
        log_error("several Erlang run-time systems in %s, from %s to %s: leave one, or name one in "
                  "releases/start_erl.data",
                  place, names.item[0], names.item[names.count - 1]);
        return -EEXIST;
    }
    const char *path = tree_path("%s/%s", place, names.item[0]);
    if (path == NULL)
        return -ENOMEM;
    *erts = path;
    return 0;
}

int erts_find(const char *root, const struct release *release, bool include_erts, const char **erts)
{
    const char *found = NULL;
    int result = release->erts_version == NULL ? 0 : find_version(root, release, &found);
    if (result == 0 && found == NULL)
        result = find_only(root, include_erts ? release->base : VM_ERLANG_ROOT, &found);
    if (result == 0)
        *erts = found;
    return result;
}
