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

struct command_running {
    const struct command *command;
    struct child child;
    char **argv;
    char **envp;
    /* pipes, a reading and a writing end each; -1: not open */
    int output[2];
    int failed[2]; /* close-on-exec: errno of an exec that failed */
};

/* The child's half. */
static int become_command(void *argument)
{
    struct command_running *running = argument;
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

static void close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
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
static int take_all_output(struct command_running *running)
{
    struct text text = text_into(running->command->output, running->command->output_size);
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    int signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return -errno;
    struct pollfd watched[2] = {{.fd = signals, .events = POLLIN},
                                {.fd = running->output[0], .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        (void)!read(signals, &info, sizeof info);
        child_update();
        if (!take_output(running->output[0], &text))
            watched[1].fd = -1;
        if (running->child.pid == 0)
            break;
        int64_t left_ms = running->child.deadline_ms - time_ms();
        (void)poll(watched, 2, left_ms < 0 ? 0 : left_ms < INT_MAX ? (int)left_ms : INT_MAX);
    }
    (void)close(signals);
    return 0;
}

static int wait_for_command(struct command_running *running)
{
    struct child *child = &running->child;
    int result = running->command->output == NULL ? 0 : take_all_output(running);
    if (result < 0)
        child->deadline_ms = 0;
    child_finish(child);
    if (result < 0 || child->result < 0)
        return result < 0 ? result : child->result;
    int reason = 0;
    if (read(running->failed[0], &reason, sizeof reason) == (ssize_t)sizeof reason)
        return -reason;
    return WIFEXITED(child->status) ? WEXITSTATUS(child->status) : 256 + WTERMSIG(child->status);
}

static int start(struct command_running *running)
{
    const struct command *command = running->command;
    if (pipe2(running->failed, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    if (command->output != NULL && pipe2(running->output, O_CLOEXEC) < 0)
        return -errno;
    /* our end only: programs don't expect a standard output that doesn't block */
    if (running->output[0] >= 0 && fcntl(running->output[0], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    int result =
        child_begin(&running->child, become_command, running,
                    command->limit_ms > 0 ? time_ms() + command->limit_ms : CHILD_NO_DEADLINE);
    if (result < 0)
        return result;
    running->child.leads_group = true;
    (void)setpgid(running->child.pid, running->child.pid);
    close_end(&running->output[1]);
    close_end(&running->failed[1]);
    return 0;
}

static void close_all(struct command_running *running)
{
    for (int i = 0; i < 2; i++) {
        close_end(&running->output[i]);
        close_end(&running->failed[i]);
    }
}

int command_begin(const struct command *command, struct command_running **running)
{
    struct strings words = {0};
    int result = command_split(command->line, &words);
    if (result < 0)
        return result;
    struct command_running *fresh = arena_alloc(sizeof *fresh);
    if (fresh == NULL)
        return -ENOMEM;
    if (command->output != NULL)
        command->output[0] = '\0';
    *fresh = (struct command_running){.command = command,
                                      .argv = (char **)words.item,
                                      .envp = command_environment(),
                                      .output = {-1, -1},
                                      .failed = {-1, -1}};
    result = start(fresh);
    if (result < 0)
        close_all(fresh);
    else
        *running = fresh;
    return result;
}

int command_end(struct command_running *running)
{
    int result = wait_for_command(running);
    close_all(running);
    if (running->command->foreground)
        terminal_foreground(getpgrp());
    return result;
}

uint64_t command_over_us(const struct command_running *running)
{
    return running->child.over_us;
}

int command_run(const struct command *command)
{
    struct command_running *running = NULL;
    int result = command_begin(command, &running);
    return result < 0 ? result : command_end(running);
}
