/* SPDX-License-Identifier: MIT */
#include "erlinit/arena.h"

#include "erlinit/text.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Address space only: pages that are not touched cost nothing. */
#ifndef ARENA_BLOCK_BYTES /* none under the fuzzer: each piece a block, with guards around it */
#define ARENA_BLOCK_BYTES ((size_t)64 * 1024)
#define ARENA_FIRST_BYTES ((size_t)2048)
#endif

/* More than any path or setting: the kernel's command line has 2 to 4 KB, a config file at most 1
 * MB. */
#define ARENA_FORMAT_MOST_BYTES ((size_t)4 * 1024 * 1024)

#ifdef ARENA_FIRST_BYTES
/* Most boots need no more than what is behind PID 1's variables, in a page that is there anyway. */
static _Alignas(max_align_t) char first_block[ARENA_FIRST_BYTES];
static char *block_next = first_block;
static size_t block_left = ARENA_FIRST_BYTES;
#else
static char *block_next;
static size_t block_left;
#endif

void *arena_alloc(size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - ARENA_BLOCK_BYTES)
        return NULL;
    size = (size + align - 1) / align * align;
    if (size > block_left) {
        size_t block = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
        void *fresh = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        block_next = fresh;
        block_left = block;
    }
    void *result = block_next;
    block_next += size;
    block_left -= size;
    return result;
}

char *arena_copy(const char *bytes, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(length + 1) : NULL;
    if (copy != NULL && length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *arena_string(const char *string)
{
    return arena_copy(string, strlen(string));
}

char *arena_format(const char *format, ...)
{
    /* most results are paths, and fit here at once */
    TEXT_ON_STACK(text, 512);
    va_list arguments;
    va_start(arguments, format);
    bool whole = text_vformat(&text, format, arguments);
    va_end(arguments);
    for (size_t size = 4096; !whole && size <= ARENA_FORMAT_MOST_BYTES; size *= 4) {
        char *larger = arena_alloc(size);
        if (larger == NULL)
            return NULL;
        text = text_into(larger, size);
        va_start(arguments, format);
        whole = text_vformat(&text, format, arguments);
        va_end(arguments);
    }
    return whole ? arena_copy(text.at, text.length) : NULL;
}

int strings_add(struct strings *list, const char *string)
{
    if (list->count + 2 > list->room) {
        size_t room = list->room == 0 ? 8 : list->room * 2;
        const char **item = arena_alloc(room * sizeof *item);
        if (item == NULL)
            return -ENOMEM;
        if (list->count > 0)
            memcpy(item, list->item, list->count * sizeof *item);
        list->item = item;
        list->room = room;
    }
    list->item[list->count++] = string;
    list->item[list->count] = NULL;
    return 0;
}

/* Shell sort: no recursion, no memory; lists are directories, hundreds of names at most. */
void strings_sort(struct strings *list)
{
    for (size_t gap = list->count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < list->count; i++) {
            const char *moving = list->item[i];
            size_t j = i;
            for (; j >= gap && strcmp(list->item[j - gap], moving) > 0; j -= gap)
                list->item[j] = list->item[j - gap];
            list->item[j] = moving;
        }
    }
}
