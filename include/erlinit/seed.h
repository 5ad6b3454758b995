/* SPDX-License-Identifier: MIT */
/* The seed that carries randomness from one run of the machine to the next. */
#ifndef ERLINIT_SEED_H
#define ERLINIT_SEED_H

#include <stdint.h>

/*
 * The seed protocol (compat section 11), used at boot and at shutdown. `directory` is <state
 * dir>/seedrng. Credits only what may be credited. 0, or the first -errno after all possible has
 * been done (each failure is logged).
 */
int seed_refresh(const char *directory);

/* Latest time known to the seed directory (mtime of its files), 0 if none. */
int64_t seed_last_time(const char *directory);

#endif
