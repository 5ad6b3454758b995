/* SPDX-License-Identifier: MIT */
/* The namespaces' side: a small root in memory, a configuration, the filter, and exec. */
#include "faultinit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* All lives use one tmpfs: the programs stay where they are in memory, and QEMU keeps their
 * translation. */
#define ROOT    "/root/life"
#define POOL    "/root/pool"
#define RELEASE ROOT "/srv/erlang"

/* r: everything configured, the VM asks for a reboot. x: the same, it exits unasked. p: power off
 * is asked for, the VM waits to be told. l: leftovers and a busy disk, halt. c: PID 1 crashes. */
const char life_names[] = "rxplc";

static const char common[] = "-v\n"
                             "-m " DISK ":/data:ext4:nodev:\n"
                             "-m /data:/mnt:none:bind,nosuid:\n"
                             "-d /bin/id\n-n dev-%-.4s\n"
                             "-e LIFE=1;ERL_CRASH_DUMP=/data/erl_crash.dump\n"
                             "--limits nofile:512:1024\n"
                             "--umask 027\n"
                             "--working-directory /work\n"
                             "--core-pattern /tmp/core.%p\n"
                             "--update-clock\n"
                             "--tty-options 115200n8\n"
                             "--warn-unused-tty\n"
                             "--pre-run-exec /bin/pre\n"
                             "--run-on-exit /bin/on-exit\n"
                             "--print-timing\n"
                             "--shutdown-report /data/report.md\n--report-keep 1\n"
                             "--graceful-shutdown-timeout 2000\n--stop-grace 300\n"
                             "--shutdown-timeout 4000\n--command-timeout 2000\n"
                             "--mount-timeout 2000\n--reboot-min-uptime 0\n";

static void must(bool good, const char *what)
{
    if (good)
        return;
    say("BROKEN %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    close(fd);
}

static void copy(const char *from, const char *to)
{
    struct stat status;
    int source = open(from, O_RDONLY), target = open(to, O_WRONLY | O_CREAT, 0755);
    must(source >= 0 && target >= 0 && fstat(source, &status) == 0 &&
             sendfile(target, source, NULL, (size_t)status.st_size) == status.st_size,
         to);
    close(source);
    close(target);
}

static void make_root(char name)
{
    static const char *const directories[] = {"bin",
                                              "sbin",
                                              "etc",
                                              "proc",
                                              "sys",
                                              "dev",
                                              "tmp",
                                              "run",
                                              "root",
                                              "data",
                                              "mnt",
                                              "work",
                                              "srv",
                                              "srv/erlang",
                                              "srv/erlang/erts-1.0",
                                              "srv/erlang/erts-1.0/bin",
                                              "srv/erlang/releases",
                                              "srv/erlang/releases/0.1.0",
                                              "srv/erlang/lib",
                                              "usr",
                                              "usr/lib",
                                              "usr/lib/erlang",
                                              "usr/lib/erlang/lib"};
    must(chdir(ROOT) == 0, ROOT);
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        must(mkdir(directories[i], 0755) == 0, directories[i]);
    must(link(POOL "/erlinit", "sbin/init") == 0 && link(POOL "/guest", "bin/guest") == 0 &&
             symlink("guest", "bin/id") == 0 && symlink("guest", "bin/pre") == 0 &&
             symlink("guest", "bin/on-exit") == 0 &&
             symlink("/bin/guest", RELEASE "/erts-1.0/bin/erlexec") == 0,
         "links");
    put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nerl:x:1000:1000:erl:/work:/bin/sh\n");
    put("etc/group", "root:x:0:\ntty:x:5:\nerl:x:1000:\naudio:x:29:erl\ndisk:x:6:erl\n");
    put(RELEASE "/releases/start_erl.data", "1.0 0.1.0\n");
    put(RELEASE "/releases/0.1.0/start.boot", "boot\n");
    put(RELEASE "/releases/0.1.0/sys.config", "[].\n");
    put(RELEASE "/releases/0.1.0/vm.args", "\n");
    put("etc/life", (char[]){name, '\0'});
    put("etc/erlinit.config", common);
    if (name == 'r' || name == 'x') {
        int fd = open("etc/erlinit.config", O_WRONLY | O_APPEND);
        must(write(fd, "--uid erl\n", 10) == 10, "configuration");
        close(fd);
    }
}

/* The root of an initramfs can't be pivoted: moved over, as switch_root does. */
static void enter_root(void)
{
    static const char *const outer[] = {"/proc", "/sys", "/dev"};
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++)
        (void)umount2(outer[i], MNT_DETACH);
    must(mount(ROOT, ROOT, NULL, MS_BIND, NULL) == 0 && chdir(ROOT) == 0 &&
             mount(".", "/", NULL, MS_MOVE, NULL) == 0 && chroot(".") == 0 && chdir("/") == 0,
         "root");
}

#define TRACE(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)

/* Only what the tracer has to see stops; -1: everything does. */
static void install_filter(int traced_call)
{
    struct sock_filter some[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        TRACE((unsigned int)traced_call),
        TRACE(SYS_reboot),
        TRACE(SYS_open),
        TRACE(SYS_openat),
        TRACE(CALL_TRACER),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
    struct sock_fprog program = {.len = sizeof some / sizeof some[0], .filter = some};
    if (traced_call < 0)
        program = (struct sock_fprog){.len = 1, .filter = all};
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

void life_become(char name, int go, int traced_call)
{
    static char *const argv[] = {"/sbin/init", "-v", NULL};
    static char *const envp[] = {"HOME=/", "TERM=linux", NULL};
    char byte;
    must(read(go, &byte, 1) == 1, "go");
    umask(022);
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
    make_root(name);
    int console = open("/dev/console", O_RDWR | O_NOCTTY);
    must(console >= 0, "/dev/console");
    for (int fd = 0; fd < 3; fd++)
        must(dup2(console, fd) == fd, "console");
    enter_root();
    must(syscall(SYS_close_range, 3, ~0U, 0) == 0, "close_range");
    install_filter(traced_call);
    execve(argv[0], argv, envp);
    _exit(98);
}

void life_prepare(void)
{
    must(mount("tmpfs", "/root", "tmpfs", 0, "mode=755") == 0 && mkdir(POOL, 0755) == 0, "/root");
    copy("/t/erlinit", POOL "/erlinit");
    copy("/init", POOL "/guest");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void life_reset(void)
{
    (void)nftw(ROOT, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    must(mkdir(ROOT, 0755) == 0, ROOT);
    struct stat status;
    int from = open("/t/disk.img", O_RDONLY | O_CLOEXEC), to = open(DISK, O_WRONLY | O_CLOEXEC);
    must(from >= 0 && to >= 0 && fstat(from, &status) == 0 &&
             sendfile(to, from, NULL, (size_t)status.st_size) == status.st_size,
         DISK);
    close(from);
    close(to);
}
