/* SPDX-License-Identifier: MIT */
/* The seed: never used twice, never trusted too early, never through a link. */
/* wrap: ioctl getrandom fsync unlinkat clock_gettime arena_format */
#include "../../src/storage/blake2s.h"
#include "erlinit/boot.h"
#include "erlinit/seed.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "failing.h"
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int __wrap_ioctl(int fd, unsigned long request, void *argument);
ssize_t __real_getrandom(void *buffer, size_t length, unsigned int flags);
ssize_t __wrap_getrandom(void *buffer, size_t length, unsigned int flags);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);

static char directory[128], seeds[160];
static char order[64]; /* u: a seed unlinked, f: fsync, p: added to the pool */
static int credits[4];
static unsigned char added[4][512];
static int added_length[4];
static size_t added_count;
static bool pool_ready, cannot_unlink, clock_stands;

static void record(char what)
{
    size_t length = strlen(order);
    if (length < sizeof order - 1) {
        order[length] = what;
        order[length + 1] = '\0';
    }
}

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    const struct rand_pool_info *info = argument;

    (void)fd;
    assert_int_equal(request, RNDADDENTROPY);
    assert_true(added_count < 4);
    credits[added_count] = info->entropy_count;
    added_length[added_count] = info->buf_size;
    memcpy(added[added_count++], info->buf, (size_t)info->buf_size);
    record('p');
    return 0;
}

ssize_t __wrap_getrandom(void *buffer, size_t length, unsigned int flags)
{
    if ((flags & GRND_NONBLOCK) && !pool_ready) {
        errno = EAGAIN;
        return -1;
    }
    memset(buffer, 'n', length);
    return (ssize_t)length;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!clock_stands)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? 1111 : 22, .tv_nsec = 3};
    return 0;
}

int __wrap_fsync(int fd)
{
    record('f');
    return __real_fsync(fd);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
    if (strcmp(name, "seed.credit") == 0 || strcmp(name, "seed.no-credit") == 0) {
        if (cannot_unlink) {
            errno = EIO;
            return -1;
        }
        record('u');
    }
    return __real_unlinkat(fd, name, flags);
}

static const char *in_seeds(const char *name)
{
    static char path[4][256];
    static unsigned int next;
    char *result = path[next++ % 4];

    (void)snprintf(result, 256, "%s/%s", seeds, name);
    return result;
}

static void write_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0400);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
}

static ssize_t read_file(const char *name, unsigned char *content)
{
    int fd = open(in_seeds(name), O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, content, 1024);
    (void)close(fd);
    return length;
}

static bool exists(const char *name)
{
    struct stat status;
    return lstat(in_seeds(name), &status) == 0;
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_entropy.XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(seeds, sizeof seeds, "%s/seedrng", directory);
    order[0] = '\0';
    added_count = 0;
    pool_ready = true;
    cannot_unlink = false;
    clock_stands = false;
    (void)unsetenv("SEEDRNG_SKIP_CREDIT");
    log_spy_reset();
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"seed.credit", "seed.no-credit", "target"};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        (void)unlink(in_seeds(names[i]));
    (void)rmdir(seeds);
    (void)unlink(seeds);
    (void)rmdir(directory);
    return 0;
}

static void stores_a_first_seed(void **state)
{
    unsigned char seed[1024];
    struct stat status;

    (void)state;
    mode_t mask = umask(0);
    assert_int_equal(seed_refresh(seeds), 0);
    assert_int_equal(umask(mask), 0); /* untouched */
    assert_int_equal(added_count, 0);
    assert_int_equal(stat(seeds, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(in_seeds("seed.credit"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_false(exists("seed.no-credit"));
    assert_true(read_file("seed.credit", seed) >= 32);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void does_not_trust_an_unready_pool(void **state)
{
    (void)state;
    pool_ready = false;
    assert_int_equal(seed_refresh(seeds), 0);
    assert_true(exists("seed.no-credit"));
    assert_false(exists("seed.credit"));
}

static void removes_before_it_uses(void **state)
{
    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "old seed");
    assert_int_equal(seed_refresh(seeds), 0);
    assert_true(strncmp(order, "ufp", 3) == 0);
    assert_int_equal(added_count, 1);
    assert_int_equal(credits[0], 64);
    assert_int_equal(added_length[0], 8);
    assert_memory_equal(added[0], "old seed", 8);
}

static void credits_only_the_creditable(void **state)
{
    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "AAAA");
    write_file(in_seeds("seed.no-credit"), "BBBB");
    assert_int_equal(seed_refresh(seeds), 0);
    assert_int_equal(added_count, 2);
    assert_memory_equal(added[0], "BBBB", 4);
    assert_int_equal(credits[0], 0);
    assert_memory_equal(added[1], "AAAA", 4);
    assert_int_equal(credits[1], 32);
    assert_true(strncmp(order, "ufpufp", 6) == 0);
}

static void credits_nothing_if_told_so(void **state)
{
    static const char *const yes[] = {"1", "true", "yes", "Y"};

    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    for (size_t i = 0; i < 4; i++) {
        added_count = 0;
        (void)unlink(in_seeds("seed.credit"));
        write_file(in_seeds("seed.credit"), "AAAA");
        assert_int_equal(setenv("SEEDRNG_SKIP_CREDIT", yes[i], 1), 0);
        assert_int_equal(seed_refresh(seeds), 0);
        assert_int_equal(credits[0], 0);
    }
    added_count = 0;
    assert_int_equal(setenv("SEEDRNG_SKIP_CREDIT", "0", 1), 0);
    assert_int_equal(seed_refresh(seeds), 0);
    assert_true(credits[0] > 0);
}

/* An old seed that stays would be used again after a power cut. */
static void does_not_use_what_it_cannot_remove(void **state)
{
    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "AAAA");
    cannot_unlink = true;
    assert_int_equal(seed_refresh(seeds), -EIO);
    assert_int_equal(added_count, 0);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

static void follows_no_link_to_a_seed(void **state)
{
    unsigned char content[1024];

    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("target"), "AAAA");
    assert_int_equal(symlink("target", in_seeds("seed.credit")), 0);
    assert_int_equal(symlink("target", in_seeds("seed.no-credit")), 0);
    assert_true(seed_refresh(seeds) < 0);
    assert_int_equal(added_count, 0);
    assert_int_equal(read_file("target", content), 4);
    assert_memory_equal(content, "AAAA", 4);
    assert_true(exists("seed.credit"));
}

static void follows_no_link_to_the_directory(void **state)
{
    (void)state;
    assert_int_equal(symlink("/tmp", seeds), 0);
    assert_true(seed_refresh(seeds) < 0);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

static void uses_nobody_elses_seed(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "AAAA");
    assert_int_equal(chown(in_seeds("seed.credit"), 1000, 1000), 0);
    assert_int_equal(seed_refresh(seeds), -EPERM);
    assert_int_equal(added_count, 0);
    assert_int_equal(chown(seeds, 1000, 1000), 0);
    assert_int_equal(seed_refresh(seeds), -EPERM);
}

static void warns_once_without_a_place(void **state)
{
    (void)state;
    (void)strcat(directory, "/no/such");
    assert_int_equal(seed_refresh(directory), -ENOENT);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    directory[strlen(directory) - strlen("/no/such")] = '\0';
}

/* The last 32 bytes hash both the old seed and the new one, times included: they change always. */
static void makes_a_new_seed_each_time(void **state)
{
    unsigned char first[1024], second[1024];

    (void)state;
    assert_int_equal(seed_refresh(seeds), 0);
    ssize_t length = read_file("seed.credit", first);
    assert_int_equal(seed_refresh(seeds), 0);
    assert_int_equal(read_file("seed.credit", second), length);
    assert_memory_not_equal(first + length - 32, second + length - 32, 32);
    assert_int_equal(added_count, 1);
    assert_memory_equal(added[0], first, (size_t)length);
}

static void hashes_as_the_protocol_says(void **state)
{
    static const struct timespec real = {1111, 3}, boot = {22, 3};
    static const size_t old_length = 4;
    unsigned char seed[1024], fresh[512], expected[BLAKE2S_HASH_BYTES];
    struct blake2s hash;

    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "AAAA");
    clock_stands = true;
    assert_int_equal(seed_refresh(seeds), 0);
    clock_stands = false;
    size_t length = (size_t)read_file("seed.credit", seed);
    memset(fresh, 'n', sizeof fresh);
    blake2s_start(&hash);
    blake2s_add(&hash, "SeedRNG v1 Old+New Prefix", 25);
    blake2s_add(&hash, &real, sizeof real);
    blake2s_add(&hash, &boot, sizeof boot);
    blake2s_add(&hash, &old_length, sizeof old_length);
    blake2s_add(&hash, "AAAA", 4);
    blake2s_add(&hash, &length, sizeof length);
    blake2s_add(&hash, fresh, length);
    blake2s_end(&hash, expected);
    assert_memory_equal(seed + length - sizeof expected, expected, sizeof expected);
}

static void uses_and_stores_in_two_halves(void **state)
{
    static const struct timespec real = {1111, 3}, boot = {22, 3};
    static const size_t chain_length = SEED_CHAIN_BYTES;
    unsigned char chain[SEED_CHAIN_BYTES], other[SEED_CHAIN_BYTES], seed[1024], fresh[512];
    uint8_t expected[BLAKE2S_HASH_BYTES];
    struct blake2s hash;

    (void)state;
    assert_false(seed_waits(seeds));
    assert_int_equal(mkdir(seeds, 0700), 0);
    assert_false(seed_waits(seeds));
    write_file(in_seeds("seed.credit"), "AAAA");
    assert_true(seed_waits(seeds));
    clock_stands = true;
    assert_int_equal(seed_use(seeds, chain), 0);
    assert_string_equal(order, "ufp");
    assert_int_equal(credits[0], 32);
    assert_false(exists("seed.credit"));
    assert_false(exists("seed.no-credit"));
    assert_false(seed_waits(seeds));
    write_file(in_seeds("seed.no-credit"), "AAAB");
    assert_true(seed_waits(seeds));
    assert_int_equal(seed_use(seeds, other), 0);
    assert_memory_not_equal(chain, other, sizeof chain); /* it depends on what there was */

    assert_int_equal(seed_store(seeds, chain), 0);
    clock_stands = false;
    assert_int_equal(added_count, 2);
    assert_true(exists("seed.credit"));
    size_t length = (size_t)read_file("seed.credit", seed);
    memset(fresh, 'n', sizeof fresh);
    blake2s_start(&hash);
    blake2s_add(&hash, "SeedRNG v1 Old+New Prefix", 25);
    blake2s_add(&hash, &real, sizeof real);
    blake2s_add(&hash, &boot, sizeof boot);
    blake2s_add(&hash, &chain_length, sizeof chain_length);
    blake2s_add(&hash, chain, sizeof chain);
    blake2s_add(&hash, &length, sizeof length);
    blake2s_add(&hash, fresh, length);
    blake2s_end(&hash, expected);
    assert_memory_equal(seed + length - sizeof expected, expected, sizeof expected);
}

/* It could not be removed in time, say: then it is used now. */
static void the_second_half_makes_up_for_the_first(void **state)
{
    static const unsigned char chain[SEED_CHAIN_BYTES];

    (void)state;
    assert_int_equal(mkdir(seeds, 0700), 0);
    write_file(in_seeds("seed.credit"), "old seed");
    assert_int_equal(seed_store(seeds, chain), 0);
    assert_true(strncmp(order, "ufp", 3) == 0);
    assert_int_equal(credits[0], 64);
    assert_true(exists("seed.credit"));
    assert_int_equal(chmod(seeds, 0777), 0);
    assert_int_equal(symlink("/etc/passwd", in_seeds("seed.no-credit")), 0);
    assert_true(seed_waits(seeds));
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    assert_string_equal(seed_directory("/data"), "/data/seedrng");
    calls = 0;
    fail_at = 1;
    assert_null(seed_directory("/data"));
    fail_at = 0;
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
}

static void knows_the_last_time(void **state)
{
    const struct timespec times[2] = {{.tv_sec = 1234567890}, {.tv_sec = 1234567890}};

    (void)state;
    assert_int_equal(seed_last_time(seeds), 0);
    assert_int_equal(seed_refresh(seeds), 0);
    assert_int_equal(utimensat(AT_FDCWD, in_seeds("seed.credit"), times, 0), 0);
    assert_int_equal(seed_last_time(seeds), 1234567890);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stores_a_first_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_trust_an_unready_pool, setup, teardown),
        cmocka_unit_test_setup_teardown(removes_before_it_uses, setup, teardown),
        cmocka_unit_test_setup_teardown(credits_only_the_creditable, setup, teardown),
        cmocka_unit_test_setup_teardown(credits_nothing_if_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_use_what_it_cannot_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(follows_no_link_to_a_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(follows_no_link_to_the_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(uses_nobody_elses_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(warns_once_without_a_place, setup, teardown),
        cmocka_unit_test_setup_teardown(makes_a_new_seed_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(hashes_as_the_protocol_says, setup, teardown),
        cmocka_unit_test_setup_teardown(uses_and_stores_in_two_halves, setup, teardown),
        cmocka_unit_test_setup_teardown(the_second_half_makes_up_for_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_the_last_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
