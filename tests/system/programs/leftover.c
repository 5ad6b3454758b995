/* SPDX-License-Identifier: MIT */
/*
 * Processes that stay when the VM has ended.
 *
 *   leftover die COUNT          die of SIGTERM
 *   leftover ignore COUNT       ignore it
 *   leftover catch COUNT MS     catch it, and exit MS ms later
 *   leftover stop COUNT         are stopped
 *   leftover heap MIB           one, of that size, whose memory is really there; ignores SIGTERM
 *   leftover storm COUNT        orphans that end all at once; prints how many PID 1 had left when
 *                               looked at for the last time, and how often was looked
 *   leftover run COMMAND...     runs COMMAND when it gets SIGTERM, then exits
 *   leftover mounts COMMAND...  ignores SIGTERM; runs COMMAND when the first mount has gone
 *   leftover write FILE         opens FILE, says so, then writes to it
 *
 * Except for the last two all have the init as their parent and are ready when `leftover` returns.
 */
#include <dirent.h>
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

static void stay(const char *mode, int ready)
{
    setsid();
    if (strcmp(mode, "ignore") == 0 || strcmp(mode, "heap") == 0)
        signal(SIGTERM, SIG_IGN);
    if (strcmp(mode, "catch") == 0 || strcmp(mode, "run") == 0)
        signal(SIGTERM, on_term);
    if (strcmp(mode, "heap") == 0) {
        size_t size = (size_t)exit_after_ms << 20;
        char *heap = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (heap == MAP_FAILED)
            _exit(1);
        for (size_t i = 0; i < size; i += 4096)
            heap[i] = 1;
    }
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

/* Children of PID 1; CONFIG_PROC_CHILDREN may be off, so by /proc. */
static int orphans(void)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        char text[512];
        snprintf(text, sizeof text, "/proc/%s/stat", entry->d_name);
        int fd = entry->d_name[0] > '0' && entry->d_name[0] <= '9' ? open(text, O_RDONLY) : -1;
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        text[length < 0 ? 0 : length] = '\0';
        const char *at = strrchr(text, ')');
        count += at != NULL && strncmp(at + 4, "1 ", 2) == 0 ? 1 : 0;
        if (fd >= 0)
            close(fd);
    }
    closedir(proc);
    return count;
}

static int storm(int count)
{
    int go[2];
    char byte;
    if (pipe(go) < 0)
        return 1;
    pid_t parent = fork();
    if (parent == 0) {
        close(go[1]);
        for (int i = 0; i < count; i++) {
            pid_t pid = fork();
            if (pid < 0)
                _exit(1);
            if (pid == 0)
                _exit(read(go[0], &byte, 1) < 0);
        }
        _exit(0);
    }
    close(go[0]);
    int status = 1;
    waitpid(parent, &status, 0);
    if (status != 0)
        return 1;
    int before = orphans();
    close(go[1]); /* they have their end of file, all at once */
    int left = before;
    int tries = 0;
    for (; tries < 10000 && left > 1; tries++) {
        sched_yield();
        left = orphans();
    }
    printf("%d %d %d\n", before, left, tries);
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
    return write(fd, "x", 1) != 1;
}

int main(int argc, char *argv[])
{
    if (argc < 3)
        return 1;
    const char *mode = argv[1];
    int count = atoi(argv[2]);
    if (strcmp(mode, "storm") == 0)
        return storm(count);
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
