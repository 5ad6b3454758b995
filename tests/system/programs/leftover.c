/* SPDX-License-Identifier: MIT */
/*
 * Processes that stay when the VM has ended.
 *
 *   leftover die COUNT          die of SIGTERM
 *   leftover ignore COUNT       ignore it
 *   leftover catch COUNT MS     catch it, and exit MS ms later
 *   leftover stop COUNT         are stopped
 *   leftover heap MIB           one, of that size, whose memory is really there; ignores SIGTERM
 *   leftover storm COUNT        orphans that end all at once; prints how many there were, and how
 * many are left when that number no longer falls leftover eat MIB            itself: takes memory,
 * and then more leftover run COMMAND...     runs COMMAND when it gets SIGTERM, then exits leftover
 * mounts COMMAND...  ignores SIGTERM; runs COMMAND when the first mount has gone leftover write
 * FILE         opens FILE, says so, then writes to it again and again
 *
 * Except for storm, eat, mounts and write all have the init as their parent and are ready when
 * `leftover` returns.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STORM_MOST        10000
#define STORM_STACK_BYTES 512

static long exit_after_ms;
static char **run_words;

static void on_term(int number)
{
    (void)number;
    struct timespec left = {.tv_sec = exit_after_ms / 1000,
                            .tv_nsec = exit_after_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0)
        continue;
    if (run_words != NULL)
        execv(run_words[0], run_words);
    _exit(0);
}

static void take(size_t mib)
{
    size_t size = mib << 20;
    char *heap = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED)
        _exit(1);
    for (size_t i = 0; i < size; i += 4096)
        heap[i] = 1;
}

static void stay(const char *mode, int ready)
{
    setsid();
    if (strcmp(mode, "ignore") == 0 || strcmp(mode, "heap") == 0)
        signal(SIGTERM, SIG_IGN);
    if (strcmp(mode, "catch") == 0 || strcmp(mode, "run") == 0)
        signal(SIGTERM, on_term);
    if (strcmp(mode, "heap") == 0)
        take((size_t)exit_after_ms);
    (void)!write(ready, "", 1);
    close(ready);
    if (strcmp(mode, "stop") == 0)
        raise(SIGSTOP);
    for (;;)
        pause();
}

static int leave(const char *mode, int count)
{
    int ready[2];
    char byte;
    if (pipe(ready) < 0)
        return 1;
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0) {
            close(ready[0]);
            stay(mode, ready[1]);
        }
    }
    close(ready[1]);
    for (int i = 0; i < count; i++)
        if (read(ready[0], &byte, 1) != 1)
            return 1;
    return 0;
}

/* Processes there are, the dead that nobody has waited for included: /proc/loadavg, "a b c
 * running/ALL pid". */
static int processes(void)
{
    char text[128];
    int fd = open("/proc/loadavg", O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    close(fd);
    const char *slash = strchr(text, '/');
    return slash == NULL ? -1 : atoi(slash + 1);
}

static int end_with_pipe(void *end)
{
    char byte;
    setpgid(0,
            0); /* the end of each looks at all of its group: the kernel would take half a minute */
    return read(*(int *)end, &byte, 1) < 0;
}

/* In one memory, which makes ten thousand processes a matter of a second. */
static void make_orphans(int *go, int count)
{
    static char stacks[STORM_MOST][STORM_STACK_BYTES] __attribute__((aligned(16)));
    close(go[1]);
    for (int i = 0; i < count; i++)
        if (i >= STORM_MOST ||
            clone(end_with_pipe, stacks[i] + STORM_STACK_BYTES, CLONE_VM | SIGCHLD, go) < 0)
            _exit(1);
    _exit(0);
}

static int storm(int count)
{
    int go[2];
    int before = processes();
    if (pipe(go) < 0)
        return 1;
    pid_t parent = fork();
    if (parent == 0)
        make_orphans(go, count);
    close(go[0]);
    int status = 1;
    if (waitpid(parent, &status, 0) != parent || status != 0)
        return 1;
    int most = processes() - before;
    close(go[1]); /* all at once */
    int left = most;
    for (int tries = 0; tries < 1000000 && left > 0; tries++) {
        sched_yield();
        left = processes() - before;
    }
    printf("%d %d\n", most, left);
    return 0;
}

static int on_unmount(char *words[])
{
    signal(SIGTERM, SIG_IGN);
    if (fork() != 0)
        return 0;
    setsid();
    int fd = open("/proc/self/mountinfo", O_RDONLY);
    struct pollfd mounts = {.fd = fd, .events = POLLPRI}; /* proc(5): a change is an exception */
    poll(&mounts, 1, -1);
    execv(words[0], words);
    return 1;
}

static int write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND);
    if (fd < 0)
        return 1;
    printf("open\n");
    fflush(stdout);
    while (pwrite(fd, "x", 1, 0) == 1)
        continue;
    return 1;
}

int main(int argc, char *argv[])
{
    if (argc < 3)
        return 1;
    const char *mode = argv[1];
    int count = atoi(argv[2]);
    if (strcmp(mode, "storm") == 0)
        return storm(count);
    while (strcmp(mode, "eat") == 0)
        take((size_t)count);
    if (strcmp(mode, "mounts") == 0)
        return on_unmount(argv + 2);
    if (strcmp(mode, "write") == 0)
        return write_file(argv[2]);
    if (strcmp(mode, "run") == 0) {
        run_words = argv + 2;
        count = 1;
    }
    if (strcmp(mode, "heap") == 0) {
        exit_after_ms = count;
        count = 1;
    }
    if (strcmp(mode, "catch") == 0 && argc == 4)
        exit_after_ms = atoi(argv[3]);
    return leave(mode, count);
}
