/* SPDX-License-Identifier: MIT */
/* The last thing that the boot child does. */
#include "erlinit/child.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int vm_launch(const struct vm *vm, mode_t umask_bits)
{
    child_reset_signals();
    (void)umask(umask_bits);
    int result = identity_apply(&vm->identity);
    if (result < 0)
        return result;
    (void)execve(vm->program, (char *const *)vm->arguments.item,
                 (char *const *)vm->environment.item);
    return -errno;
}
