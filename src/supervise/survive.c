/* SPDX-License-Identifier: MIT */
#include "erlinit/survive.h"

#include "erlinit/arena.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "erlinit/times.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* "erlinit" and the layout's number: another layout is another machine */
#define MACHINE_MAGIC (0x65726c696e697400ULL + sizeof(struct machine))

/* How the new program finds the state: in the environment it gets, the number of the descriptor. */
#define RESUME_NAME "ERLINIT_RESUME="

/* The kernel's frame for AVX-512 and AMX takes up to 11 KB (signal(7), sysconf(3) _SC_MINSIGSTKSZ).
 * Only touched in a crash. */
#define CRASH_STACK_BYTES (32 * 1024)

#define STATE_NAME  "erlinit-state"
#define STATE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static struct machine state;
static int program_fd = -1;
static char **start_argv;
static char **resume_environment; /* resume_word, and environ */
static char resume_word[sizeof RESUME_NAME + sizeof "-2147483648"];
static char crash_stack[CRASH_STACK_BYTES];

void survive_count_crash(struct machine *machine, int64_t now_ms)
{
    machine->crashes++;
    if (machine->recent_crashes == 0 ||
        now_ms - machine->first_recent_crash_ms > SURVIVE_WINDOW_MS) {
        machine->recent_crashes = 0;
        machine->first_recent_crash_ms = now_ms;
    }
    machine->recent_crashes++;
}

bool survive_is_broken(const struct machine *machine)
{
    return machine->recent_crashes >= SURVIVE_MAX_CRASHES;
}

bool survive_is_plausible(const struct machine *machine)
{
    const struct lifecycle *life = &machine->life;
    return machine->magic == MACHINE_MAGIC && machine->vm_pid >= 0 &&
           life->phase >= PHASE_BOOTING && life->phase <= PHASE_ENDING &&
           life->action >= ACTION_REBOOT && life->action <= ACTION_POWEROFF;
}

/* From here on to the execve(2) all is async-signal-safe (signal-safety(7)); so is log_line(): one
 * write, no memory, no lock. */

/* A descriptor that the new program gets, and nobody can change what is in it. Only now: an exec
 * needs more memory than this does. */
static int store_state(void)
{
    /* kernels from 6.3 on complain in the log about one that doesn't say whether it can be executed
     */
    int fd = memfd_create(STATE_NAME, MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0)
        fd = memfd_create(STATE_NAME, MFD_ALLOW_SEALING);
    if (fd < 0 || file_write_all(fd, &state, sizeof state) < 0 ||
        fcntl(fd, F_ADD_SEALS, STATE_SEALS) < 0)
        return -1;
    return fd;
}

static void execute_again(void)
{
    int fd = store_state();
    /* without it the new program would boot another VM */
    if (fd < 0)
        return;
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < CHILD_FAULT_SIGNALS; i++)
        sigaddset(&set, child_fault_signals[i]);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    struct text word = text_into(resume_word, sizeof resume_word);
    text_format(&word, RESUME_NAME "%d", fd);
    if (state.boot_events_fd > STDERR_FILENO)
        (void)fcntl(state.boot_events_fd, F_SETFD, 0);
    (void)syscall(SYS_execveat, program_fd, "", start_argv, resume_environment, AT_EMPTY_PATH);
    (void)execve("/proc/self/exe", start_argv, resume_environment);
    (void)execve(start_argv[0], start_argv, resume_environment);
}

static void crashed(int number, siginfo_t *info, void *context)
{
    (void)context;
    survive_count_crash(&state, time_ms());
    TEXT_ON_STACK(cause, 48);
    /* sigaction(2): a code above 0 is the kernel's, about an address; else a process has sent the
     * signal */
    if (info->si_code > 0)
        text_format(&cause, "address %#lx", (unsigned long)(uintptr_t)info->si_addr);
    else
        text_format(&cause, "sent by process %d", (int)info->si_pid);
    log_line(LOG_EMERGENCY, "PID 1 has crashed: signal %d, %s. Starting again (%u)", number,
             cause.at, state.crashes);
    execute_again();
    log_line(LOG_EMERGENCY, "PID 1 can't start again: %m. Rebooting at once");
    (void)reboot(RB_AUTOBOOT);
    _exit(1);
}

static void install_handlers(void)
{
    stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack};
    struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigfillset(&action.sa_mask);
    if (sigaltstack(&stack, NULL) < 0)
        log_warning("No stack for a crash: %m. PID 1 may not survive one");
    for (size_t i = 0; i < CHILD_FAULT_SIGNALS; i++)
        (void)sigaction(child_fault_signals[i], &action, NULL);
}

/* Takes RESUME_NAME out of the environment. The descriptor, or -1. */
static int take_resume_fd(void)
{
    long long fd = -1;
    char **to = environ;
    for (char **from = environ; *from != NULL; from++) {
        if (text_starts_with(*from, RESUME_NAME))
            (void)text_to_number(*from + sizeof RESUME_NAME - 1, 10, 3, INT16_MAX, &fd);
        else
            *to++ = *from;
    }
    *to = NULL;
    return (int)fd;
}

/* The word could come from the kernel's command line: it is believed only if what it names has our
 * seal and our mark. */
static bool resume(int fd)
{
    int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & STATE_SEALS) != STATE_SEALS)
        return false;
    struct machine found = {0};
    bool whole = pread(fd, &found, sizeof found, 0) == (ssize_t)sizeof found;
    (void)close(fd);
    if (!whole || found.magic != MACHINE_MAGIC)
        return false;
    state = found;
    if (state.boot_events_fd > STDERR_FILENO)
        (void)fcntl(state.boot_events_fd, F_SETFD, FD_CLOEXEC);
    return true;
}

static void reset_state(void)
{
    state = (struct machine){.magic = MACHINE_MAGIC,
                             .life = lifecycle_start(),
                             .boot_events_fd = -1,
                             .start_us = time_us()};
}

static void prepare_environment(void)
{
    struct strings list = {0};
    int result = strings_add(&list, resume_word);
    for (char **entry = environ; *entry != NULL && result == 0; entry++)
        result = strings_add(&list, *entry);
    resume_environment = result == 0 ? (char **)list.item : environ;
}

/* Overwritten by whatever crashed: what can be believed is kept, and PID 1 no longer trusts itself.
 */
static void repair_state(void)
{
    uint32_t crashes = state.crashes;
    pid_t vm_pid = state.vm_pid;
    reset_state();
    state.crashes = crashes > 0 ? crashes : 1;
    state.vm_pid = vm_pid > 0 ? vm_pid : 0;
    state.configured = 1;
    state.early_begun = MACHINE_MAX_STEPS;
    state.recent_crashes = SURVIVE_MAX_CRASHES;
    state.first_recent_crash_ms = time_ms();
    log_error("The state of PID 1 was damaged in the crash. Shutting down");
}

/* The kernel starts PID 1 without children: who has some was here before, whatever became of its
 * state. */
static bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

struct machine *survive_start(char *argv[])
{
    start_argv = argv;
    int fd = take_resume_fd();
    bool resumed = resume(fd);
    bool whole = resumed && survive_is_plausible(&state);
    if (!resumed)
        reset_state();
    if (!whole && (resumed || (fd >= 0 && has_children())))
        repair_state();
    prepare_environment();
    install_handlers();
    if (whole)
        log_milestone("PID 1 goes on after crash %u. The VM is process %d, nobody else has noticed",
                      state.crashes, (int)state.vm_pid);
    return &state;
}

void survive_find_program(void)
{
    program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
}
