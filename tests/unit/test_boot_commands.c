/* SPDX-License-Identifier: MIT */
/* Steps around commands: the hostname's id, the commands before the VM. */
/* wrap: command_run command_begin command_end command_over_us sethostname file_read_line */
#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

int __wrap_command_run(const struct command *command);
int __wrap_command_begin(const struct command *command, struct command_running **running);
int __wrap_command_end(struct command_running *running);
uint64_t __wrap_command_over_us(const struct command_running *running);
int __wrap_sethostname(const char *name, size_t length);
ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);

static char ran[256], name_set[128];
static const char *id, *hostname_file;
static int status, sethostname_error;
static int64_t limit_ms;
static bool foreground;

int __wrap_command_run(const struct command *command)
{
    (void)strcat(strcat(ran, command->line), ";");
    limit_ms = command->limit_ms;
    foreground = command->foreground;
    return status;
}

static const struct command *begun;
static int begin_error, later_status;
static const char *later_id; /* NULL: as the first time */

int __wrap_command_begin(const struct command *command, struct command_running **running)
{
    if (begin_error)
        return begin_error;
    (void)strcat(strcat(ran, command->line), ";");
    limit_ms = command->limit_ms;
    foreground = command->foreground;
    begun = command;
    *running = (struct command_running *)&begun;
    return 0;
}

int __wrap_command_end(struct command_running *running)
{
    struct text output = text_into(begun->output, begun->output_size);
    int result = status;

    assert_ptr_equal(running, &begun);
    (void)text_add(&output, id);
    if (later_id) {
        id = later_id;
        status = later_status;
    }
    return result;
}

uint64_t __wrap_command_over_us(const struct command_running *running)
{
    (void)running;
    return UINT64_MAX;
}

int __wrap_sethostname(const char *name, size_t length)
{
    memcpy(name_set, name, length);
    name_set[length] = '\0';
    errno = sethostname_error;
    return sethostname_error ? -1 : 0;
}

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    struct text text = text_into(buffer, size);

    assert_string_equal(path, "/etc/hostname");
    if (!hostname_file)
        return -ENOENT;
    (void)text_add(&text, hostname_file);
    return (ssize_t)text.length;
}

static int setup(void **state)
{
    (void)state;
    ran[0] = name_set[0] = '\0';
    id = "ABC123\n";
    hostname_file = NULL;
    status = sethostname_error = begin_error = 0;
    later_id = NULL;
    log_spy_reset();
    return 0;
}

static struct boot boot;

static enum step_result get_id(const char *command, const char *pattern, bool aside)
{
    static struct options options;

    options = (struct options){.uniqueid_exec = {.text = command},
                               .hostname_pattern = {.text = pattern},
                               .uniqueid_timeout_ms = 10000};
    boot = (struct boot){.options = &options};
    if (aside)
        assert_int_equal(boot_id_begin(&boot), 0);
    return boot_id(&boot);
}

static void check_hostname(const char *command, const char *pattern, enum step_result result,
                           const char *expected)
{
    enum step_result of_id = get_id(command, pattern, false);

    assert_int_equal(boot_hostname(&boot), of_id == STEP_WARNED ? STEP_DONE : result);
    assert_int_equal(of_id, command == NULL || pattern == NULL ? STEP_SKIPPED : result);
    assert_string_equal(name_set, expected);
}

static void names_by_id(void **state)
{
    (void)state;
    check_hostname("/bin/id", "nerves-%-.4s", STEP_DONE, "nerves-c123");
    assert_int_equal(limit_ms, 10000);
    assert_false(foreground);
    assert_string_equal(ran, "/bin/id;");
}

static void cuts_the_id_at_white_space(void **state)
{
    (void)state;
    id = " \t abc def\nghi";
    check_hostname("/bin/id", "%s", STEP_DONE, "abc");
}

static void has_an_id_for_those_without(void **state)
{
    (void)state;
    check_hostname(NULL, "n-%s", STEP_DONE, "n-00000000");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    status = 1;
    check_hostname("/bin/id", "n-%s", STEP_WARNED, "n-00000000");
    assert_true(log_spy_contains("status 1"));
    status = 256 + 9;
    check_hostname("/bin/id", "n-%s", STEP_WARNED, "n-00000000");
    assert_true(log_spy_contains("signal 9"));
    status = -ENOENT;
    check_hostname("/bin/id", "n-%s", STEP_WARNED, "n-00000000");
    status = 0;
    id = " \n";
    check_hostname("/bin/id", "n-%s", STEP_WARNED, "n-00000000");
    begin_error = -EINVAL;
    check_hostname("/bin/id", "n-%s", STEP_WARNED, "n-00000000");
    assert_int_equal(log_spy_count(LOG_WARNING), 5);
}

static void takes_the_id_of_a_command_begun_before(void **state)
{
    (void)state;
    assert_int_equal(get_id("/bin/id", "%s", true), STEP_DONE);
    assert_string_equal(boot.id, "ABC123");
    assert_string_equal(ran, "/bin/id;");
    assert_int_equal(boot.aside.over_us, UINT64_MAX);
    assert_true(boot.aside.start_us > 0);
}

/* It may need what a mount holds: after them it has a second chance, which is the one that counts.
 */
static void runs_again_what_failed_before(void **state)
{
    (void)state;
    for (int failure = 0; failure < 2; failure++) {
        ran[0] = '\0';
        status = failure;
        id = failure ? "early" : "";
        later_status = 0;
        later_id = "later";
        assert_int_equal(get_id("/bin/id", "%s", true), STEP_DONE);
        assert_string_equal(boot.id, "later");
        assert_string_equal(ran, "/bin/id;/bin/id;");
    }
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    status = 1;
    later_status = 2;
    assert_int_equal(get_id("/bin/id", "%s", true), STEP_WARNED);
    assert_string_equal(boot.id, "00000000");
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(log_spy_contains("status 2"));
}

static void does_not_wait_twice_for_what_hangs(void **state)
{
    (void)state;
    status = -ETIMEDOUT;
    assert_int_equal(get_id("/bin/id", "%s", true), STEP_WARNED);
    assert_string_equal(ran, "/bin/id;");
    assert_string_equal(boot.id, "00000000");
}

static void names_by_file(void **state)
{
    (void)state;
    hostname_file = "My_Board.local";
    check_hostname("/bin/id", NULL, STEP_DONE, "myboard.local");
    assert_string_equal(ran, "");
}

static void sets_no_empty_name(void **state)
{
    (void)state;
    check_hostname(NULL, NULL, STEP_WARNED, "");
    check_hostname(NULL, "___", STEP_WARNED, "");
    assert_int_equal(log_spy_count(LOG_WARNING), 2);
}

static void cuts_a_long_name(void **state)
{
    char pattern[100], expected[64];

    (void)state;
    memset(pattern, 'x', sizeof pattern - 1);
    pattern[sizeof pattern - 1] = '\0';
    memset(expected, 'x', 63);
    expected[63] = '\0';
    check_hostname(NULL, pattern, STEP_DONE, expected);
}

static void warns_if_the_name_is_refused(void **state)
{
    (void)state;
    sethostname_error = EPERM;
    check_hostname(NULL, "x", STEP_WARNED, "x");
}

static enum step_result run_commands(size_t count)
{
    struct word words[] = {{"first a", {"f", 1, 1}}, {"second", {"f", 2, 1}}};
    const struct options options = {.pre_run_exec = {.item = words, .count = count},
                                    .command_timeout_ms = 300000};
    boot = (struct boot){.options = &options};
    ran[0] = '\0';
    log_spy_reset();
    return boot_prerun(&boot);
}

static void runs_all_commands_in_order(void **state)
{
    (void)state;
    assert_int_equal(run_commands(0), STEP_SKIPPED);
    assert_int_equal(run_commands(2), STEP_DONE);
    assert_string_equal(ran, "first a;second;");
    assert_int_equal(limit_ms, 300000);
    assert_true(foreground);
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void goes_on_after_a_failure(void **state)
{
    static const int failures[] = {3, 256 + 11, -ENOENT, -ETIMEDOUT};
    static const char *const words[] = {"status 3", "signal 11", "No such file", "300000 ms"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        status = failures[i];
        assert_int_equal(run_commands(2), STEP_WARNED);
        assert_string_equal(ran, "first a;second;");
        assert_int_equal(log_spy_count(LOG_WARNING), 2);
        assert_true(log_spy_contains(words[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_by_id, setup),
        cmocka_unit_test_setup(cuts_the_id_at_white_space, setup),
        cmocka_unit_test_setup(has_an_id_for_those_without, setup),
        cmocka_unit_test_setup(takes_the_id_of_a_command_begun_before, setup),
        cmocka_unit_test_setup(runs_again_what_failed_before, setup),
        cmocka_unit_test_setup(does_not_wait_twice_for_what_hangs, setup),
        cmocka_unit_test_setup(names_by_file, setup),
        cmocka_unit_test_setup(sets_no_empty_name, setup),
        cmocka_unit_test_setup(cuts_a_long_name, setup),
        cmocka_unit_test_setup(warns_if_the_name_is_refused, setup),
        cmocka_unit_test_setup(runs_all_commands_in_order, setup),
        cmocka_unit_test_setup(goes_on_after_a_failure, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
