/* SPDX-License-Identifier: MIT */
/*
 * Memory that is never given back. Everything that configure and boot must remember (options, the
 * VM's arguments) comes from here; the event loop and the shutdown use none of it. Backed by
 * anonymous mmap(2).
 */
#ifndef ERLINIT_ARENA_H
#define ERLINIT_ARENA_H

#include <stddef.h>

/* `size` zeroed bytes, aligned for any type, or NULL when the kernel has no memory. Never freed. */
void *arena_alloc(size_t size);

/* Copies into the arena; NULL when there is no memory. */
char *arena_copy(const char *bytes, size_t length); /* adds a NUL */
char *arena_string(const char *string);
__attribute__((format(printf, 1, 2))) char *arena_format(const char *format, ...);

/* A growing list of strings. All zero is an empty list. */
struct strings {
    const char **item; /* item[count] is NULL once anything was added: usable as argv or envp */
    size_t count;
    size_t room;
};

/* Appends the pointer (not a copy). 0 or -ENOMEM; the list is unchanged on failure. */
int strings_add(struct strings *list, const char *string);

/* Sorts by strcmp(3). */
void strings_sort(struct strings *list);

#endif
