/* SPDX-License-Identifier: MIT */
/* Who is told to stop: the VM itself, wherever a wrapper has put it. On made-up processes. */
/* wrap: directory_list file_read kill */
#include "erlinit/files.h"
#include "erlinit/vm.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names);
ssize_t __wrap_file_read(const char *path, char *buffer, size_t size);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);

#define LEADER 200

/* /proc/PID/stat of each; the names in /proc are the numbers at the start of the lines. */
static const char *const *processes;
static char told[128];
static int list_error, kill_error;
static pid_t out_of_reach;

int __wrap_directory_list(const char *path, directory_filter *wanted, struct strings *names)
{
    assert_string_equal(path, "/proc");
    assert_ptr_equal(wanted, directory_entry_is_process);
    for (size_t i = 0; processes[i] != NULL && list_error == 0; i++)
        assert_int_equal(strings_add(names, arena_format("%d", atoi(processes[i]))), 0);
    return list_error;
}

ssize_t __wrap_file_read(const char *path, char *buffer, size_t size)
{
    for (size_t i = 0; processes[i] != NULL; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "/proc/%d/stat", atoi(processes[i]));
        if (strcmp(name, path) == 0 && strchr(processes[i], ' ') != NULL)
            return snprintf(buffer, size, "%s", processes[i]);
    }
    return -ESRCH;
}

int __wrap_kill(pid_t pid, int signal)
{
    size_t length = strlen(told);
    assert_int_equal(signal, SIGTERM);
    /* the linker takes this name only when calls come here, and not to the kernel */
    assert_ptr_not_equal(__real_kill, __wrap_kill);
    (void)snprintf(told + length, sizeof told - length, "%d ", (int)pid);
    errno = kill_error;
    return kill_error != 0 && (out_of_reach == 0 || out_of_reach == pid) ? -1 : 0;
}

static int setup(void **state)
{
    (void)state;
    list_error = kill_error = 0;
    out_of_reach = 0;
    log_spy_reset();
    return 0;
}

/* The processes are the arguments, each a line of /proc/PID/stat. */
#define ASSERT_TOLD(whom, ...)                                                                     \
    do {                                                                                           \
        processes = (const char *const[]){__VA_ARGS__, NULL};                                      \
        told[0] = '\0';                                                                            \
        vm_ask_to_stop(LEADER);                                                                    \
        assert_string_equal(told, whom);                                                           \
    } while (0)

#define INIT "1 (init) S 0 1 1 0 -1 4194560 9 9"

static void tells_its_child(void **state)
{
    (void)state;
    ASSERT_TOLD("200 ", INIT, "200 (beam.smp) S 1 200 200 0 -1 0");
    ASSERT_TOLD("200 ", INIT, "200 (erlexec) S 1 200 200 0 -1 0");
    ASSERT_TOLD("200 ", INIT, "200 (beam) S 1 200 200 0 -1 0");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void tells_the_vm_in_a_wrapper(void **state)
{
    (void)state;
    ASSERT_TOLD("201 ", INIT, "200 (nbtty) S 1 200", "201 (beam.smp) S 200 201");
    /* two deep, and listed before its parents */
    ASSERT_TOLD("150 ", "150 (erlexec) S 202 1", "200 (strace) S 1 1", "202 (sh) S 200 1", INIT);
}

static void leaves_others_vms_alone(void **state)
{
    (void)state;
    /* started by our VM: that one's business */
    ASSERT_TOLD("200 ", INIT, "200 (beam.smp) S 1 1", "210 (sh) S 200 1", "220 (beam.smp) S 210 1");
    ASSERT_TOLD("201 ", INIT, "200 (nbtty) S 1 1", "201 (beam.smp) S 200 1",
                "220 (beam.smp) S 201 1");
    /* not below our child at all */
    ASSERT_TOLD("200 ", INIT, "200 (nbtty) S 1 1", "300 (beam.smp) S 1 1");
}

static void tells_its_child_when_there_is_no_vm(void **state)
{
    (void)state;
    ASSERT_TOLD("200 ", INIT, "200 (sh) S 1 1", "201 (beamer) S 200 1", "202 (erlexecs) S 200 1");
    ASSERT_TOLD("200 ", INIT);
}

static void reads_any_name(void **state)
{
    (void)state;
    ASSERT_TOLD("201 ", INIT, "200 (a b) S 9 (c)) S 1 1", "201 (beam.smp) S 200 1");
    ASSERT_TOLD("200 ", INIT, "200 (sh) S 1 1", "201 ((beam.smp)) S 200 1");
    ASSERT_TOLD("200 ", INIT, "200 (sh) S 1 1", "201 () S 200 1");
    /* says itself that our VM is its parent */
    ASSERT_TOLD("201 ", INIT, "200 (sh) S 1 1", "201 (beam.smp) S 200 1",
                "202 (beam) S 200 1) S 201 1");
}

static void bears_what_changes_meanwhile(void **state)
{
    (void)state;
    /* gone between listing and reading; cut short; without parent; parents in a circle */
    ASSERT_TOLD("201 ", INIT, "199", "200 (sh) S 1 1", "201 (beam.smp) S 200 1");
    ASSERT_TOLD("200 ", "200 (sh) S 1 1", "201 (beam.smp)", "202 (beam.smp) S", "203 beam.smp");
    ASSERT_TOLD("200 ", "200 (sh) S 1 1", "201 (beam.smp) S x", "202 )beam.smp( S 200 1");
    ASSERT_TOLD("200 ", "200 (sh) S 1 1", "201 (beam.smp) S 777 1");
    ASSERT_TOLD("200 ", "200 (sh) S 1 1", "201 (beam.smp) S 202 1", "202 (sh) S 203 1",
                "203 (sh) S 202 1");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void tells_its_child_without_proc(void **state)
{
    (void)state;
    list_error = -ENOENT;
    ASSERT_TOLD("200 ", INIT, "200 (nbtty) S 1 1", "201 (beam.smp) S 200 1");
    assert_true(log_spy_contains("Can't look for the VM in /proc: No such file"));
}

static void tells_its_child_when_the_vm_has_gone(void **state)
{
    (void)state;
    kill_error = ESRCH;
    out_of_reach = 201;
    ASSERT_TOLD("201 200 ", INIT, "200 (nbtty) S 1 1", "201 (beam.smp) S 200 1");
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    out_of_reach = 0;
    ASSERT_TOLD("201 200 ", INIT, "200 (nbtty) S 1 1", "201 (beam.smp) S 200 1");
    assert_true(
        log_spy_contains("Can't tell process 200 to stop: No such process. It has its time"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_its_child, setup),
        cmocka_unit_test_setup(tells_the_vm_in_a_wrapper, setup),
        cmocka_unit_test_setup(leaves_others_vms_alone, setup),
        cmocka_unit_test_setup(tells_its_child_when_there_is_no_vm, setup),
        cmocka_unit_test_setup(reads_any_name, setup),
        cmocka_unit_test_setup(bears_what_changes_meanwhile, setup),
        cmocka_unit_test_setup(tells_its_child_without_proc, setup),
        cmocka_unit_test_setup(tells_its_child_when_the_vm_has_gone, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
