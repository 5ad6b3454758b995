/* SPDX-License-Identifier: MIT */
/* BLAKE2s as RFC 7693 has it: no key, 32 bytes of hash. */
#ifndef BLAKE2S_H
#define BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2S_HASH_BYTES  32
#define BLAKE2S_BLOCK_BYTES 64

struct blake2s {
    uint32_t state[8];
    uint64_t counted;                   /* bytes compressed so far */
    uint8_t block[BLAKE2S_BLOCK_BYTES]; /* not compressed yet: the last block is special */
    size_t filled;
};

void blake2s_start(struct blake2s *hash);
void blake2s_add(struct blake2s *hash, const void *bytes, size_t length);

/* Ends the hash; the struct holds nothing of use (and nothing secret) afterwards. */
void blake2s_end(struct blake2s *hash, uint8_t result[BLAKE2S_HASH_BYTES]);

#endif
