/* SPDX-License-Identifier: MIT */
/*
 * What libuev and musl itself would bring along, and this program has no use for: 30 KB.
 *
 * Debian's archive of libuev is built for glibc with _FORTIFY_SOURCE; linked with musl it lacks the
 * checking variant of a call (LSB gives its contract). Its loop names its watchers for signals,
 * cron and events, which nobody here starts, and asks select(2) about regular files, of which it
 * gets none.
 *
 * The second half are system calls that musl surrounds with work for programs of several threads
 * (signals to all of them, locks) or for kernels of Linux 2.6 (other calls, a child process that
 * checks permissions). The bare calls do the same for a program of one thread on a newer kernel.
 */
#include <features.h>

#ifndef __GLIBC__
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <uev/uev.h>
#include <unistd.h>

/* 32-bit processors count user and group numbers of 16 bits in the first, older, set of calls. */
#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESUID SYS_setresuid32
#define SETRESGID SYS_setresgid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESUID SYS_setresuid
#define SETRESGID SYS_setresgid
#endif
#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

long __fdelt_chk(long fd);

long __fdelt_chk(long fd)
{
    if (fd < 0 || fd >= FD_SETSIZE)
        __builtin_trap();
    return fd / (8 * (long)sizeof(long));
}

static int not_here(void)
{
    errno = ENOSYS;
    return -1;
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable,
           fd_set *restrict exceptional, struct timeval *restrict limit)
{
    (void)count;
    (void)readable;
    (void)writable;
    (void)exceptional;
    (void)limit;
    return not_here();
}

int uev_cron_set(uev_t *watcher, time_t when, time_t interval)
{
    (void)watcher;
    (void)when;
    (void)interval;
    return not_here();
}

int uev_cron_stop(uev_t *watcher)
{
    (void)watcher;
    return not_here();
}

int uev_signal_start(uev_t *watcher)
{
    (void)watcher;
    return not_here();
}

int uev_signal_stop(uev_t *watcher)
{
    (void)watcher;
    return not_here();
}

int uev_event_stop(uev_t *watcher)
{
    (void)watcher;
    return not_here();
}

pid_t fork(void)
{
    return _Fork();
}

int setgroups(size_t count, const gid_t *groups)
{
    return (int)syscall(SETGROUPS, count, groups);
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    return (int)syscall(SETRESUID, real, effective, saved);
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    return (int)syscall(SETRESGID, real, effective, saved);
}

/* musl sets the flag of O_CLOEXEC once more, for kernels that don't know it. */
int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return openat(AT_FDCWD, path, flags, mode);
}

/* The kernel's call knows no flags, and no caller here has any. */
int faccessat(int directory, const char *path, int mode, int flags)
{
    if (flags != 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_faccessat, directory, path, mode);
}

int fchmod(int fd, mode_t mode)
{
    return (int)syscall(SYS_fchmod, fd, mode);
}

/* musl's knows of kernels without O_CLOEXEC, and of owners that are groups. */
int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    unsigned long argument = va_arg(arguments, unsigned long);
    va_end(arguments);
    return (int)syscall(FCNTL, fd, command, argument);
}

/* POSIX means all threads of a process, the kernel one, and musl refuses. */
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters)
{
    return (int)syscall(SYS_sched_setscheduler, pid, policy, parameters);
}

int fchdir(int fd)
{
    return (int)syscall(SYS_fchdir, fd);
}

int pipe2(int fds[2], int flags)
{
    return (int)syscall(SYS_pipe2, fds, flags);
}

int setrlimit(int resource, const struct rlimit *limit)
{
    return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

/* On 32-bit processors musl has to try two calls: kernels before 5.1 know only the older. */
#ifndef SYS_clock_gettime64
int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)syscall(SYS_clock_gettime, clock, now);
}

time_t time(time_t *also)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (also != NULL)
        *also = now.tv_sec;
    return now.tv_sec;
}
#endif
#endif
