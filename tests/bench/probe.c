/* SPDX-License-Identifier: MIT */
/*
 * Plays the VM: notes when it was started, measures PID 1 as /bench.mode says, and reports line by
 * line on the second serial port. Needs nothing that an init would have had to mount.
 *
 *     boot             when it was started, and what init said in the kernel log
 *     all N            memory, descriptors, page faults, wake-ups over a minute; then N orphans for
 * PID 1, in crowds end KIND N HOW   leaves N processes (KIND: die, ignore), then ends: exit,
 * reboot, or a signal to PID 1
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CROWD   500 /* orphans at a time: all 10,000 would need 600 MB */
#define LINE    8192
#define IDLE_S  60
#define QUIET_S 2

static FILE *report;

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_ns(long long ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    nanosleep(&time, NULL);
}

/* Devices of our own: a null init has no /dev. */
static int device(const char *path, unsigned major, unsigned minor, int flags)
{
    mknod(path, S_IFCHR | 0600, makedev(major, minor));
    return open(path, flags | O_NOCTTY);
}

static void report_kernel_log(long long entry_ns)
{
    char line[LINE];
    int log = device("/bench-kmsg", 1, 11, O_RDWR | O_NONBLOCK);
    long long mark_ns = now_ns();
    if (write(log, "<5>bench: mark\n", 15) != 15)
        fprintf(report, "error kmsg\n");
    fprintf(report, "since_entry_ns %lld\n", mark_ns - entry_ns);
    for (ssize_t got; (got = read(log, line, sizeof line - 1)) > 0;) {
        line[got] = '\0';
        char *text = strchr(line, ';');
        if (text == NULL)
            continue;
        *text++ = '\0';
        if (strncmp(text, "Run ", 4) != 0 && strstr(text, "erlinit") == NULL &&
            strstr(text, "bench:") == NULL && strstr(text, "floor:") == NULL)
            continue;
        long long us = 0;
        sscanf(line, "%*u,%*u,%lld", &us);
        fprintf(report, "log %lld %.*s\n", us, (int)strcspn(text, "\n"), text);
    }
    close(log);
}

static void report_file(const char *key, const char *path)
{
    char line[LINE];
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        fprintf(report, "%s %s", key, line);
    if (file != NULL)
        fclose(file);
}

static void footprint(void)
{
    wait_ns(QUIET_S * 1000000000LL);
    report_file("smaps", "/proc/1/smaps");
    report_file("stat", "/proc/1/stat");
    report_file("before", "/proc/1/status");
    int fds = 0;
    DIR *directory = opendir("/proc/1/fd");
    while (directory != NULL && readdir(directory) != NULL)
        fds++;
    if (directory != NULL)
        closedir(directory);
    fprintf(report, "fds %d\n", fds - 2);
    wait_ns(IDLE_S * 1000000000LL);
    report_file("after", "/proc/1/status");
}

static long long pid1_cpu_ns(void)
{
    long long ns = 0;
    FILE *file = fopen("/proc/1/schedstat", "r");
    if (file != NULL && fscanf(file, "%lld", &ns) != 1)
        ns = 0;
    if (file != NULL)
        fclose(file);
    return ns;
}

static int processes(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.procs;
}

/* CROWD orphans that all end when the pipe is closed; returns the time until PID 1 has reaped the
 * last. */
static long long reap_crowd(void)
{
    int gate[2];
    char byte;
    if (pipe(gate) < 0)
        return 0;
    int before = processes();
    pid_t parent = fork();
    if (parent == 0) {
        close(gate[1]);
        for (int i = 0; i < CROWD; i++)
            if (fork() == 0)
                _exit((int)read(gate[0], &byte, 1));
        _exit(0);
    }
    waitpid(parent, NULL, 0);
    close(gate[0]);
    wait_ns(20000000);
    long long start = now_ns();
    close(gate[1]);
    while (processes() > before)
        wait_ns(50000);
    return now_ns() - start;
}

static void reap(int count)
{
    long long cpu = pid1_cpu_ns(), took = 0;
    for (int done = 0; done < count; done += CROWD)
        took += reap_crowd();
    fprintf(report, "reap_count %d\n", count);
    fprintf(report, "reap_ns %lld\n", took);
    fprintf(report, "reap_cpu_ns %lld\n", pid1_cpu_ns() - cpu);
    report_file("smaps_after", "/proc/1/smaps");
}

static void leave(const char *kind, int count)
{
    for (int i = 0; i < count; i++)
        if (fork() == 0) {
            if (strcmp(kind, "ignore") == 0)
                signal(SIGTERM, SIG_IGN);
            for (;;)
                pause();
        }
    wait_ns(300000000);
}

static void end(const char *how)
{
    int log = device("/bench-kmsg", 1, 11, O_WRONLY);
    dprintf(log, "<0>bench: the VM ends\n");
    if (strcmp(how, "exit") == 0)
        _exit(3);
    if (strcmp(how, "reboot") == 0)
        reboot(RB_AUTOBOOT);
    if (how[0] == '/')
        execl(how, how, NULL);
    kill(1, atoi(how));
    for (;;)
        pause();
}

int main(void)
{
    long long entry_ns = now_ns();
    report = fdopen(device("/bench-tty", 4, 65, O_WRONLY), "w");
    char kind[16] = "", how[64] = "", mode[16] = "boot";
    int count = 0;
    FILE *file = fopen("/bench.mode", "r");
    if (file == NULL || fscanf(file, "%15s", mode) != 1)
        return 1;
    if (access("/proc/1", F_OK) < 0)
        mount("proc", "/proc", "proc", 0, NULL);
    report_kernel_log(entry_ns);
    if (strcmp(mode, "all") == 0 && fscanf(file, "%d", &count) == 1) {
        footprint();
        reap(count);
    }
    if (strcmp(mode, "end") == 0 && fscanf(file, "%15s %d %63s", kind, &count, how) == 3) {
        leave(kind, count);
        fflush(report);
        end(how);
    }
    fprintf(report, "done\n");
    fflush(report);
    for (;;)
        pause();
}
