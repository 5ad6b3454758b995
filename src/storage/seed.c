/* SPDX-License-Identifier: MIT */
/*
 * The seed that carries randomness from one boot to the next, in the files and by the protocol of
 * SeedRNG, so that either program can follow the other on a device. The rule behind every order
 * here: a seed that may have been used must not be there any more when it is, whenever the power
 * goes.
 */
#include "erlinit/seed.h"

#include "blake2s.h"
#include "erlinit/arena.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/state.h"
#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEED_MIN_BITS  256
#define SEED_MAX_BITS  4096
#define SEED_MAX_BYTES (SEED_MAX_BITS / 8)

#define CREDITABLE     "seed.credit"
#define NOT_CREDITABLE "seed.no-credit"

_Static_assert(SEED_CHAIN_BYTES == BLAKE2S_HASH_BYTES, "a chain is a hash");

#ifndef GRND_INSECURE /* random(4), since Linux 5.6 */
#define GRND_INSECURE 4
#endif

struct refresh {
    const char *path; /* of the directory, for messages */
    int directory;
    struct blake2s hash;
    int first_error;
};

static void note(struct refresh *refresh, const char *what, int error)
{
    errno = -error;
    log_warning("entropy seed in %s: %s: %m", refresh->path, what);
    if (refresh->first_error == 0)
        refresh->first_error = error;
}

/* RNDADDENTROPY: random(4). */
static int add_to_pool(const unsigned char *seed, size_t length, bool credit)
{
    _Alignas(struct rand_pool_info) char bytes[sizeof(struct rand_pool_info) + SEED_MAX_BYTES];
    struct rand_pool_info *addition = (void *)bytes;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    addition->entropy_count = credit ? (int)(length * 8) : 0;
    addition->buf_size = (int)length;
    memcpy(addition->buf, seed, length);
    int result = ioctl(fd, RNDADDENTROPY, addition) < 0 ? -errno : 0;
    (void)close(fd);
    explicit_bzero(bytes, sizeof bytes);
    return result;
}

static bool may_credit(void)
{
    static const char *const yes[] = {"1", "true", "yes", "y"};
    const char *skip = getenv("SEEDRNG_SKIP_CREDIT");

    for (size_t i = 0; skip && i < sizeof yes / sizeof yes[0]; i++)
        if (strcasecmp(skip, yes[i]) == 0)
            return false;
    return true;
}

static void hash_seed(struct blake2s *hash, const unsigned char *seed, size_t length)
{
    blake2s_add(hash, &length, sizeof length);
    blake2s_add(hash, seed, length);
}

/* Takes an old seed away for good, then uses it. */
static void use_old_seed(struct refresh *refresh, const char *name, bool credit)
{
    unsigned char seed[SEED_MAX_BYTES];
    ssize_t length = state_read(refresh->directory, name, seed, sizeof seed);

    if (length == -ENOENT)
        return;
    if (unlinkat(refresh->directory, name, 0) < 0 || fsync(refresh->directory) < 0) {
        note(refresh, "an old seed can't be removed and is not used", -errno);
    } else if (length < 0) {
        note(refresh, "an old seed is not one of ours and was removed", (int)length);
    } else if (length > 0) {
        hash_seed(&refresh->hash, seed, (size_t)length);
        credit = credit && may_credit();
        int result = add_to_pool(seed, (size_t)length, credit);
        if (result < 0)
            note(refresh, "an old seed can't be given to the kernel", result);
        else
            log_info("entropy seed: %zd bytes given to the kernel, %s", length,
                     credit ? "credited" : "not credited");
    }
    explicit_bzero(seed, sizeof seed);
}

static size_t new_seed_length(void)
{
    char text[32];
    long long bits = 0;

    if (file_read_line("/proc/sys/kernel/random/poolsize", text, sizeof text) > 0)
        (void)text_to_number(text, 10, 0, SEED_MAX_BITS, &bits);
    if (bits < SEED_MIN_BITS)
        bits = SEED_MIN_BITS;
    return ((size_t)bits + 7) / 8;
}

/* Kernels before 5.6 can't say it with getrandom(2); /dev/random is readable once it is. */
static int read_urandom(unsigned char *seed, size_t length, bool *creditable)
{
    struct pollfd random = {.fd = open("/dev/random", O_RDONLY | O_CLOEXEC), .events = POLLIN};

    *creditable = random.fd >= 0 && poll(&random, 1, 0) == 1;
    if (random.fd >= 0)
        (void)close(random.fd);
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, seed, length);
    int result = got < 0 ? -errno : (size_t)got == length ? 0 : -EIO;
    (void)close(fd);
    return result;
}

static int make_new_seed(unsigned char *seed, size_t length, bool *creditable)
{
    ssize_t got = getrandom(seed, length, GRND_NONBLOCK);

    *creditable = got == (ssize_t)length;
    if (*creditable)
        return 0;
    if (got < 0 && errno == EAGAIN && getrandom(seed, length, GRND_INSECURE) == (ssize_t)length)
        return 0;
    return read_urandom(seed, length, creditable);
}

static int store(struct refresh *refresh, const unsigned char *seed, size_t length, bool creditable)
{
    int directory = refresh->directory;
    int result = file_replace(directory, NOT_CREDITABLE, 0400, seed, length);

    if (result < 0 || !creditable)
        return result;
    /* Only now, that it is whole on the disk, it may be trusted. */
    if (renameat(directory, NOT_CREDITABLE, directory, CREDITABLE) < 0 || fsync(directory) < 0)
        return -errno;
    return 0;
}

static void write_new_seed(struct refresh *refresh)
{
    unsigned char seed[SEED_MAX_BYTES];
    size_t length = new_seed_length();
    bool creditable = false;
    int result = make_new_seed(seed, length, &creditable);

    if (result < 0)
        note(refresh, "the kernel gives no random bytes", result);
    hash_seed(&refresh->hash, seed, length);
    blake2s_end(&refresh->hash, seed + length - BLAKE2S_HASH_BYTES);
    if (result == 0) {
        result = store(refresh, seed, length, creditable);
        if (result < 0)
            note(refresh, "no new seed can be stored", result);
    }
    explicit_bzero(seed, sizeof seed);
}

static void start_hash(struct blake2s *hash)
{
    static const char prefix[] = "SeedRNG v1 Old+New Prefix";
    struct timespec real = {0}, boot = {0};

    (void)clock_gettime(CLOCK_REALTIME, &real);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    blake2s_start(hash);
    blake2s_add(hash, prefix, sizeof prefix - 1);
    blake2s_add(hash, &real, sizeof real);
    blake2s_add(hash, &boot, sizeof boot);
}

const char *seed_directory(const char *state_directory)
{
    const char *directory = arena_format("%s/seedrng", state_directory);

    if (!directory)
        log_warning("no memory for the name of the seed's directory: no seed is read or stored");
    return directory;
}

/* False: there is no place for a seed. */
static bool begin(struct refresh *refresh)
{
    refresh->directory = state_directory_open(refresh->path, 0700);
    if (refresh->directory < 0) {
        note(refresh, "not usable, no seed is read or stored", refresh->directory);
        return false;
    }
    start_hash(&refresh->hash);
    return true;
}

static void use_old_seeds(struct refresh *refresh)
{
    use_old_seed(refresh, NOT_CREDITABLE, false);
    use_old_seed(refresh, CREDITABLE, true);
}

static int renew(const char *directory, const unsigned char *chain)
{
    struct refresh refresh = {.path = directory};

    if (!begin(&refresh))
        return refresh.first_error;
    if (chain)
        hash_seed(&refresh.hash, chain, SEED_CHAIN_BYTES);
    use_old_seeds(&refresh);
    write_new_seed(&refresh);
    (void)close(refresh.directory);
    return refresh.first_error;
}

int seed_refresh(const char *directory)
{
    return renew(directory, NULL);
}

int seed_store(const char *directory, const unsigned char chain[SEED_CHAIN_BYTES])
{
    return renew(directory, chain);
}

int seed_use(const char *directory, unsigned char chain[SEED_CHAIN_BYTES])
{
    struct refresh refresh = {.path = directory};

    if (!begin(&refresh))
        return refresh.first_error;
    use_old_seeds(&refresh);
    (void)close(refresh.directory);
    blake2s_end(&refresh.hash, chain);
    return refresh.first_error;
}

/* True if there is anything by the name of a seed. `last_s`: the latest time of those that are
 * files. */
static bool look_for_seeds(const char *directory, int64_t *last_s)
{
    static const char *const names[] = {CREDITABLE, NOT_CREDITABLE};
    bool there = false;
    int fd = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    for (size_t i = 0; fd >= 0 && i < sizeof names / sizeof names[0]; i++) {
        struct stat status;
        if (fstatat(fd, names[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        there = true;
        if (S_ISREG(status.st_mode) && status.st_mtime > *last_s)
            *last_s = status.st_mtime;
    }
    if (fd >= 0)
        (void)close(fd);
    return there;
}

bool seed_waits(const char *directory)
{
    int64_t last_s = 0;

    return look_for_seeds(directory, &last_s);
}

int64_t seed_last_time(const char *directory)
{
    int64_t last_s = 0;

    (void)look_for_seeds(directory, &last_s);
    return last_s;
}
