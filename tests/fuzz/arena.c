/* SPDX-License-Identifier: MIT */
/*
 * The arena as it ships, with two definitions that make it a sharper thing to test with: blocks are
 * exactly as long as what was asked for, and come from malloc(3), whose bounds AddressSanitizer
 * guards. Freed after each input. And it can run out of memory wherever a target wants it to.
 */
#include "fuzz.h"

#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct piece {
    struct piece *next;
    void *bytes;
} * pieces;
static size_t taken;
static size_t most = SIZE_MAX;

static void *map_piece(size_t size)
{
    if (taken++ >= most)
        return MAP_FAILED;
    struct piece *piece = malloc(sizeof *piece);
    FUZZ_CHECK(piece != NULL);
    *piece = (struct piece){.next = pieces, .bytes = calloc(1, size)};
    FUZZ_CHECK(piece->bytes != NULL);
    pieces = piece;
    return piece->bytes;
}

#undef alignof
#define alignof(type) ((size_t)1)
#define ARENA_BLOCK_BYTES                   ((size_t)0)
#define mmap(at, size, access, kind, fd, o) map_piece(size)

/* NOLINTNEXTLINE(bugprone-suspicious-include): that is the point */
#include "../../src/base/arena.c"

size_t fuzz_arena_taken(void)
{
    return taken;
}

void fuzz_arena_reset(size_t allowed)
{
    while (pieces != NULL) {
        struct piece *next = pieces->next;
        free(pieces->bytes);
        free(pieces);
        pieces = next;
    }
    block_next = NULL;
    block_left = 0;
    taken = 0;
    most = allowed;
}
