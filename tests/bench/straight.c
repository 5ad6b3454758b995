/* SPDX-License-Identifier: MIT */
/*
 * The floor of a real boot: every system call by which erlinit changes something, in its order,
 * with everything known beforehand. It looks nothing up, checks nothing, makes only directories
 * that are missing, and logs two lines. As with erlinit, the new seed is stored when the VM runs.
 * -DTYPICAL: the typical configuration of the benchmark instead of the default one.
 * -DACTION=RB_POWER_OFF: how it ends.
 */
#include "vm.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef ACTION
#define ACTION RB_AUTOBOOT
#endif
#ifndef HOSTNAME
#define HOSTNAME "bench"
#endif
#define SEED_BYTES 32

static int kmsg;

static void log_line(const char *line, size_t length)
{
    (void)!write(kmsg, line, length);
}

static void provide(const char *target, const char *type, unsigned long flags, const char *data)
{
    mount(type, target, type, flags, data);
}

static void make(const char *target, const char *type, unsigned long flags, const char *data)
{
    mkdir(target, 0755);
    provide(target, type, flags, data);
}

static void early(void)
{
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "size=1024k");
    kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    log_line("<29>floor: start\n", 17);
    provide("/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    provide("/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount(NULL, "/dev", NULL, MS_REMOUNT | MS_NOSUID | MS_NOEXEC, "size=1024k");
    make("/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620");
    make("/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    setsid();
    int fd = open("/dev/ttyS0", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    fcntl(fd, F_SETFL, O_RDWR);
    ioctl(fd, TIOCSCTTY, 1);
    for (int standard = 0; standard <= STDERR_FILENO; standard++)
        dup2(fd, standard);
    close(fd);
}

/* The kernel gives it its addresses. */
static void loopback(void)
{
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ioctl(fd, SIOCSIFFLAGS, &up);
    close(fd);
}

static void seed(void)
{
    char bytes[SEED_BYTES];
    mkdir("/root/seedrng", 0700);
    int directory = open("/root/seedrng", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    flock(directory, LOCK_EX | LOCK_NB);
    int fd = openat(directory, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    (void)!getrandom(bytes, sizeof bytes, GRND_NONBLOCK);
    (void)!write(fd, bytes, sizeof bytes);
    fsync(fd);
    close(fd);
    renameat(directory, "new", directory, "seed.no-credit");
    fsync(directory);
    renameat(directory, "seed.no-credit", directory, "seed.credit");
    fsync(directory);
    close(directory);
}

#ifdef TYPICAL
static void helper(int output)
{
    char *const arguments[] = {"helper", NULL};
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        if (output >= 0)
            dup2(output, STDOUT_FILENO);
        execve("/bin/helper", arguments, vm_environment);
        _exit(1);
    }
    waitpid(pid, &status, 0);
}

static void typical(void)
{
    static const char *const targets[] = {"/mnt/0", "/mnt/1", "/mnt/2",
                                          "/mnt/3", "/mnt/4", "/mnt/5"};
    for (unsigned i = 0; i < sizeof targets / sizeof targets[0]; i++)
        make(targets[i], "tmpfs", MS_NODEV, "size=1m");
    char id[16];
    int out[2];
    if (pipe2(out, O_CLOEXEC) == 0) {
        helper(out[1]);
        (void)!read(out[0], id, sizeof id);
        close(out[0]);
        close(out[1]);
    }
}
#endif

static void become_vm(void)
{
    sigset_t none;
    setpgid(0, 0);
    sigemptyset(&none);
    tcsetpgrp(0, getpid()); /* SIGTTOU is blocked still */
    provide("/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=10%");
    provide("/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=5%");
#ifdef TYPICAL
    typical();
#endif
    loopback();
    sethostname(HOSTNAME, sizeof HOSTNAME - 1);
    (void)!chdir(BENCH_BASE);
#ifdef TYPICAL
    helper(-1);
#endif
    log_line("<29>floor: Launching\n", 21);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(BENCH_VM, vm_arguments, vm_environment);
    _exit(1);
}

int main(void)
{
    sigset_t all;
    const struct sched_param none = {0};
    int status, started[2];
    reboot(RB_DISABLE_CAD);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    early();
    (void)!pipe2(started, O_CLOEXEC);
    pid_t vm = fork();
    if (vm == 0)
        become_vm();
    close(started[1]);
    /* nor does it take the processor from the VM, musl has no function for it */
    syscall(SYS_sched_setscheduler, 0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none);
    (void)!read(started[0], &status, 1); /* its end: the VM has been executed */
    seed();
    while (waitpid(-1, &status, __WALL) != vm)
        ;
    sync();
    reboot(ACTION);
}
