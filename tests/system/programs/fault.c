/* SPDX-License-Identifier: MIT */
/*
 * Makes PID 1 crash.
 *
 *   fault KIND             once; returns when PID 1 has said that it goes on
 *   fault -n KIND          once; does not wait for anything
 *   fault loop N S         N times, each kind in turn, S seconds apart, with orphans before, during
 *                          and after each; at the end one line of numbers: see loop()
 *
 * KIND is the number of a signal that is sent, or a real fault: null (jump to address 0), wild
 * (jump to an unmapped address), stack (no stack), ud (undefined instruction), div (division by
 * zero), state (overwrites the state that PID 1 keeps for its successor, then null).
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const kinds[] = {"11", "null", "6", "wild", "7", "stack", "4", "ud", "8", "div"};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Where PID 1 has its first mapping whose line in maps holds `what`. */
static unsigned long mapping(const char *what)
{
    char line[512];
    unsigned long start = 0;
    FILE *maps = fopen("/proc/1/maps", "r");
    while (start == 0 && maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, what) != NULL)
            start = strtoul(line, NULL, 16);
    if (start == 0)
        fail("maps");
    fclose(maps);
    return start;
}

/* Where PID 1 keeps its state, which begins with a mark (survive.c). */
static unsigned long state(void)
{
    static const char mark[] = "inilre"; /* little-endian: behind the number of its layout */
    char line[512];
    unsigned long start = 0;
    unsigned long end = 0;
    FILE *maps = fopen("/proc/1/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx rw-p", &start, &end) == 2 && strstr(line, "[stack]") == NULL)
            for (; start < end; start += sizeof(long)) {
                long word = ptrace(PTRACE_PEEKDATA, 1, start, 0);
                if (memcmp((char *)&word + 2, mark, sizeof word - 2) == 0) {
                    fclose(maps);
                    return start;
                }
            }
    fail("no state");
    return 0;
}

/* Instructions go where the ELF header is: nobody reads that any more. */
static void run_code(struct user_regs_struct *registers, unsigned long code)
{
    registers->rip = mapping("r-xp");
    if (ptrace(PTRACE_POKETEXT, 1, registers->rip, code) < 0)
        fail("POKETEXT");
}

static void change(const char *kind, struct user_regs_struct *registers)
{
    registers->orig_rax = -1UL; /* no system call is to be restarted */
    registers->rcx = 0;
    if (strcmp(kind, "ud") == 0) {
        run_code(registers, 0x0b0f);
    } else if (strcmp(kind, "div") == 0) {
        run_code(registers, 0xf1f748); /* div rcx */
    } else if (strcmp(kind, "stack") == 0) {
        registers->rsp = 16;
        run_code(registers, 0x50); /* push rax */
    } else {
        registers->rip = strcmp(kind, "wild") == 0 ? 0x700000000000UL : 0;
    }
    if (strcmp(kind, "state") == 0)
        for (unsigned long at = state(), i = 1; i < 8; i++)
            if (ptrace(PTRACE_POKEDATA, 1, at + i * 8, -1L) < 0)
                fail("POKEDATA");
}

static void break_process(const char *kind)
{
    struct user_regs_struct registers;
    if (ptrace(PTRACE_SEIZE, 1, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, 1, 0, 0) < 0)
        fail("SEIZE");
    if (waitpid(1, NULL, __WALL) != 1 || ptrace(PTRACE_GETREGS, 1, 0, &registers) < 0)
        fail("GETREGS");
    change(kind, &registers);
    if (ptrace(PTRACE_SETREGS, 1, 0, &registers) < 0 || ptrace(PTRACE_DETACH, 1, 0, 0) < 0)
        fail("SETREGS");
}

static void fault(const char *kind)
{
    int number = atoi(kind);
    if (number > 0)
        kill(1, number);
    else
        break_process(kind);
}

/* As an event, not by looking again and again: reading the kernel's log blocks. */
static void fault_and_wait(const char *kind)
{
    char record[8192];
    int log = open("/dev/kmsg", O_RDONLY);
    if (log < 0 || lseek(log, 0, SEEK_END) < 0)
        fail("kmsg");
    fault(kind);
    for (;;) {
        ssize_t length = read(log, record, sizeof record - 1);
        if (length < 0)
            continue;
        record[length] = '\0';
        if (strstr(record, "PID 1 goes on after crash") != NULL)
            break;
    }
    close(log);
}

static void wait_s(int seconds)
{
    struct timespec left = {.tv_sec = seconds};
    while (nanosleep(&left, &left) < 0)
        continue;
}

/* A grandchild whose parent is gone, and which ends after `seconds`. */
static void orphan(int seconds)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0 && seconds > 0)
            wait_s(seconds);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/* Children of PID 1, alive or not. */
static int children(void)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        char path[300];
        char line[256];
        snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
        FILE *status = entry->d_name[0] > '0' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
            count += strcmp(line, "PPid:\t1\n") == 0 ? 1 : 0;
        if (status != NULL)
            fclose(status);
    }
    closedir(proc);
    return count;
}

static int rss_kb(void)
{
    char line[512];
    int sum = 0;
    FILE *smaps = fopen("/proc/1/smaps", "r");
    while (smaps != NULL && fgets(line, sizeof line, smaps) != NULL)
        if (strncmp(line, "Rss:", 4) == 0)
            sum += atoi(line + 4);
    fclose(smaps);
    return sum;
}

static int descriptors(void)
{
    int count = -2; /* . and .. */
    DIR *fds = opendir("/proc/1/fd");
    while (fds != NULL && readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

/* FAULTS LATE RSS-FIRST RSS-LAST RSS-MOST FDS-FIRST FDS-LAST: LATE are rounds after which PID 1 had
 * another child than the VM; memory in kB, the first after the first fault. */
static void loop(int count, int seconds)
{
    int late = 0;
    int rss = 0;
    int most = 0;
    int fds = 0;
    for (int i = 0; i < count; i++) {
        orphan(1);
        orphan(0);
        fault(kinds[(size_t)i % KINDS]);
        orphan(0);
        wait_s(seconds);
        late += children() != 1 ? 1 : 0;
        if (i == 0) {
            rss = rss_kb();
            fds = descriptors();
        }
        int now = rss_kb();
        most = now > most ? now : most;
    }
    printf("%d %d %d %d %d %d %d\n", count, late, rss, rss_kb(), most, fds, descriptors());
}

int main(int argc, char *argv[])
{
    if (argc == 4 && strcmp(argv[1], "loop") == 0)
        loop(atoi(argv[2]), atoi(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "-n") == 0)
        fault(argv[2]);
    else if (argc == 2)
        fault_and_wait(argv[1]);
    else
        return 1;
    return 0;
}
