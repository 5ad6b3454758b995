/* SPDX-License-Identifier: MIT */
#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/terminal.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_WAIT_MS 500

/* Copies one word to `to`, without its quotes. Returns where it ended, or NULL if a quote stayed
 * open. */
static const char *copy_word(const char *from, char *to)
{
    char quote = '\0';
    for (; *from != '\0'; from++) {
        if (quote == '\0' && text_is_space(*from))
            break;
        if (quote == '\0' && (*from == '"' || *from == '\''))
            quote = *from;
        else if (quote != '\0' && *from == quote)
            quote = '\0';
        else
            *to++ = *from;
    }
    *to = '\0';
    return quote == '\0' ? from : NULL;
}

int command_split(const char *line, struct strings *words)
{
    struct strings found = {0};
    /* all words, each with its NUL: quotes only shorten, and a NUL takes a separator's place */
    char *word = arena_alloc(strlen(line) + 1);
    if (word == NULL)
        return -ENOMEM;
    while (text_is_space(*line))
        line++;
    while (*line != '\0') {
        if (strings_add(&found, word) < 0)
            return -ENOMEM;
        line = copy_word(line, word);
        if (line == NULL)
            return -EINVAL;
        word += strlen(word) + 1;
        while (text_is_space(*line))
            line++;
    }
    if (found.count == 0)
        return -EINVAL;
    *words = found;
    return 0;
}

static char **command_environment(void)
{
    struct strings list = {0};
    for (char **entry = environ; *entry != NULL; entry++)
        if (!text_starts_with(*entry, "PATH=") && strings_add(&list, *entry) < 0)
            return environ;
    if (strings_add(&list, "PATH=" CHILD_COMMAND_PATH) < 0)
        return environ;
    return (char **)list.item;
}

static int exec_from_path(const char *name, char *const argv[], char *const envp[])
{
    int reason = ENOENT;
    const char *path = CHILD_COMMAND_PATH;
    while (*path != '\0') {
        size_t length = strcspn(path, ":");
        TEXT_ON_STACK(file, PATH_MAX);
        text_add_bytes(&file, path, length);
        text_add(&file, "/");
        text_add(&file, name);
        execve(file.at, argv, envp);
        if (errno != ENOENT && errno != ENOTDIR)
            reason = errno;
        path += length + (path[length] == ':' ? 1 : 0);
    }
    return reason;
}

struct running {
    const struct command *command;
    char **argv;
    char **envp;
    int output[2]; /* pipe, -1: not captured */
    int failed[2]; /* close-on-exec pipe: errno of an exec that failed */
};

/* The child's half. */
static int become_command(void *argument)
{
    struct running *running = argument;
    (void)setpgid(0, 0);
    if (running->command->foreground) {
        terminal_foreground(getpid());
        terminal_sane();
    }
    child_reset_signals();
    int reason = 0;
    if (running->output[1] >= 0 && dup2(running->output[1], STDOUT_FILENO) < 0)
        reason = errno;
    if (reason == 0 && strchr(running->argv[0], '/') != NULL) {
        execve(running->argv[0], running->argv, running->envp);
        reason = errno;
    } else if (reason == 0) {
        reason = exec_from_path(running->argv[0], running->argv, running->envp);
    }
    (void)!write(running->failed[1], &reason, sizeof reason);
    return 127;
}

static void close_pipe(int pipe_fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (pipe_fds[i] >= 0)
            (void)close(pipe_fds[i]);
        pipe_fds[i] = -1;
    }
}

/* Takes what is in the pipe now. False at its end. */
static bool take_output(int fd, struct text *text)
{
    char bytes[256];
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got > 0)
            text_add_bytes(text, bytes, (size_t)got);
        else if (got == 0 || errno != EINTR)
            return got != 0 && errno == EAGAIN;
    }
}

/*
 * Reads the output until the command has ended: a daemon that it left behind may keep the pipe open
 * for ever, so the pipe's end is not the thing to wait for.
 */
static int wait_with_output(pid_t pid, int fd, int64_t deadline_ms, struct text *text, int *status)
{
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    int signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return -errno;
    struct pollfd watched[2] = {{.fd = signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int result = -ETIMEDOUT;
    for (;;) {
        struct signalfd_siginfo info;
        (void)!read(signals, &info, sizeof info);
        result = child_wait(pid, 0, status);
        if (!take_output(fd, text))
            watched[1].fd = -1;
        int64_t left_ms = deadline_ms == CHILD_NO_DEADLINE ? INT_MAX : deadline_ms - time_ms();
        if (result != -ETIMEDOUT || left_ms <= 0)
            break;
        (void)poll(watched, 2, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
    }
    (void)close(signals);
    return result;
}

static int wait_for_command(pid_t pid, struct running *running)
{
    const struct command *command = running->command;
    int64_t deadline = command->limit_ms > 0 ? time_ms() + command->limit_ms : CHILD_NO_DEADLINE;
    int status = 0;
    int result = 0;
    if (command->output != NULL) {
        struct text text = text_into(command->output, command->output_size);
        result = wait_with_output(pid, running->output[0], deadline, &text, &status);
    } else {
        result = child_wait(pid, deadline, &status);
    }
    if (result < 0) {
        (void)kill(-pid, SIGKILL);
        (void)child_wait(pid, time_ms() + KILL_WAIT_MS, &status);
        return result;
    }
    int reason = 0;
    if (read(running->failed[0], &reason, sizeof reason) == (ssize_t)sizeof reason)
        return -reason;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int start_and_wait(struct running *running)
{
    if (pipe2(running->failed, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    if (running->command->output != NULL && pipe2(running->output, O_CLOEXEC) < 0)
        return -errno;
    /* our end only: programs don't expect a standard output that doesn't block */
    if (running->output[0] >= 0 && fcntl(running->output[0], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    pid_t pid = child_start(become_command, running);
    if (pid < 0)
        return (int)pid;
    (void)setpgid(pid, pid);
    if (running->output[1] >= 0)
        (void)close(running->output[1]);
    running->output[1] = -1;
    (void)close(running->failed[1]);
    running->failed[1] = -1;
    return wait_for_command(pid, running);
}

int command_run(const struct command *command)
{
    struct strings words = {0};
    int result = command_split(command->line, &words);
    if (result < 0)
        return result;
    if (command->output != NULL)
        command->output[0] = '\0';
    struct running running = {.command = command,
                              .argv = (char **)words.item,
                              .envp = command_environment(),
                              .output = {-1, -1},
                              .failed = {-1, -1}};
    result = start_and_wait(&running);
    close_pipe(running.output);
    close_pipe(running.failed);
    if (command->foreground)
        terminal_foreground(getpgrp());
    return result;
}
