/* SPDX-License-Identifier: MIT */
/* What runs inside a life: the VM, its leftovers, and the commands that erlinit is told to run. */
#include "faultinit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 50 /* for PID 1 to come to rest before it is looked at */

static void pass_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static size_t slurp(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, buffer, size - 1);
    close(fd);
    length = length < 0 ? 0 : length;
    buffer[length] = '\0';
    return (size_t)length;
}

static bool is_type(const char *path, unsigned long magic)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == magic;
}

static bool has_identity(bool as_user)
{
    if (as_user)
        return getuid() == 1000 && geteuid() == 1000 && getgid() == 1000;
    return getuid() == 0 && getgid() == 0;
}

static bool has_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0 &&
              ioctl(fd, SIOCGIFADDR, &request) == 0 &&
              ((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    close(fd);
    return up;
}

static bool has_three_fds(void)
{
    for (int fd = 0; fd < 256; fd++)
        if ((fcntl(fd, F_GETFD) >= 0) != (fd < 3))
            return false;
    return true;
}

static bool has_clean_signals(void)
{
    sigset_t blocked;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < 65; number++) {
        if (number >= 32 && number <= 34)
            continue;
        if (sigismember(&blocked, number) ||
            (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL))
            return false;
    }
    return true;
}

static bool reads(const char *path, const char *wanted)
{
    char text[256];
    slurp(path, text, sizeof text);
    return strncmp(text, wanted, strlen(wanted)) == 0;
}

static bool has_limits(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 512 && limit.rlim_max == 1024;
}

static bool has_directory(void)
{
    char path[256];
    return getcwd(path, sizeof path) != NULL && strcmp(path, "/work") == 0;
}

static bool has_arguments(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-boot") == 0)
            return true;
    return false;
}

static unsigned int inspect(int argc, char *argv[], bool as_user)
{
    char name[65] = "";
    mode_t mask = umask(0);
    unsigned int has = 0;
    gethostname(name, sizeof name);
    has |= is_type("/data", EXT4_SUPER_MAGIC) ? HAS_DATA : 0;
    has |= is_type("/mnt", EXT4_SUPER_MAGIC) ? HAS_BIND : 0;
    has |= strcmp(name, "dev-1234") == 0 ? HAS_HOSTNAME : 0;
    has |= has_identity(as_user) ? HAS_IDENTITY : 0;
    has |= getgroups(0, NULL) == (as_user ? 2 : 0) ? HAS_GROUPS : 0;
    has |= has_directory() ? HAS_DIRECTORY : 0;
    has |= getenv("HOME") != NULL && getenv("LIFE") != NULL ? HAS_ENVIRONMENT : 0;
    has |= has_limits() ? HAS_LIMITS : 0;
    has |= mask == 027 ? HAS_UMASK : 0;
    has |= is_type("/tmp", TMPFS_MAGIC) && is_type("/run", TMPFS_MAGIC) ? HAS_SCRATCH : 0;
    has |= is_type("/dev/pts", DEVPTS_SUPER_MAGIC) && is_type("/dev/shm", TMPFS_MAGIC) ? HAS_DEVICES
                                                                                       : 0;
    has |= is_type("/proc", PROC_SUPER_MAGIC) && is_type("/sys", SYSFS_MAGIC) ? HAS_PROC_SYS : 0;
    has |= isatty(0) && isatty(1) && isatty(2) && tcgetpgrp(0) == getpgrp() ? HAS_TERMINAL : 0;
    has |= has_loopback() ? HAS_LOOPBACK : 0;
    has |= has_three_fds() ? HAS_THREE_FDS : 0;
    has |= has_clean_signals() ? HAS_CLEAN_SIGNALS : 0;
    has |= time(NULL) > 1500000000 ? HAS_CLOCK : 0;
    has |= access("/run/pre", F_OK) == 0 ? HAS_PRE_RUN : 0;
    has |= has_arguments(argc, argv) ? HAS_ARGUMENTS : 0;
    has |= reads("/proc/sys/kernel/core_pattern", "/tmp/core") ? HAS_CORE_PATTERN : 0;
    return has;
}

static void on_term(int number)
{
    (void)number;
    _exit(0);
}

/* In processes that PID 1 has to end: one that ignores, one that catches, a storage daemon. */
static void leave(const char *how)
{
    if (fork() != 0)
        return;
    setsid();
    if (fork() != 0)
        _exit(0);
    if (strcmp(how, "ignore") == 0)
        signal(SIGTERM, SIG_IGN);
    else if (strcmp(how, "catch") == 0)
        signal(SIGTERM, on_term);
    else
        execl("/bin/guest", "@store", (char *)NULL);
    for (;;)
        pause();
}

__attribute__((noreturn)) static void store(void)
{
    int fd = open("/data/busy", O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        (void)!write(fd, "busy\n", 5);
    for (;;)
        pause();
}

static int vm(int argc, char *argv[])
{
    char life[8] = "";
    slurp("/etc/life", life, sizeof life);
    unsigned int has = inspect(argc, argv, *life == 'r' || *life == 'x');
    pass_ms(QUIET_MS);
    syscall(CALL_TRACER, TELL_RUNS, has);
    switch (*life) {
    case 'r': /* asks for a reboot and leaves, as the application does */
        syscall(CALL_TRACER, TELL_SIGNAL, SIGTERM);
        return 0;
    case 'p': /* somebody else asks for power off: the VM leaves when it is told */
        signal(SIGTERM, on_term);
        syscall(CALL_TRACER, TELL_SIGNAL, SIGUSR2);
        break;
    case 'l': /* leaves others behind, and asks for halt */
        leave("ignore");
        leave("catch");
        leave("store");
        pass_ms(QUIET_MS);
        syscall(CALL_TRACER, TELL_SIGNAL, SIGUSR1);
        return 0;
    case 'c': /* PID 1 itself crashes, and goes on */
        syscall(CALL_TRACER, TELL_SIGNAL, SIGSEGV);
        pass_ms(QUIET_MS);
        syscall(CALL_TRACER, TELL_SIGNAL, SIGTERM);
        return 0;
    default: /* x: exits unasked */
        return 3;
    }
    for (;;)
        pause();
}

int guest_main(int argc, char *argv[])
{
    const char *name = strrchr(argv[0], '/');
    name = name == NULL ? argv[0] : name + 1;
    if (strcmp(name, "erlexec") == 0)
        return vm(argc, argv);
    if (strcmp(name, "@store") == 0)
        store();
    if (strcmp(name, "id") == 0)
        return write(1, "abc1234\n", 8) == 8 ? 0 : 1;
    if (strcmp(name, "pre") == 0)
        return open("/run/pre", O_WRONLY | O_CREAT, 0644) < 0;
    return 0; /* on-exit */
}
