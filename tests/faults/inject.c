/* SPDX-License-Identifier: MIT */
/* Which call fails, and how. */
#include "trace.h"

#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

void trace_read_text(pid_t pid, unsigned long address, char *text, size_t size)
{
    struct iovec to = {text, size - 1}, from = {(void *)address, size - 1};
    ssize_t length = process_vm_readv(pid, &to, 1, &from, 1, 0);
    if (length < 0) { /* near the end of a mapping */
        from.iov_len = to.iov_len =
            4096 - (address & 4095) < size - 1 ? 4096 - (address & 4095) : 1;
        length = process_vm_readv(pid, &to, 1, &from, 1, 0);
    }
    text[length < 0 ? 0 : length] = '\0';
}

static bool is_log(const char *text)
{
    return strcmp(text, "/dev/kmsg") == 0 || strcmp(text, "devtmpfs") == 0 ||
           (text[0] == '<' && strstr(text, ">erlinit") != NULL);
}

/* Which call it is, for people: the first argument that looks like text. */
static void describe(struct life *life, pid_t pid, const struct user_regs_struct *regs)
{
    struct outcome *out = life->out;
    char text[sizeof out->where];
    const unsigned long arguments[] = {regs->rdi, regs->rsi};
    for (size_t i = 0; i < 2; i++) {
        if (arguments[i] < 65536)
            continue;
        trace_read_text(pid, arguments[i], text, sizeof text);
        out->log_lost = out->log_lost || is_log(text);
        bool printable = text[0] != '\0';
        for (char *at = text; *at != '\0'; at++) {
            if (*at == '\n')
                *at = ' ';
            printable = printable && (unsigned char)*at >= ' ' && (unsigned char)*at < 127;
        }
        if (printable && life->out->where[0] == '\0')
            memcpy(out->where, text, sizeof text);
    }
}

void trace_set_result(pid_t pid, struct user_regs_struct *regs, long result)
{
    regs->orig_rax = -1UL; /* the call itself is skipped */
    regs->rax = (unsigned long)result;
    ptrace(PTRACE_SETREGS, pid, 0, regs);
}

bool trace_inject(struct life *life, struct task *task, struct user_regs_struct *regs)
{
    const struct fault *fault = life->fault;
    if (!task->ours || !life->armed || (int)regs->orig_rax != fault->call)
        return false;
    life->nth++;
    if (fault->mode == MODE_NONE || life->nth < fault->nth ||
        (fault->mode == MODE_ONCE && life->nth > fault->nth))
        return false;
    life->out->injected++;
    describe(life, task->pid, regs);
    if (fault->mode == MODE_SHORT) {
        regs->rdx = regs->rdx > 1 ? regs->rdx / 2 : regs->rdx;
        ptrace(PTRACE_SETREGS, task->pid, 0, regs);
        return false;
    }
    if (fault->call == SYS_close) { /* which closes also when it fails: close(2) */
        task->fail = fault->error;
        return false;
    }
    trace_set_result(task->pid, regs, -fault->error);
    return true;
}
