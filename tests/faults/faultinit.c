/* SPDX-License-Identifier: MIT */
/*
 * The plan, and what must hold in every life. /t/plan has one line:
 *
 *   LIVES PER_CALL SHARE SHARES SEED
 *
 * LIVES: letters (life.c). PER_CALL: of every system call so many of its occurrences, with one
 * errno each, 0: all of them with all errnos. SHARE of SHARES: every SHARES-th run only, for
 * several machines at a time. SEED: which occurrences.
 *
 * Or, to see one again:  LIFE call CALL ERRNO MODE NTH     (MODE: o once, e for ever, s short)
 */
#include "faultinit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SPIN_MS 2500 /* of processor time of PID 1; a life needs some 10 */

static int report_fd = -1;
static unsigned int runs, failures, calls_tried, unreached;
static unsigned int share, shares = 1, run_number;
static unsigned long random_state = 1;

void say(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    length = length < (int)sizeof text ? length : (int)sizeof text - 1;
    (void)!write(report_fd, text, (size_t)length);
}

static unsigned int draw(unsigned int below)
{
    random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned int)(random_state >> 33) % below;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    (void)!write(fd, text, strlen(text));
    close(fd);
}

static void live(char name, const struct fault *fault, struct outcome *out)
{
    life_reset();
    put("/proc/sys/kernel/core_pattern", "core");
    (void)clock_settime(CLOCK_REALTIME, &(struct timespec){.tv_sec = 1000});
    (void)klogctl(5, NULL, 0); /* SYSLOG_ACTION_CLEAR */
    trace_life(name, fault, out);
    evidence_log();
    out->warnings = evidence_news();
    out->report_whole = evidence_report();
}

static bool same(const struct outcome *out, const struct outcome *usual)
{
    return out->started == usual->started && out->has == usual->has &&
           out->disk_clean == usual->disk_clean && out->seed_saved == usual->seed_saved &&
           out->report_whole == usual->report_whole && out->ending == usual->ending &&
           out->reboot_command == usual->reboot_command;
}

/* Halted is halted: when reboot(2) never works, a machine that should halt or power off stands
 * still.
 */
static bool stands_still(const struct fault *fault, const struct outcome *out,
                         const struct outcome *usual)
{
    return fault->call == SYS_reboot && usual->reboot_command != LINUX_REBOOT_CMD_RESTART &&
           out->disk_clean && out->report_whole && out->cpu_ms < SPIN_MS;
}

/* A VM that never ran: the pipe on which the boot would tell is still open. A crash that PID 1
 * can't outlive: it ends at once, with all that it has. */
static bool leaks(const struct fault *fault, const struct outcome *out, const struct outcome *usual)
{
    int unclosed = fault->call == SYS_close && fault->mode == MODE_EVER;
    /* of an open descriptor that is not true: one more in the place of each of the first three */
    unclosed += fault->call == SYS_fcntl && fault->error == EBADF ? STDERR_FILENO + 1 : 0;
    /* the last thing that is open is what ends the machine */
    int trigger = out->ending == END_SYSRQ;
    bool crashed = !out->report_whole && strstr(kernel_log, "Rebooting at once") != NULL;
    return out->fds_running > usual->fds_running + unclosed ||
           (!crashed &&
            out->fds_ending > usual->fds_ending + unclosed + trigger + (out->started == 0));
}

/* NULL, or what is wrong. */
static const char *judge(const struct fault *fault, const struct outcome *out,
                         const struct outcome *usual)
{
    if (out->ending == END_HANG && !stands_still(fault, out, usual))
        return "hangs";
    if (out->ending == END_SPIN || out->cpu_ms > SPIN_MS)
        return "spins";
    if (out->ending == END_EXIT && fault->call != SYS_reboot)
        return "PID 1 has ended";
    if (out->ending == END_SYSRQ && fault->call != SYS_reboot && fault->call != SYS_fork)
        return "ended by sysrq";
    /* it could not know better */
    bool ignorant = strstr(kernel_log, "can't read /etc/erlinit.config") != NULL;
    if (out->started && (~out->has & HAS_ALWAYS & ~(ignorant ? HAS_IDENTITY : 0)) != 0)
        return "a VM that must not run";
    if (out->started > 1)
        return "the VM runs twice";
    if (leaks(fault, out, usual))
        return "a descriptor too many";
    /* ENOTTY means that there is no terminal: nothing to say */
    if (fault->call == SYS_ioctl && fault->error == ENOTTY)
        return NULL;
    if (!same(out, usual) && out->warnings == 0 && !out->log_lost)
        return "something is missing, and the log doesn't say so";
    return NULL;
}

static const char modes[] = "-oes";
static const char *const endings[] = {"none", "reboot", "sysrq", "exit", "hang", "spin"};

static void show(const char *word, char name, const struct fault *fault, const struct outcome *out)
{
    say("%s %c call %d %d %c %u: %s %#x started=%u has=%#x fds=%d/%d cpu=%d took=%ld clean=%d "
        "seed=%d "
        "report=%d warnings=%u injected=%u at=%s\n",
        word, name, fault->call, fault->error, modes[fault->mode], fault->nth, endings[out->ending],
        out->reboot_command, out->started, out->has, out->fds_running, out->fds_ending, out->cpu_ms,
        out->took_ms, out->disk_clean, out->seed_saved, out->report_whole, out->warnings,
        out->injected, out->where);
}

static void show_log(void)
{
    for (char *at = kernel_log, *line = at; *at != '\0'; at++) {
        if (*at != '\n')
            continue;
        *at = '\0';
        say("| %s\n", line);
        line = at + 1;
    }
}

static void try(char name, const struct fault *fault, const struct outcome *usual)
{
    static struct outcome out;
    if (run_number++ % shares != share)
        return;
    live(name, fault, &out);
    runs++;
    if (out.injected == 0) {
        unreached++;
        show("UNREACHED", name, fault, &out);
    }
    const char *wrong = judge(fault, &out, usual);
    if (wrong == NULL)
        return;
    failures++;
    say("FAIL %s\n", wrong);
    show("WAS", name, fault, &out);
    if (failures < 60)
        show_log();
}

static void try_modes(char name, struct fault fault, const struct outcome *usual, bool all)
{
    const int *errors = errors_of(fault.call);
    size_t count = 0;
    while (errors[count] != 0)
        count++;
    for (size_t i = 0; i < count; i++) {
        if (!all && i != draw((unsigned int)count))
            continue;
        fault.error = errors[i];
        fault.mode = MODE_ONCE;
        try(name, &fault, usual);
        fault.mode = MODE_EVER;
        /* no signal's work, no timeout's, but a broken kernel's; and libc asks again after EBUSY */
        bool possible = errors[i] != EINTR && !(errors[i] == EAGAIN && fault.call == SYS_read) &&
                        fault.call != SYS_rt_sigtimedwait && fault.call != SYS_wait4 &&
                        fault.call != SYS_dup2;
        if (possible && (all || draw(2) == 0))
            try(name, &fault, usual);
    }
    fault.mode = MODE_SHORT;
    fault.error = 0;
    if ((fault.call == SYS_read || fault.call == SYS_write) && (all || draw(4) == 0))
        try(name, &fault, usual);
}

static void try_call(char name, int call, unsigned int per_call, const struct outcome *usual)
{
    unsigned int count = usual->counts[call];
    unsigned int wanted = per_call == 0 || per_call > count ? count : per_call;
    calls_tried++;
    for (unsigned int i = 0; i < wanted; i++) {
        unsigned int first = count * i / wanted, next = count * (i + 1) / wanted;
        struct fault fault = {.call = call, .nth = 1 + first + draw(next - first)};
        try_modes(name, fault, usual, per_call == 0);
    }
}

static void usual_life(char name, struct outcome *usual)
{
    const struct fault none = {.call = -1, .mode = MODE_NONE};
    static struct outcome faster;
    const struct fault few = {.call = SYS_gettid, .mode = MODE_NONE};
    live(name, &none, usual);
    show("USUAL", name, &none, usual);
    /* with few calls traced things happen in another order */
    live(name, &few, &faster);
    show("USUAL", name, &few, &faster);
    evidence_usual();
    if (faster.fds_running > usual->fds_running)
        usual->fds_running = faster.fds_running;
    if (faster.fds_ending > usual->fds_ending)
        usual->fds_ending = faster.fds_ending;
    for (int call = 0; call < MAX_CALLS; call++)
        if (usual->counts[call] != 0)
            say("COUNT %c %d %u %s\n", name, call, usual->counts[call],
                errors_of(call) != NULL ? "tried" : "can't fail");
    if (usual->ending != END_REBOOT || usual->started != 1 || !usual->disk_clean)
        show_log();
}

static void follow_plan(char *plan)
{
    static struct outcome usual, out;
    char lives[16];
    unsigned int per_call = 0;
    unsigned long seed = 0;
    struct fault fault = {.mode = MODE_ONCE};
    char mode = 'o';
    if (sscanf(plan, "%15s call %d %d %c %u", lives, &fault.call, &fault.error, &mode,
               &fault.nth) == 5) {
        fault.mode = mode == 'e' ? MODE_EVER : mode == 's' ? MODE_SHORT : MODE_ONCE;
        usual_life(lives[0], &usual);
        show_log();
        live(lives[0], &fault, &out);
        show("WAS", lives[0], &fault, &out);
        show_log();
        return;
    }
    if (sscanf(plan, "%15s %u %u %u %lu", lives, &per_call, &share, &shares, &seed) != 5) {
        say("BROKEN plan\n");
        return;
    }
    for (const char *name = lives; *name != '\0'; name++) {
        random_state = seed + (unsigned long)*name;
        usual_life(*name, &usual);
        for (int call = 0; call < MAX_CALLS; call++)
            if (usual.counts[call] != 0 && errors_of(call) != NULL)
                try_call(*name, call, per_call, &usual);
    }
}

static void prepare(void)
{
    mkdir("/check", 0700);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    report_fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
    put("/sys/module/printk/parameters/ignore_loglevel", "N");
    put("/proc/sys/kernel/printk", "1");
    put("/proc/sys/kernel/printk_devkmsg", "on");
    int module = open("/t/brd.ko", O_RDONLY | O_CLOEXEC);
    if (syscall(SYS_finit_module, module, "rd_nr=1 rd_size=8192", 0) < 0)
        say("BROKEN brd: %s\n", strerror(errno));
    close(module);
    life_prepare();
}

int main(int argc, char *argv[])
{
    static char plan[256];
    if (getpid() != 1 || argc == 0)
        return guest_main(argc, argv);
    prepare();
    int fd = open("/t/plan", O_RDONLY | O_CLOEXEC);
    (void)!read(fd, plan, sizeof plan - 1);
    close(fd);
    follow_plan(plan);
    say("DONE runs=%u failures=%u calls=%u unreached=%u\n", runs, failures, calls_tried, unreached);
    (void)tcdrain(report_fd);
    reboot(RB_POWER_OFF);
    return 0;
}
