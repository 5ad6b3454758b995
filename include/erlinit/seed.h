/* SPDX-License-Identifier: MIT */
/* The seed that carries randomness from one run of the machine to the next. */
#ifndef ERLINIT_SEED_H
#define ERLINIT_SEED_H

#include <stdbool.h>
#include <stdint.h>

#define SEED_CHAIN_BYTES 32

/* The seed's directory in the state directory; in the arena, NULL without memory (said so). */
const char *seed_directory(const char *state_directory);

/*
 * The seed protocol (compat section 11), used at shutdown. `directory` is the seed's.
 * Each old seed is removed for good, then given to the kernel, which credits only what may be
 * credited; then a new one is stored. 0, or the first -errno after all possible has been done (each
 * failure is logged).
 */
int seed_refresh(const char *directory);

/*
 * The same in two halves: the first before the VM starts, the second when it runs, so that nobody
 * waits for the new seed. `chain` carries the old seeds (as a hash) from the one to the other, for
 * the new one is to depend on them. Old seeds that are there at the second half are used then.
 */
int seed_use(const char *directory, unsigned char chain[SEED_CHAIN_BYTES]);
int seed_store(const char *directory, const unsigned char chain[SEED_CHAIN_BYTES]);

/* Whether the first half has anything to do. */
bool seed_waits(const char *directory);

/* Latest time known to the seed directory (mtime of its files), 0 if none. */
int64_t seed_last_time(const char *directory);

#endif
