/* SPDX-License-Identifier: MIT */
/* The last thing that the boot child does. */
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers of C libraries may be older than the kernel; the number is the same on all processors but
 * Alpha. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_ON_EXEC (1U << 2) /* linux/close_range.h */

/*
 * All of ours close on exec; not what PID 1 itself may have inherited. On exec, for until then PID
 * 1 has to be told if it fails. Linux before 5.11 doesn't know that: one by one, as /proc lists
 * them.
 */
static void close_others(void)
{
    struct strings names = {0};
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_ON_EXEC) == 0)
        return;
    (void)directory_list("/proc/self/fd", NULL, &names);
    for (size_t i = 0; i < names.count; i++) {
        unsigned long long fd = 0;
        (void)text_read_digits(names.item[i], 10, &fd);
        if (fd > STDERR_FILENO)
            (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    }
}

int vm_launch(const struct vm *vm, mode_t umask_bits)
{
    child_reset_signals();
    (void)umask(umask_bits);
    close_others();
    int result = identity_apply(&vm->identity);
    if (result < 0) {
        errno = -result;
        log_error("Can't give the VM its user, groups and capabilities: %m");
        return result;
    }
    (void)execve(vm->program, (char *const *)vm->arguments.item,
                 (char *const *)vm->environment.item);
    return -errno;
}
