/* SPDX-License-Identifier: MIT */
/* The lowest floor: nothing but becoming the VM. */
#include "vm.h"

#include <unistd.h>

int main(void)
{
    return execve(BENCH_VM, vm_arguments, vm_environment);
}
