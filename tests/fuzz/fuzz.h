/* SPDX-License-Identifier: MIT */
/*
 * What every fuzz target has. A target is a file in targets/ that defines fuzz_target(); it calls
 * what it tests, and states with FUZZ_CHECK what must hold for any bytes. Each input runs twice: as
 * it is, and once more with memory that ends somewhere (which allocation fails is up to the input).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program in a way that the fuzzer reports, with the input. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
__attribute__((noreturn)) void fuzz_fail(const char *file, int line, const char *what);

/* The target. `bytes` has exactly `size` bytes, and no NUL behind them. */
void fuzz_target(const uint8_t *bytes, size_t size);

/* A copy (up to the first NUL in it, `most` bytes at most) that is freed after the input, with
 * guards right behind its NUL. */
char *fuzz_string(const uint8_t *bytes, size_t size);

/* Cuts the next line off the front of *bytes, as fuzz_string(). "" when nothing is left. */
char *fuzz_line(const uint8_t **bytes, size_t *size);

/* A file with this content, below a directory of this process in memory; the path is valid until
 * the program ends. `name` has no slash. */
const char *fuzz_directory(void);
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t size);

/* True once memory was refused to the input that runs; true if it may be. */
bool fuzz_starved(void);
bool fuzz_may_starve(void);

/* arena.c. Frees everything; from then on `allowed` allocations succeed. */
void fuzz_arena_reset(size_t allowed);
size_t fuzz_arena_taken(void);

/* Lines logged since the input began. */
size_t fuzz_log_lines(void);
void fuzz_log_reset(void);

/* Where a byte ends up that a log line may not have. */
static inline bool fuzz_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

#endif
