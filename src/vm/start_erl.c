/* SPDX-License-Identifier: MIT */
#include "start_erl.h"

#include "erlinit/log.h"
#include "erlinit/text.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define FILE_MOST_BYTES 65536

/* A separator, as far as two words are concerned. */
static bool is_blank(char c)
{
    return c == '\0' || text_is_space(c);
}

static char *take_word(const char **at, const char *end)
{
    while (*at < end && is_blank(**at))
        (*at)++;
    const char *start = *at;
    while (*at < end && !is_blank(**at))
        (*at)++;
    return arena_copy(start, (size_t)(*at - start));
}

/* Whether it (not empty) can be the name of something directly in a directory. */
static bool is_component(const char *name)
{
    return *name != '.' && strchr(name, '/') == NULL && strlen(name) <= NAME_MAX;
}

int start_erl_read(const char *root, const char *releases, struct start_erl *data)
{
    char *content;
    size_t length;
    const char *path = tree_path("%s/%s", releases, START_ERL_DATA);
    int result = path == NULL ? -ENOMEM : tree_load(root, path, FILE_MOST_BYTES, &content, &length);
    if (result == -ENOENT || result == -ENOTDIR)
        return 0;
    if (result == -ENOMEM)
        return result;
    if (result < 0) {
        errno = -result;
        log_warning("can't read %s: %m; going on without it", path);
        return 0;
    }
    const char *at = content;
    const char *erts = take_word(&at, content + length);
    const char *version = take_word(&at, content + length);
    if (erts == NULL || version == NULL)
        return -ENOMEM;
    if (*version == '\0') {
        tree_warn(path, "\"%s\" are not an ERTS version and a release version, ignored", erts);
        return 0;
    }
    data->erts = is_component(erts) ? erts : NULL;
    data->version = is_component(version) ? version : NULL;
    if (data->erts == NULL)
        tree_warn(path, "\"%s\" can't be an ERTS version, ignored", erts);
    if (data->version == NULL)
        tree_warn(path, "\"%s\" can't be a release version, ignored", version);
    return 0;
}
