/* SPDX-License-Identifier: MIT */
/*
 * The last system call, and the ladder for when it returns. For HALT and POWER_OFF the kernel makes
 * the caller exit on some paths (kernel/reboot.c), which as PID 1 would be a panic: a child calls
 * it.
 */
#include "erlinit/shutdown.h"

#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/times.h"

#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

struct reboot_call {
    int command;
    const char *argument;
};

static int call_reboot(void *argument)
{
    const struct reboot_call *call = argument;
    (void)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, call->command,
                  call->argument);
    log_error("reboot(2), command %#x: %m. Trying another way", (unsigned int)call->command);
    return 1;
}

/* In a child; itself if there can be none. */
static void try_reboot(int command, const char *argument, int64_t limit_ms)
{
    struct reboot_call call = {.command = command, .argument = argument};
    pid_t pid = child_start(call_reboot, &call);
    int status = 0;
    if (pid < 0)
        (void)call_reboot(&call);
    else
        (void)child_wait(pid, time_ms() + limit_ms, &status);
}

/* sysrq(4): o powers off, b resets at once. */
static void try_sysrq(const char *key)
{
    (void)file_set("/proc/sysrq-trigger", key);
}

/* A machine that stays on, and does nothing: reaps, and takes no signal. */
__attribute__((noreturn)) static void stand_still(void)
{
    child_set_hooks(NULL);
    for (;;) {
        (void)child_wait_event(NULL, CHILD_NO_DEADLINE);
        (void)child_reap(NULL);
    }
}

void shutdown_reboot(enum action action, const char *argument, int64_t limit_ms)
{
    if (action == ACTION_HALT) {
        try_reboot(LINUX_REBOOT_CMD_HALT, NULL, limit_ms);
        stand_still();
    }
    if (action == ACTION_POWEROFF) {
        try_reboot(LINUX_REBOOT_CMD_POWER_OFF, NULL, limit_ms);
        try_sysrq("o");
        log_error("Power off has not worked: halting");
        try_reboot(LINUX_REBOOT_CMD_HALT, NULL, limit_ms);
        stand_still();
    }
    if (argument[0] != '\0')
        try_reboot(LINUX_REBOOT_CMD_RESTART2, argument, limit_ms);
    try_reboot(LINUX_REBOOT_CMD_RESTART, NULL, limit_ms);
    try_sysrq("b");
    /* nothing else is left: the kernel panics, and panic= or the watchdog resets the machine */
    _exit(1);
}
