/* SPDX-License-Identifier: MIT */
/* The late process: its jobs in order, after it has become modest. */
/* wrap: child_start setpriority record_boot record_previous seed_store arena_format */
#include "erlinit/late.h"
#include "erlinit/records.h"
#include "erlinit/seed.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "failing.h"
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>

pid_t __wrap_child_start(int (*function)(void *argument), void *argument);
int __wrap_setpriority(__priority_which_t which, id_t who, int priority);
void __wrap_record_boot(const struct options *options, const struct machine *machine);
void __wrap_record_previous(const struct options *options, const struct machine *machine);

int __wrap_seed_store(const char *directory, const unsigned char chain[SEED_CHAIN_BYTES]);

static const struct options given_options = {.state_directory.text = "/data"};
static const struct machine given_machine;
static int start_error, priority_error;
static char order[8];

static void note(char what)
{
    order[strlen(order)] = what;
}

pid_t __wrap_child_start(int (*function)(void *argument), void *argument)
{
    if (start_error != 0)
        return -start_error;
    assert_int_equal(function(argument), 0);
    return 5;
}

int __wrap_setpriority(__priority_which_t which, id_t who, int priority)
{
    assert_int_equal(which, PRIO_PROCESS);
    assert_int_equal(who, 0);
    assert_int_equal(priority, 19);
    note('p');
    errno = priority_error;
    return priority_error != 0 ? -1 : 0;
}

static void check(const struct options *options, const struct machine *machine)
{
    assert_ptr_equal(options, &given_options);
    assert_ptr_equal(machine, &given_machine);
}

void __wrap_record_boot(const struct options *options, const struct machine *machine)
{
    check(options, machine);
    note('b');
}

void __wrap_record_previous(const struct options *options, const struct machine *machine)
{
    check(options, machine);
    note('e');
}

int __wrap_seed_store(const char *directory, const unsigned char chain[SEED_CHAIN_BYTES])
{
    assert_string_equal(directory, "/data/seedrng");
    assert_ptr_equal(chain, given_machine.seed_chain);
    note('s');
    return -EROFS; /* has said so */
}

static int setup(void **state)
{
    (void)state;
    log_spy_reset();
    memset(order, 0, sizeof order);
    start_error = priority_error = 0;
    return 0;
}

static void works_off_its_list(void **state)
{
    (void)state;
    late_start(&given_options, &given_machine);
    assert_string_equal(order, "pbes");
    memset(order, 0, sizeof order);
    priority_error = EPERM;
    late_start(&given_options, &given_machine);
    assert_string_equal(order, "pbes");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void does_without_memory(void **state)
{
    (void)state;
    calls = 0;
    fail_at = 1;
    late_start(&given_options, &given_machine);
    fail_at = 0;
    assert_string_equal(order, "pbe");
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(log_spy_contains("no memory for the name of the seed's directory"));
}

static void says_when_it_cannot_start(void **state)
{
    (void)state;
    start_error = ENOMEM;
    late_start(&given_options, &given_machine);
    assert_string_equal(order, "");
    assert_string_equal(log_spy_last(), "Can't start the late process: Cannot allocate memory. "
                                        "/run/erlinit stays empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(works_off_its_list, setup),
        cmocka_unit_test_setup(says_when_it_cannot_start, setup),
        cmocka_unit_test_setup(does_without_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
