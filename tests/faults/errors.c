/* SPDX-License-Identifier: MIT */
/* Which errors a call can return, from its manual page: the usual one first, then what the kernel's
 * own limits, devices and signals add. */
#include "faultinit.h"

#include <errno.h>
#include <sys/syscall.h>

#define LIST(...)                                                                                  \
    (const int[])                                                                                  \
    {                                                                                              \
        __VA_ARGS__, 0                                                                             \
    }
#define MEMORY ENOMEM, EINTR
#define PATHS  EACCES, ENOENT, EIO, ENOMEM, ELOOP, EINTR

static const struct {
    int call;
    const int *errors;
} known[] = {
    {SYS_open, LIST(EMFILE, ENFILE, PATHS, EROFS, ENXIO, EBUSY, ENODEV)},
    {SYS_openat, LIST(EMFILE, ENFILE, PATHS, EROFS)},
    {SYS_read, LIST(EIO, EINTR, EAGAIN, EISDIR)},
    {SYS_pread64, LIST(EIO, EINTR)},
    {SYS_write, LIST(EIO, ENOSPC, EINTR, EAGAIN, EPIPE, EINVAL)},
    {SYS_writev, LIST(EIO, EINTR)},
    {SYS_close, LIST(EIO, EINTR)},
    {SYS_stat, LIST(PATHS)},
    {SYS_lstat, LIST(PATHS)},
    {SYS_fstat, LIST(EIO, ENOMEM, EINTR)},
    {SYS_newfstatat, LIST(PATHS)},
    {SYS_access, LIST(PATHS, EROFS)},
    {SYS_faccessat, LIST(PATHS, EROFS)},
    {SYS_mmap, LIST(MEMORY, EPERM)},
    {SYS_munmap, LIST(MEMORY)},
    {SYS_mprotect, LIST(MEMORY)},
    {SYS_mremap, LIST(MEMORY)},
    {SYS_madvise, LIST(MEMORY, EIO)},
    {SYS_ioctl, LIST(EIO, ENOTTY, EPERM, EINTR, ENODEV, EBUSY)},
    {SYS_fcntl, LIST(EMFILE, EBADF, EINTR)},
    {SYS_dup, LIST(EMFILE, EINTR)},
    {SYS_dup2, LIST(EBUSY, EMFILE, EINTR)},
    {SYS_dup3, LIST(EBUSY, EMFILE, EINTR)},
    {SYS_pipe, LIST(EMFILE, ENFILE, EINTR)},
    {SYS_pipe2, LIST(EMFILE, ENFILE, EINTR)},
    {SYS_poll, LIST(EINTR, ENOMEM)},
    {SYS_lseek, LIST(EINVAL, EINTR)},
    {SYS_fork, LIST(EAGAIN, ENOMEM, EINTR)},
    {SYS_vfork, LIST(EAGAIN, ENOMEM, EINTR)},
    {SYS_clone, LIST(EAGAIN, ENOMEM, EINTR)},
    {SYS_execve, LIST(ENOENT, EACCES, ENOMEM, EIO, ETXTBSY, EINTR)},
    {SYS_execveat, LIST(ENOENT, EACCES, ENOMEM, EIO)},
    {SYS_wait4, LIST(EINTR, ECHILD)},
    {SYS_waitid, LIST(EINTR, ECHILD)},
    {SYS_kill, LIST(EPERM, ESRCH, EINTR)},
    {SYS_rt_sigtimedwait, LIST(EINTR, EAGAIN)},
    {SYS_sigaltstack, LIST(ENOMEM, EINTR)},
    {SYS_signalfd4, LIST(EMFILE, ENODEV, ENOMEM, EINTR)},
    {SYS_epoll_create1, LIST(EMFILE, ENOMEM, EINTR)},
    {SYS_epoll_ctl, LIST(ENOMEM, ENOSPC, EINTR)},
    {SYS_epoll_wait, LIST(EINTR, EINVAL)},
    {SYS_epoll_pwait, LIST(EINTR, EINVAL)},
    {SYS_timerfd_create, LIST(EMFILE, ENOMEM, EINTR)},
    {SYS_timerfd_settime, LIST(EINVAL, ECANCELED, EINTR)},
    {SYS_memfd_create, LIST(EMFILE, ENOMEM, EINTR)},
    {SYS_ftruncate, LIST(EIO, EPERM, EINTR)},
    {SYS_fsync, LIST(EIO, ENOSPC, EINTR)},
    {SYS_syncfs, LIST(EIO, ENOSPC, EINTR)},
    {SYS_mount, LIST(EBUSY, ENOMEM, EIO, ENODEV, EROFS, EPERM, EINVAL, EINTR)},
    {SYS_umount2, LIST(EBUSY, EIO, EPERM, EINVAL, EINTR)},
    {SYS_mkdir, LIST(EROFS, ENOSPC, EACCES, EIO, EINTR)},
    {SYS_mkdirat, LIST(EROFS, ENOSPC, EACCES, EIO, EINTR)},
    {SYS_mknod, LIST(EROFS, ENOSPC, EPERM, EINTR)},
    {SYS_rename, LIST(EIO, ENOSPC, EROFS, ENOENT, EINTR)},
    {SYS_renameat, LIST(EIO, ENOSPC, EROFS, ENOENT, EINTR)},
    {SYS_unlink, LIST(EIO, EROFS, EPERM, ENOENT, EINTR)},
    {SYS_unlinkat, LIST(EIO, EROFS, EPERM, ENOENT, EINTR)},
    {SYS_symlink, LIST(EIO, ENOSPC, EROFS, EINTR)},
    {SYS_readlink, LIST(EINVAL, EACCES, EIO, EINTR)},
    {SYS_readlinkat, LIST(EINVAL, EACCES, EIO, EINTR)},
    {SYS_chdir, LIST(PATHS)},
    {SYS_fchdir, LIST(EACCES, EIO, EINTR)},
    {SYS_chmod, LIST(EROFS, EPERM, EIO, EINTR)},
    {SYS_fchmod, LIST(EROFS, EPERM, EIO, EINTR)},
    {SYS_fchmodat, LIST(EROFS, EPERM, EIO, EINTR)},
    {SYS_flock, LIST(ENOLCK, EINTR, EWOULDBLOCK)},
    {SYS_getdents64, LIST(EIO, ENOENT, ENOMEM, EINTR)},
    {SYS_getrandom, LIST(EAGAIN, ENOSYS, EINTR)},
    {SYS_sethostname, LIST(EPERM, EINTR)},
    {SYS_setsid, LIST(EPERM)},
    {SYS_setpgid, LIST(EPERM, EACCES)},
    {SYS_setgroups, LIST(EPERM, ENOMEM, EINTR)},
    {SYS_setresuid, LIST(EAGAIN, EPERM, EINTR)},
    {SYS_setresgid, LIST(EPERM, EINTR)},
    {SYS_prlimit64, LIST(EPERM, EINVAL, EINTR)},
    {SYS_clock_settime, LIST(EPERM, EINTR)},
    {SYS_socket, LIST(EMFILE, EAFNOSUPPORT, ENOMEM, EINTR)},
    {SYS_bind, LIST(EADDRINUSE, ENOMEM, EINTR)},
    {SYS_getsockname, LIST(ENOBUFS, EINTR)},
    {SYS_setsockopt, LIST(ENOPROTOOPT, ENOMEM, EINTR)},
    {SYS_sendto, LIST(ENOBUFS, EPERM, EINTR)},
    {SYS_sendmsg, LIST(ENOBUFS, EPERM, EINTR)},
    {SYS_recvmsg, LIST(ENOBUFS, EAGAIN, EINTR)},
    {SYS_recvfrom, LIST(ENOBUFS, EAGAIN, EINTR)},
    {SYS_reboot, LIST(EPERM, EINVAL, EINTR)},
    {SYS_sync, NULL},
};

const int *errors_of(int call)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].call == call)
            return known[i].errors;
    return NULL;
}
