/* SPDX-License-Identifier: MIT */
/*
 * faultinit: init of a test machine. It runs whole lives of erlinit, each as PID 1 of namespaces of
 * its own, and in each life it makes one system call fail (seccomp(2) SECCOMP_RET_TRACE,
 * ptrace(2)).
 *
 *   faultinit.c  the plan: which life, which call, which error; what must hold afterwards
 *   trace.c      the tracer: follows the processes, sees the end
 *   inject.c     which call fails, and how
 *   evidence.c   what a life has left: descriptors, disk, log, report
 *   life.c       the namespaces, the root and the configuration of a life
 *   guest.c      what runs inside a life: the VM and its helpers
 *   errors.c     which errors a call can return
 */
#ifndef FAULTINIT_H
#define FAULTINIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK "/dev/ram0"

/* A system call that no kernel has: the VM speaks to the tracer with it. */
#define CALL_TRACER 1000
enum { TELL_RUNS = 1, TELL_SIGNAL = 2 };

/* What the VM finds in order, one bit each. */
enum {
    HAS_DATA = 1 << 0,
    HAS_BIND = 1 << 1,
    HAS_HOSTNAME = 1 << 2,
    HAS_IDENTITY = 1 << 3,
    HAS_DIRECTORY = 1 << 4,
    HAS_ENVIRONMENT = 1 << 5,
    HAS_LIMITS = 1 << 6,
    HAS_UMASK = 1 << 7,
    HAS_SCRATCH = 1 << 8,
    HAS_DEVICES = 1 << 9,
    HAS_PROC_SYS = 1 << 10,
    HAS_TERMINAL = 1 << 11,
    HAS_LOOPBACK = 1 << 12,
    HAS_THREE_FDS = 1 << 13,
    HAS_CLEAN_SIGNALS = 1 << 14,
    HAS_CLOCK = 1 << 15,
    HAS_PRE_RUN = 1 << 16,
    HAS_ARGUMENTS = 1 << 17,
    HAS_CORE_PATTERN = 1 << 18,
    HAS_GROUPS = 1 << 19,
};
/* Whatever fails: a VM that runs has these. */
#define HAS_ALWAYS (HAS_IDENTITY | HAS_THREE_FDS | HAS_CLEAN_SIGNALS)

enum mode { MODE_NONE, MODE_ONCE, MODE_EVER, MODE_SHORT };

struct fault {
    int call; /* number of the system call, -1: none */
    int error;
    enum mode mode;
    unsigned int nth; /* from 1, over PID 1 and its children up to their exec */
};

enum ending { END_NONE, END_REBOOT, END_SYSRQ, END_EXIT, END_HANG, END_SPIN };

#define MAX_CALLS 512

struct outcome {
    enum ending ending;
    unsigned int reboot_command;
    unsigned int injected; /* how often */
    char where[160];      /* the first argument that is a path, of the first call that was failed */
    bool log_lost;        /* what was failed is the log itself */
    unsigned int started; /* how often the VM has */
    unsigned int has;
    int fds_running, fds_ending; /* of PID 1 */
    int cpu_ms;                  /* of PID 1 */
    long took_ms;
    bool disk_clean, seed_saved, report_whole;
    unsigned int warnings;          /* that are not usual */
    unsigned int counts[MAX_CALLS]; /* only without a fault */
};

extern const char life_names[]; /* one letter each */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* life.c: never returns; reads one byte from `go` before it does anything. */
void life_become(char name, int go, int traced_call) __attribute__((noreturn));
void life_prepare(void);
void life_reset(void);

/* trace.c */
void trace_life(char name, const struct fault *fault, struct outcome *outcome);

/* evidence.c. The first five before PID 1 is gone, the others afterwards. */
extern char kernel_log[]; /* filled by evidence_log(): a line is a severity, a space, the text */
int evidence_fds(pid_t pid);
int evidence_cpu_ms(pid_t pid);
bool evidence_disk_clean(void);
bool evidence_seed(pid_t init);
void evidence_thaw(pid_t init);
void evidence_log(void);
void evidence_usual(void);        /* the log is that of a life without a fault */
unsigned int evidence_news(void); /* warnings and worse of erlinit that the usual life hasn't */
bool evidence_report(void);       /* is it whole, as a next boot would find it? */

/* guest.c */
int guest_main(int argc, char *argv[]);

/* errors.c: errnos that `call` can return, ended by 0; NULL: it can't fail. The first is the usual
 * one. */
const int *errors_of(int call);

#endif
