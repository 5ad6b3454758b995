/* SPDX-License-Identifier: MIT */
/*
 * The directory of the seed as anything may have left it. The first byte says what is where: two
 * bits for each name (nothing, a file with the bytes, a link, a directory or FIFO). The kernel's
 * pool is not touched: RNDADDENTROPY ends here.
 */
#include "fuzz.h"

#include <linux/random.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t credited_bytes;
static size_t additions;

static int add_entropy(int fd, unsigned long request, const struct rand_pool_info *addition)
{
    FUZZ_CHECK(fd >= 0 && request == RNDADDENTROPY);
    FUZZ_CHECK(addition->buf_size > 0 && addition->buf_size <= 512);
    FUZZ_CHECK(addition->entropy_count == 0 || addition->entropy_count == addition->buf_size * 8);
    credited_bytes += (size_t)addition->entropy_count / 8;
    additions++;
    return 0;
}

#define ioctl(fd, request, argument) add_entropy(fd, request, argument)
/* NOLINTNEXTLINE(bugprone-suspicious-include): without the kernel */
#include "../../../src/storage/seed.c"
#undef ioctl

enum { NOTHING, SEED_FILE, LINK, NO_FILE };

static void put(const char *name, unsigned int what, const uint8_t *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);
    (void)rmdir(path);
    (void)unlink(path);
    if (what == SEED_FILE)
        (void)fuzz_file(name, bytes, size);
    else if (what == LINK)
        FUZZ_CHECK(symlink("elsewhere", path) == 0);
    else if (what == NO_FILE)
        FUZZ_CHECK((size % 2 == 0 ? mkdir(path, 0700) : mkfifo(path, 0600)) == 0);
}

/* A file of ours: the length in bytes. -1: there is none. */
static long seed_length(const char *name)
{
    struct stat status;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);
    if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    FUZZ_CHECK((status.st_mode & 07777) == 0400);
    return status.st_size;
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    unsigned int no_credit = *bytes & 3;
    unsigned int credit = *bytes >> 2 & 3;
    bytes++;
    size--;
    (void)fuzz_file("elsewhere", bytes, size);
    put(NOT_CREDITABLE, no_credit, bytes, size);
    put(CREDITABLE, credit, bytes, size);
    credited_bytes = additions = 0;
    int result = seed_refresh(fuzz_directory());
    size_t used = size < SEED_MAX_BYTES ? size : SEED_MAX_BYTES;
    FUZZ_CHECK(credited_bytes == (credit == SEED_FILE ? used : 0));
    FUZZ_CHECK(additions <= (size_t)(no_credit == SEED_FILE) + (credit == SEED_FILE));
    bool in_order = (no_credit == NOTHING || no_credit == SEED_FILE) &&
                    (credit == NOTHING || credit == SEED_FILE);
    FUZZ_CHECK(result == 0 || !in_order || fuzz_starved());
    if (result == 0) {
        FUZZ_CHECK(seed_length(NOT_CREDITABLE) == -1);
        FUZZ_CHECK(seed_length(CREDITABLE) >= 32 && seed_length(CREDITABLE) <= SEED_MAX_BYTES);
    }
    FUZZ_CHECK(seed_last_time(fuzz_directory()) >= 0);
}
