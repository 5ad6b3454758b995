/* SPDX-License-Identifier: MIT */
/* Commands as they are run; how a line is split is in test_split.c. */
/* wrap: fork pipe2 fcntl signalfd dup2 mmap execve kill */
/* wrap: terminal_foreground terminal_sane poll */
#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/terminal.h"
#include "erlinit/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "scratch.h"
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum call { NONE, FORK, PIPE, FCNTL, SIGNALFD, DUP, MMAP, CALLS };

static enum call failing;
static int failing_number, failing_error;
static int seen[CALLS];
static char executed[2048];
static bool never_exec;
static pid_t killed, foreground[2];
static int foreground_count;

static bool fails(enum call call)
{
    if (++seen[call] != failing_number || call != failing)
        return false;
    errno = failing_error;
    return true;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __real_pipe2(int fds[2], int flags);
int __wrap_pipe2(int fds[2], int flags);
int __real_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument);
int __real_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags);
int __real_dup2(int from, int to);
int __wrap_dup2(int from, int to);
void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int __real_execve(const char *path, char *const argv[], char *const envp[]);
int __wrap_execve(const char *path, char *const argv[], char *const envp[]);
int __real_kill(pid_t pid, int signal);
int __wrap_kill(pid_t pid, int signal);
void __wrap_terminal_foreground(pid_t group);
void __wrap_terminal_sane(void);
int __real_poll(struct pollfd *watched, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms);

pid_t __wrap_fork(void)
{
    return fails(FORK) ? -1 : __real_fork();
}

int __wrap_pipe2(int fds[2], int flags)
{
    assert_true((flags & O_CLOEXEC) != 0);
    return fails(PIPE) ? -1 : __real_pipe2(fds, flags);
}

int __wrap_fcntl(int fd, int command, long argument)
{
    return fails(FCNTL) ? -1 : __real_fcntl(fd, command, argument);
}

int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    return fails(SIGNALFD) ? -1 : __real_signalfd(fd, set, flags);
}

int __wrap_dup2(int from, int to)
{
    return fails(DUP) ? -1 : __real_dup2(from, to);
}

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return fails(MMAP) ? MAP_FAILED : __real_mmap(at, length, protection, flags, fd, offset);
}

/* In the child. With never_exec, the paths that were tried go to standard output instead. */
int __wrap_execve(const char *path, char *const argv[], char *const envp[])
{
    if (!never_exec)
        return __real_execve(path, argv, envp);
    (void)!write(STDOUT_FILENO, path, strlen(path));
    (void)!write(STDOUT_FILENO, "\n", 1);
    errno = strncmp(path, "/usr/bin/", 9) == 0 ? EACCES : ENOENT;
    return -1;
}

int __wrap_kill(pid_t pid, int signal)
{
    killed = pid;
    assert_int_equal(signal, SIGKILL);
    return __real_kill(pid, signal);
}

void __wrap_terminal_foreground(pid_t group)
{
    foreground[foreground_count++ % 2] = group;
}

void __wrap_terminal_sane(void)
{
}

static int polls;

int __wrap_poll(struct pollfd *watched, nfds_t count, int timeout_ms)
{
    polls++;
    return __real_poll(watched, count, timeout_ms);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += __real_fcntl(fd, F_GETFD, 0) >= 0;
    return count;
}

static size_t before;

static int setup(void **state)
{
    sigset_t set;
    failing = NONE;
    memset(seen, 0, sizeof seen);
    never_exec = false;
    killed = 0;
    foreground_count = 0;
    child_set_hooks(NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    before = open_descriptors();
    return scratch_make(state);
}

static int teardown(void **state)
{
    int status;
    /* no child and no descriptor is left */
    return scratch_remove(state) != 0 || open_descriptors() != before ||
           waitpid(-1, &status, WNOHANG) != -1;
}

static void arm(enum call call, int number, int error)
{
    memset(seen, 0, sizeof seen);
    failing = call;
    failing_number = number;
    failing_error = error;
}

static int run(const char *line, int64_t limit_ms)
{
    const struct command command = {.line = line, .limit_ms = limit_ms};
    return command_run(&command);
}

static int run_for_output(const char *line)
{
    const struct command command = {
        .line = line, .limit_ms = 60000, .output = executed, .output_size = sizeof executed};
    memset(executed, 'X', sizeof executed - 1);
    return command_run(&command);
}

static void gives_the_exit_status(void **state)
{
    (void)state;
    assert_int_equal(run("true", 60000), 0);
    assert_int_equal(run("/bin/sh -c 'exit 42'", 0), 42);
    assert_int_equal(run("sh -c 'exit 255'", 60000), 255);
    assert_int_equal(run("sh -c 'kill -9 $$'", 60000), 256 + SIGKILL);
    assert_int_equal(run("sh -c 'kill -TERM $$'", 60000), 256 + SIGTERM);
}

static void says_why_it_was_not_run(void **state)
{
    (void)state;
    scratch_file("/plain", "no program\n");
    assert_int_equal(chmod(scratch_path("/plain"), 0644), 0);
    assert_int_equal(run("/no/such/program", 60000), -ENOENT);
    assert_int_equal(run("no-such-program", 60000), -ENOENT);
    assert_int_equal(run("/etc/passwd/x", 60000), -ENOTDIR);
    assert_int_equal(run(scratch_path("/plain"), 60000), -EACCES);
    assert_int_equal(chmod(scratch_path("/plain"), 0755), 0);
    assert_int_equal(run(scratch_path("/plain"), 60000), -ENOEXEC);
    assert_int_equal(run("", 60000), -EINVAL);
    assert_int_equal(run("a 'b", 60000), -EINVAL);
    /* exit status 127 of a program is not a program that was not found */
    assert_int_equal(run("sh -c 'exit 127'", 60000), 127);
}

static void looks_along_its_path(void **state)
{
    (void)state;
    never_exec = true;
    assert_int_equal(run_for_output("program"), -EACCES);
    assert_string_equal(executed, "/usr/sbin/program\n/usr/bin/program\n/sbin/program\n"
                                  "/bin/program\n");
    assert_int_equal(run_for_output("./program"), -ENOENT);
    assert_string_equal(executed, "./program\n");
}

static void replaces_the_path_in_the_environment(void **state)
{
    (void)state;
    (void)setenv("PATH", "/nowhere", 1);
    (void)setenv("PATHS", "kept", 1);
    assert_int_equal(run_for_output("env"), 0);
    assert_non_null(strstr(executed, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
    assert_null(strstr(executed, "/nowhere"));
    assert_non_null(strstr(executed, "PATHS=kept\n"));
}

static void takes_the_output(void **state)
{
    (void)state;
    assert_int_equal(run_for_output("printf 'a b\\nc'"), 0);
    assert_string_equal(executed, "a b\nc");
    assert_int_equal(run_for_output("true"), 0);
    assert_string_equal(executed, "");
    assert_int_equal(run_for_output("sh -c 'echo out; echo err >&2; exit 3' "), 3);
    assert_string_equal(executed, "out\n");
    assert_int_equal(run_for_output("/no/such/program"), -ENOENT);
    assert_string_equal(executed, "");
}

/* More than a pipe holds: the rest is read, or the command would hang. */
static void drops_what_does_not_fit(void **state)
{
    (void)state;
    assert_int_equal(run_for_output("head -c 300000 /dev/zero"), 0);
    char small[4] = "";
    const struct command command = {
        .line = "echo abcdef", .limit_ms = 60000, .output = small, .output_size = sizeof small};
    assert_int_equal(command_run(&command), 0);
    assert_string_equal(small, "abc");
}

/* The output's end is not the command's: a daemon may keep the pipe open. */
static void does_not_wait_for_daemons(void **state)
{
    (void)state;
    char line[512];
    assert_int_equal(mkfifo(scratch_path("/stay"), 0600), 0);
    int fifo = open(scratch_path("/stay"), O_RDWR | O_CLOEXEC);
    (void)snprintf(line, sizeof line, "sh -c 'exec 3<%s; read x <&3 & echo started'",
                   scratch_path("/stay"));
    assert_int_equal(run_for_output(line), 0);
    assert_string_equal(executed, "started\n");
    (void)!write(fifo, "x\n", 2);
    (void)close(fifo);
}

static void waits_for_a_command_that_closed_its_output(void **state)
{
    (void)state;
    polls = 0;
    assert_int_equal(run_for_output("sh -c 'echo one; exec >&-; sleep 0.1; exit 5'"), 5);
    assert_string_equal(executed, "one\n");
    /* it does not go round in circles meanwhile */
    assert_in_range(polls, 1, 20);
}

static void starts_with_no_signal_blocked(void **state)
{
    (void)state;
    assert_int_equal(run_for_output("grep SigBlk: /proc/self/status"), 0);
    assert_string_equal(executed, "SigBlk:\t0000000000000000\n");
}

static void stops_at_its_limit(void **state)
{
    (void)state;
    int64_t start = time_ms();
    assert_int_equal(run("sleep 1000", 30), -ETIMEDOUT);
    assert_true(killed < 0);
    assert_true(time_ms() - start >= 30);
    killed = 0;
    const struct command command = {.line = "sh -c 'echo begun; sleep 1000; true'",
                                    .limit_ms = 200,
                                    .output = executed,
                                    .output_size = sizeof executed};
    assert_int_equal(command_run(&command), -ETIMEDOUT);
    assert_string_equal(executed, "begun\n");
    /* its children went with it */
    assert_true(killed < 0);
    while (__real_kill(killed, 0) == 0)
        (void)child_wait_event(NULL, time_ms() + 1);
}

static void runs_beside_other_things(void **state)
{
    (void)state;
    struct command_running *running = NULL;
    char small[64] = "old";
    const struct command command = {.line = "sh -c 'echo out; exit 6'",
                                    .limit_ms = 60000,
                                    .output = small,
                                    .output_size = sizeof small};
    uint64_t before_us = time_us();
    assert_int_equal(command_begin(&command, &running), 0);
    /* whose end is seen by somebody who waits for another */
    assert_int_equal(run("sh -c 'exit 3'", 60000), 3);
    assert_string_equal(run_for_output("echo x") == 0 ? executed : "", "x\n");
    assert_int_equal(command_end(running), 6);
    assert_string_equal(small, "out\n");
    assert_in_range(command_over_us(running), before_us, time_us());
    const struct command bad = {.line = "a 'b"};
    assert_int_equal(command_begin(&bad, &running), -EINVAL);
}

static void gets_and_gives_back_the_terminal(void **state)
{
    (void)state;
    const struct command command = {.line = "true", .limit_ms = 60000, .foreground = true};
    assert_int_equal(command_run(&command), 0);
    /* the child's call was counted in the child */
    assert_int_equal(foreground_count, 1);
    assert_int_equal(foreground[0], getpgrp());
}

static void inherits_no_descriptor(void **state)
{
    (void)state;
    size_t expected = 1; /* the directory that ls(1) reads */
    for (int fd = 0; fd < 256; fd++) {
        int flags = __real_fcntl(fd, F_GETFD, 0);
        expected += flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    assert_int_equal(run_for_output("ls /proc/self/fd"), 0);
    size_t found = 0;
    for (const char *at = executed; *at != '\0'; at++)
        found += *at == '\n';
    assert_int_equal(found, expected);
}

static void survives_every_failing_call(void **state)
{
    (void)state;
    static const struct {
        enum call call;
        int number, error;
    } faults[] = {{FORK, 1, EAGAIN},  {PIPE, 1, EMFILE},     {PIPE, 2, ENFILE},
                  {FCNTL, 1, EINVAL}, {SIGNALFD, 1, EMFILE}, {DUP, 1, EBUSY}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        arm(faults[i].call, faults[i].number, faults[i].error);
        int result = run_for_output("echo out");
        if (result != -faults[i].error || open_descriptors() != before)
            fail_msg("row %zu: %d", i, result);
        assert_string_equal(executed, "");
    }
}

static void use_memory_up(void)
{
    arm(MMAP, 1, ENOMEM);
    while (arena_alloc(8) != NULL)
        continue;
}

/* For the words there must be memory; without any for the environment it is inherited. */
static void survives_without_memory(void **state)
{
    (void)state;
    use_memory_up();
    failing_number = 2;
    assert_int_equal(run("true", 60000), -ENOMEM);
    for (size_t room = 16; room < 2048; room += 16) {
        use_memory_up();
        assert_non_null(arena_alloc(65536 - room));
        arm(MMAP, 1, ENOMEM);
        int result = run("/bin/true", 60000);
        assert_true(result == 0 || result == -ENOMEM);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_the_exit_status),
        TEST(says_why_it_was_not_run),
        TEST(looks_along_its_path),
        TEST(replaces_the_path_in_the_environment),
        TEST(takes_the_output),
        TEST(drops_what_does_not_fit),
        TEST(does_not_wait_for_daemons),
        TEST(waits_for_a_command_that_closed_its_output),
        TEST(starts_with_no_signal_blocked),
        TEST(stops_at_its_limit),
        TEST(runs_beside_other_things),
        TEST(gets_and_gives_back_the_terminal),
        TEST(inherits_no_descriptor),
        TEST(survives_every_failing_call),
        TEST(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
