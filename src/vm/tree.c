/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include "erlinit/files.h"
#include "erlinit/log.h"

#include <errno.h>
#include <sys/stat.h>

bool tree_is_directory(const char *root, const char *path)
{
    const char *full = arena_format("%s%s", root, path);
    return full != NULL && path_is_directory(full);
}

bool tree_is_file(const char *root, const char *path)
{
    struct stat status;
    const char *full = arena_format("%s%s", root, path);
    return full != NULL && stat(full, &status) == 0 && S_ISREG(status.st_mode);
}

int tree_list_if(const char *root, const char *path, directory_filter *wanted,
                 struct strings *names)
{
    const char *full = arena_format("%s%s", root, path);
    return full == NULL ? -ENOMEM : directory_list(full, wanted, names);
}

int tree_list(const char *root, const char *path, directory_filter *wanted, struct strings *names)
{
    int result = tree_list_if(root, path, wanted, names);
    if (result == 0 || result == -ENOMEM)
        return result;
    if (result != -ENOENT) {
        errno = -result;
        log_warning("can't read %s: %m; going on without it", path);
    }
    return 0;
}

int tree_load(const char *root, const char *path, size_t most, char **content, size_t *length)
{
    const char *full = arena_format("%s%s", root, path);
    return full == NULL ? -ENOMEM : file_load(full, most, content, length);
}
