/* SPDX-License-Identifier: MIT */
/* The tracer of one life: counts system calls, makes one fail, and sees how the machine ends. */
#include "faultinit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_LIMIT_S 25     /* of the machine's time; all limits of the configuration together */
#define SPIN_CALLS   100000 /* a life has some hundred */
#define MAX_TASKS    64

#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |      \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)

struct task {
    pid_t pid;
    bool ours;      /* erlinit's code: its calls count */
    bool announced; /* its parent's event has come */
    bool waiting;   /* it has stopped before that */
    bool seek; /* at the end of this call: /dev/kmsg is open, skip what earlier lives have said */
    int fail;  /* at the end of this call: the errno that it returns */
};

struct life {
    const struct fault *fault;
    struct outcome *out;
    pid_t init;
    bool armed; /* init has become erlinit */
    unsigned int nth, stops;
    struct task tasks[MAX_TASKS];
};

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

static int count_fds(pid_t pid)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    return count;
}

static int cpu_ms_of(pid_t pid)
{
    char path[64], text[512];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[length < 0 ? 0 : length] = '\0';
    const char *at = strrchr(text, ')');
    if (at != NULL)
        (void)sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &kernel);
    return (int)((user + kernel) * 10);
}

/* ext4's superblock: s_feature_incompat at 0x60, RECOVER is 4 (kernel doc, filesystems/ext4). */
static bool disk_is_clean(void)
{
    unsigned char block[1024];
    int fd = open(DISK, O_RDONLY | O_CLOEXEC);
    bool clean =
        fd >= 0 && pread(fd, block, sizeof block, 1024) == sizeof block && (block[0x60] & 4) == 0;
    close(fd);
    return clean;
}

static bool has_seed(pid_t init)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/root/root/seedrng/seed.credit", (int)init);
    if (access(path, F_OK) == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%d/root/root/seedrng/seed.no-credit", (int)init);
    return access(path, F_OK) == 0;
}

/* A frozen disk would hold those who write to it even when they are killed. */
static void thaw(pid_t init)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root/data", (int)init);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)ioctl(fd, FITHAW, 0);
    close(fd);
}

static void end(struct life *life, enum ending ending, unsigned int command)
{
    struct outcome *out = life->out;
    out->ending = ending;
    out->reboot_command = command;
    out->disk_clean = disk_is_clean();
    if (ending == END_EXIT)
        return;
    out->fds_ending = count_fds(life->init);
    out->cpu_ms = cpu_ms_of(life->init);
    out->seed_saved = has_seed(life->init);
    thaw(life->init);
}

static void read_text(pid_t pid, unsigned long address, char *text, size_t size)
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
    return strcmp(text, "/dev/kmsg") == 0 || (text[0] == '<' && strstr(text, ">erlinit") != NULL);
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
        read_text(pid, arguments[i], text, sizeof text);
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

static void set_result(pid_t pid, struct user_regs_struct *regs, long result)
{
    regs->orig_rax = -1UL; /* the call itself is skipped */
    regs->rax = (unsigned long)result;
    ptrace(PTRACE_SETREGS, pid, 0, regs);
}

static bool inject(struct life *life, struct task *task, struct user_regs_struct *regs)
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
    set_result(task->pid, regs, -fault->error);
    return true;
}

static void take_message(struct life *life, struct task *task, struct user_regs_struct *regs)
{
    if (regs->rdi == TELL_RUNS) {
        life->out->started++;
        life->out->has = (unsigned int)regs->rsi;
        life->out->fds_running = count_fds(life->init);
    } else if (regs->rdi == TELL_SIGNAL) {
        kill(life->init, (int)regs->rsi);
    }
    set_result(task->pid, regs, 0);
}

static void look_at_open(struct life *life, struct task *task, const struct user_regs_struct *regs)
{
    char path[64];
    bool at = regs->orig_rax == SYS_openat;
    unsigned long flags = at ? regs->rdx : regs->rsi;
    read_text(task->pid, at ? regs->rsi : regs->rdi, path, sizeof path);
    if ((flags & O_ACCMODE) != O_RDONLY && strcmp(path, "/proc/sysrq-trigger") == 0)
        end(life, END_SYSRQ, 0);
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
    if (inject(life, task, &regs))
        return false;
    if (regs.orig_rax == SYS_reboot && regs.rdx != LINUX_REBOOT_CMD_CAD_OFF)
        end(life, END_REBOOT, (unsigned int)regs.rdx);
    else if (regs.orig_rax == SYS_open || regs.orig_rax == SYS_openat)
        look_at_open(life, task, &regs);
    return task->seek || task->fail != 0;
}

static void after_call(struct task *task)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, task->pid, 0, &regs) < 0)
        return;
    if (task->fail != 0) {
        regs.rax = (unsigned long)-task->fail;
        ptrace(PTRACE_SETREGS, task->pid, 0, &regs);
    } else if ((long)regs.rax >= 0) {
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
        after_call(task);
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
    life.init = start(name, fault->mode == MODE_NONE ? -1 : fault->call);
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
