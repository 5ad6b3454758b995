/* SPDX-License-Identifier: MIT */
/* The last thing that the boot child does. */
#include "erlinit/child.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int vm_launch(const struct vm *vm, mode_t umask_bits)
{
    child_reset_signals();
    (void)umask(umask_bits);
    /* All of ours close on exec; not what PID 1 itself may have inherited. On exec, for until then
     * PID 1 has to be told if it fails. Linux before 5.11 doesn't know that. */
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    int result = identity_apply(&vm->identity);
    if (result < 0)
        return result;
    (void)execve(vm->program, (char *const *)vm->arguments.item,
                 (char *const *)vm->environment.item);
    return -errno;
}
