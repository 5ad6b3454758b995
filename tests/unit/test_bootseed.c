/* SPDX-License-Identifier: MIT */
/* A disk that does not answer costs the seed, not the boot; without a seed there is no process. */
/* wrap: child_call seed_waits seed_use mmap */
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/seed.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms);
bool __wrap_seed_waits(const char *directory);
int __wrap_seed_use(const char *directory, unsigned char chain[SEED_CHAIN_BYTES]);
void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);

static const char hash[SEED_CHAIN_BYTES] = "what becomes of the old seed";
static int use_result, call_error, calls;
static bool waits, no_memory;
static struct boot boot;

bool __wrap_seed_waits(const char *directory)
{
    assert_string_equal(directory, "/data/seedrng");
    return waits;
}

int __wrap_seed_use(const char *directory, unsigned char chain[SEED_CHAIN_BYTES])
{
    assert_string_equal(directory, "/data/seedrng");
    memcpy(chain, hash, sizeof hash);
    return use_result;
}

/* In a process of its own, as it will be. */
int __wrap_child_call(int (*function)(void *argument), void *argument, int64_t limit_ms)
{
    int status = 0;

    calls++;
    assert_int_equal(limit_ms, 4321);
    if (call_error != 0)
        return call_error;
    pid_t pid = fork();
    if (pid == 0)
        _exit(function(argument));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return -WEXITSTATUS(status);
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return no_memory && (flags & MAP_SHARED)
               ? MAP_FAILED
               : __real_mmap(at, length, protection, flags, fd, offset);
}

static enum step_result run(int result, int error)
{
    static const struct options options = {.state_directory.text = "/data",
                                           .seed_timeout_ms = 4321};
    boot = (struct boot){.options = &options};
    use_result = result;
    call_error = error;
    calls = 0;
    log_spy_reset();
    return boot_entropy(&boot);
}

static int setup(void **state)
{
    (void)state;
    waits = true;
    no_memory = false;
    return 0;
}

static void says_how_it_went(void **state)
{
    (void)state;
    assert_int_equal(run(0, 0), STEP_DONE);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    /* the next seed is to depend on it */
    assert_memory_equal(boot.seed_chain, hash, sizeof hash);
    /* who failed has said so */
    assert_int_equal(run(-EROFS, 0), STEP_WARNED);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void starts_no_process_for_nothing(void **state)
{
    (void)state;
    waits = false;
    assert_int_equal(run(0, 0), STEP_SKIPPED);
    assert_int_equal(calls, 0);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void does_not_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(run(0, -ETIMEDOUT), STEP_WARNED);
    assert_true(log_spy_contains("entropy seed in /data/seedrng: "));
    assert_int_equal(run(0, -EINTR), STEP_WARNED);
    assert_true(log_spy_contains("goes on without it"));
}

static void goes_on_without_memory(void **state)
{
    (void)state;
    no_memory = true;
    assert_int_equal(run(0, 0), STEP_WARNED);
    assert_int_equal(calls, 0);
    assert_true(log_spy_contains("entropy seed in /data/seedrng: Cannot allocate memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(says_how_it_went, setup),
        cmocka_unit_test_setup(starts_no_process_for_nothing, setup),
        cmocka_unit_test_setup(does_not_wait_for_ever, setup),
        cmocka_unit_test_setup(goes_on_without_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
