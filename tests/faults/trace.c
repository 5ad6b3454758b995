/* SPDX-License-Identifier: MIT */
/* The tracer of one life: counts system calls, makes one fail, and sees how the machine ends. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_LIMIT_S 25     /* of the machine's time; all limits of the configuration together */
#define SPIN_CALLS   100000 /* a life has some hundred */

#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |      \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)

static volatile sig_atomic_t late;

static void on_alarm(int number)
{
    (void)number;
    late = 1;
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct task *task_of(struct life *life, pid_t pid)
{
    struct task *unused = NULL;
    for (size_t i = 0; i < MAX_TASKS; i++) {
        if (life->tasks[i].pid == pid)
            return &life->tasks[i];
        if (life->tasks[i].pid == 0)
            unused = &life->tasks[i];
    }
    if (unused == NULL) {
        say("BROKEN too many processes\n");
        _exit(97);
    }
    *unused = (struct task){.pid = pid};
    return unused;
}

static void end(struct life *life, enum ending ending, unsigned int command)
{
    struct outcome *out = life->out;
    out->ending = ending;
    out->reboot_command = command;
    out->disk_clean = evidence_disk_clean();
    if (ending == END_EXIT)
        return;
    out->fds_ending = evidence_fds(life->init);
    out->cpu_ms = evidence_cpu_ms(life->init);
    out->seed_saved = evidence_seed(life->init);
    evidence_thaw(life->init);
}

static void take_message(struct life *life, struct task *task, struct user_regs_struct *regs)
{
    if (regs->rdi == TELL_RUNS) {
        life->out->started++;
        life->out->has = (unsigned int)regs->rsi;
        life->out->fds_running = evidence_fds(life->init);
    } else if (regs->rdi == TELL_SIGNAL) {
        kill(life->init, (int)regs->rsi);
    }
    trace_set_result(task->pid, regs, 0);
}

static void look_at_open(struct task *task, const struct user_regs_struct *regs)
{
    char path[64];
    bool at = regs->orig_rax == SYS_openat;
    unsigned long flags = at ? regs->rdx : regs->rsi;
    trace_read_text(task->pid, at ? regs->rsi : regs->rdi, path, sizeof path);
    if ((flags & O_ACCMODE) != O_RDONLY && strcmp(path, "/proc/sysrq-trigger") == 0)
        task->sysrq = true;
    else if ((flags & O_ACCMODE) == O_RDONLY && strcmp(path, "/dev/kmsg") == 0)
        task->seek = true;
}

/* True when the task has to be stopped again at the end of its call. */
static bool at_call(struct life *life, struct task *task)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, task->pid, 0, &regs) < 0)
        return false;
    if (life->stops++ > SPIN_CALLS) {
        end(life, END_SPIN, 0);
        return false;
    }
    if (regs.orig_rax == CALL_TRACER) {
        take_message(life, task, &regs);
        return false;
    }
    if (task->ours && life->armed && regs.orig_rax < MAX_CALLS)
        life->out->counts[regs.orig_rax]++;
    if (trace_inject(life, task, &regs))
        return false;
    if (regs.orig_rax == SYS_reboot && regs.rdx != LINUX_REBOOT_CMD_CAD_OFF)
        end(life, END_REBOOT, (unsigned int)regs.rdx);
    else if (regs.orig_rax == SYS_open || regs.orig_rax == SYS_openat)
        look_at_open(task, &regs);
    return task->seek || task->sysrq || task->fail != 0;
}

/* The key u makes file systems read-only, and there is only the disk. All others end the machine.
 */
static void look_at_key(struct life *life, struct task *task, const struct user_regs_struct *regs)
{
    char key[2];
    if (regs->orig_rax != SYS_write)
        return;
    trace_read_text(task->pid, regs->rsi, key, sizeof key);
    task->sysrq = false;
    if (key[0] != 'u')
        end(life, END_SYSRQ, 0);
}

/* Before it too, while task->sysrq. */
static void after_call(struct life *life, struct task *task)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, task->pid, 0, &regs) < 0)
        return;
    /* it could not be opened: nothing will be written there (before a call it is ENOSYS) */
    if ((regs.orig_rax == SYS_open || regs.orig_rax == SYS_openat) && (long)regs.rax < 0 &&
        (long)regs.rax != -ENOSYS)
        task->sysrq = false;
    if (task->sysrq)
        look_at_key(life, task, &regs);
    if (task->fail != 0) {
        regs.rax = (unsigned long)-task->fail;
        ptrace(PTRACE_SETREGS, task->pid, 0, &regs);
    } else if (task->seek && (long)regs.rax >= 0) {
        int process = (int)syscall(SYS_pidfd_open, task->pid, 0);
        int fd = (int)syscall(SYS_pidfd_getfd, process, (int)regs.rax, 0);
        (void)lseek(fd, 0, SEEK_DATA); /* behind the last SYSLOG_ACTION_CLEAR */
        close(fd);
        close(process);
    }
    task->fail = 0;
    task->seek = false;
}

static void on_new_task(struct life *life, const struct task *parent)
{
    unsigned long pid = 0;
    ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid);
    struct task *child = task_of(life, (pid_t)pid);
    child->ours = parent->ours;
    child->announced = true;
    if (child->waiting)
        ptrace(PTRACE_CONT, child->pid, 0, 0);
    child->waiting = false;
}

static void on_exec(struct life *life, struct task *task)
{
    if (task->pid == life->init)
        life->armed = task->ours = true;
    else
        task->ours = false;
}

static void on_stop(struct life *life, struct task *task, int status)
{
    int event = status >> 16, number = WSTOPSIG(status);
    if (event == PTRACE_EVENT_STOP && number != SIGTRAP) { /* stopped by a signal: let it be so */
        ptrace(PTRACE_LISTEN, task->pid, 0, 0);
        return;
    }
    if (event == PTRACE_EVENT_STOP && !task->announced) {
        task->waiting = true;
        return;
    }
    int how = PTRACE_CONT;
    if (event == PTRACE_EVENT_SECCOMP)
        how = at_call(life, task) ? PTRACE_SYSCALL : PTRACE_CONT;
    else if (event == PTRACE_EVENT_EXEC)
        on_exec(life, task);
    else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
             event == PTRACE_EVENT_CLONE)
        on_new_task(life, task);
    else if (number == (SIGTRAP | 0x80))
        after_call(life, task);
    if (task->sysrq)
        how = PTRACE_SYSCALL;
    if (life->out->ending == END_NONE)
        ptrace(how, task->pid, 0, event == 0 && number != (SIGTRAP | 0x80) ? number : 0);
}

static void follow(struct life *life)
{
    while (life->out->ending == END_NONE) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && late) {
            end(life, END_HANG, 0);
        } else if (pid > 0 && WIFSTOPPED(status)) {
            on_stop(life, task_of(life, pid), status);
        } else if (pid == life->init) {
            life->out->reboot_command = (unsigned int)status;
            end(life, END_EXIT, (unsigned int)status);
        } else if (pid > 0) {
            task_of(life, pid)->pid = 0;
        }
    }
}

/* The end of the namespace's init takes everybody along. */
static void clear_away(pid_t init)
{
    int status = 0;
    pid_t pid = 0;
    kill(init, SIGKILL);
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)
        if (pid > 0 && WIFSTOPPED(status))
            ptrace(PTRACE_CONT, pid, 0, 0);
}

static void set_alarm(long seconds)
{
    const struct itimerval every = {.it_interval = {.tv_sec = seconds ? 1 : 0},
                                    .it_value = {.tv_sec = seconds}};
    late = 0;
    setitimer(ITIMER_REAL, &every, NULL);
}

static pid_t start(char name, int traced_call)
{
    int go[2];
    if (pipe(go) < 0)
        return -1;
    pid_t pid = (pid_t)syscall(SYS_clone,
                               CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
                                   CLONE_NEWNET | SIGCHLD,
                               NULL, NULL, NULL, 0);
    if (pid == 0)
        life_become(name, go[0], traced_call);
    if (pid > 0)
        (void)ptrace(PTRACE_SEIZE, pid, 0, OPTIONS);
    (void)!write(go[1], "", 1);
    close(go[0]);
    close(go[1]);
    return pid;
}

void trace_life(char name, const struct fault *fault, struct outcome *outcome)
{
    static struct life life;
    const struct sigaction action = {.sa_handler = on_alarm};
    life = (struct life){.fault = fault, .out = outcome};
    *outcome = (struct outcome){.fds_running = 0};
    sigaction(SIGALRM, &action, NULL);
    life.init = start(name, fault->call);
    if (life.init < 0) {
        say("BROKEN clone: %s\n", strerror(errno));
        return;
    }
    task_of(&life, life.init)->announced = true;
    set_alarm(LIFE_LIMIT_S);
    long began = now_ms();
    follow(&life);
    outcome->took_ms = now_ms() - began;
    set_alarm(0);
    clear_away(life.init);
}
