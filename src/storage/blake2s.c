/* SPDX-License-Identifier: MIT */
#include "blake2s.h"

#include <stdbool.h>
#include <string.h>

#define ROUNDS 10

/* RFC 7693, section 2.6: the first 32 bits of the fractions of the square roots of the first
 * primes. */
static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* RFC 7693, section 2.7: which word of the message each half step of a round takes. */
static const uint8_t schedule[ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

/* The words of the state that each of a round's eight mixes works on: columns, then diagonals. */
static const uint8_t lanes[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                    {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};

static uint32_t rotate_right(uint32_t word, unsigned int bits)
{
    return word >> bits | word << (32 - bits);
}

static uint32_t load_little_endian(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store_little_endian(uint8_t *at, uint32_t word)
{
    for (unsigned int i = 0; i < 4; i++)
        at[i] = (uint8_t)(word >> (8 * i));
}

static void mix(uint32_t v[16], const uint8_t lane[4], uint32_t x, uint32_t y)
{
    uint32_t *a = &v[lane[0]], *b = &v[lane[1]], *c = &v[lane[2]], *d = &v[lane[3]];

    *a += *b + x;
    *d = rotate_right(*d ^ *a, 16);
    *c += *d;
    *b = rotate_right(*b ^ *c, 12);
    *a += *b + y;
    *d = rotate_right(*d ^ *a, 8);
    *c += *d;
    *b = rotate_right(*b ^ *c, 7);
}

static void compress(struct blake2s *hash, bool last)
{
    uint32_t v[16], message[16];

    memcpy(v, hash->state, sizeof hash->state);
    memcpy(v + 8, initial, sizeof initial);
    v[12] ^= (uint32_t)hash->counted;
    v[13] ^= (uint32_t)(hash->counted >> 32);
    if (last)
        v[14] = ~v[14];
    for (size_t i = 0; i < 16; i++)
        message[i] = load_little_endian(hash->block + 4 * i);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < 8; i++)
            mix(v, lanes[i], message[schedule[round][2 * i]], message[schedule[round][2 * i + 1]]);
    for (size_t i = 0; i < 8; i++)
        hash->state[i] ^= v[i] ^ v[i + 8];
}

void blake2s_start(struct blake2s *hash)
{
    *hash = (struct blake2s){.filled = 0};
    memcpy(hash->state, initial, sizeof initial);
    /* The parameter block: no key, fan-out 1, depth 1, and the length of the hash. */
    hash->state[0] ^= 0x01010000 ^ BLAKE2S_HASH_BYTES;
}

void blake2s_add(struct blake2s *hash, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    while (length > 0) {
        /* A full block waits until more comes: only then is it known not to be the last one. */
        if (hash->filled == BLAKE2S_BLOCK_BYTES) {
            hash->counted += BLAKE2S_BLOCK_BYTES;
            compress(hash, false);
            hash->filled = 0;
        }
        size_t part = BLAKE2S_BLOCK_BYTES - hash->filled;
        if (part > length)
            part = length;
        memcpy(hash->block + hash->filled, from, part);
        hash->filled += part;
        from += part;
        length -= part;
    }
}

void blake2s_end(struct blake2s *hash, uint8_t result[BLAKE2S_HASH_BYTES])
{
    hash->counted += hash->filled;
    memset(hash->block + hash->filled, 0, BLAKE2S_BLOCK_BYTES - hash->filled);
    compress(hash, true);
    for (size_t i = 0; i < 8; i++)
        store_little_endian(result + 4 * i, hash->state[i]);
    explicit_bzero(hash, sizeof *hash);
}
