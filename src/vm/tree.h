/* SPDX-License-Identifier: MIT */
/*
 * Looking at a directory tree below `root`, which is in front of every path when the kernel is
 * asked and in none of the results: "" on the device, a directory when a tree is looked at from
 * outside. What can't be looked at for want of memory counts as absent.
 */
#ifndef VM_TREE_H
#define VM_TREE_H

#include "erlinit/arena.h"
#include "erlinit/files.h"

#include <stdbool.h>
#include <stddef.h>

/* A path in the arena, NULL without memory. */
#define tree_path(...) arena_format(__VA_ARGS__)

bool tree_is_directory(const char *root, const char *path);
bool tree_is_file(const char *root, const char *path); /* a regular one, links followed */

/* directory_list() below root. */
int tree_list_if(const char *root, const char *path, directory_filter *wanted,
                 struct strings *names);

/* The same. A directory that isn't there is empty, one that can't be read too, with a warning. 0 or
 * -ENOMEM. */
int tree_list(const char *root, const char *path, directory_filter *wanted, struct strings *names);

/* file_load() below root, at most `most` bytes. */
int tree_load(const char *root, const char *path, size_t most, char **content, size_t *length);

/* A warning about `path`; `format` has one %s, for `foreign`, which is shown printable. */
#define tree_warn(path, format, foreign)                                                           \
    do {                                                                                           \
        TEXT_ON_STACK(shown_, 160);                                                                \
        text_add_printable(&shown_, foreign, strlen(foreign));                                     \
        log_warning("%s: " format, path, shown_.at);                                               \
    } while (0)

#endif
