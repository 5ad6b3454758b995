/* SPDX-License-Identifier: MIT */
/* Started instead of the init, becomes it (argv[1]) with a tracer beside it that lists every system
 * call of PID 1 and of what it starts, until the VM is started. The list goes to the second serial
 * port: process, number, first path. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |      \
     PTRACE_O_TRACEEXEC)
#define TEXT 128

static FILE *report;

static void read_text(pid_t pid, unsigned long long address, char *text)
{
    struct iovec here = {text, TEXT - 1}, there = {(void *)(unsigned long)address, TEXT - 1};
    text[0] = '\0';
    ssize_t got = address < 4096 ? -1 : process_vm_readv(pid, &here, 1, &there, 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    for (char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~') {
            *at = '\0';
            break;
        }
}

/* True when this call starts the VM. */
static int note_call(pid_t pid)
{
    struct ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return 0;
    char first[TEXT], second[TEXT];
    read_text(pid, info.entry.args[0], first);
    read_text(pid, info.entry.args[1], second);
    fprintf(report, "call %d %llu %s %s\n", (int)pid, (unsigned long long)info.entry.nr, first,
            second);
    return info.entry.nr == SYS_execve && strstr(first, "erlexec") != NULL;
}

static void trace(void)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0)
            break;
        if (!WIFSTOPPED(status))
            continue;
        int number = WSTOPSIG(status);
        if (number == (SIGTRAP | 0x80)) {
            if (note_call(pid))
                break;
            number = 0;
        } else if (status >> 16 != 0) {
            number = 0;
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)number);
    }
    fprintf(report, "done\n");
    fflush(report);
    for (;;)
        pause();
}

int main(int argc, char *argv[])
{
    int ready[2];
    char byte;
    if (argc < 2 || pipe2(ready, O_CLOEXEC) < 0)
        return 1;
    if (fork() == 0) {
        mknod("/bench-tty", S_IFCHR | 0600, makedev(4, 65));
        report = fopen("/bench-tty", "w");
        if (ptrace(PTRACE_SEIZE, 1, NULL, (void *)OPTIONS) < 0)
            fprintf(report, "error seize %d\n", errno);
        ptrace(PTRACE_INTERRUPT, 1, NULL, NULL);
        close(ready[1]);
        trace();
    }
    close(ready[1]);
    (void)!read(ready[0], &byte, 1);
    execv(argv[1], argv + 1);
    return 1;
}
