/* SPDX-License-Identifier: MIT */
/* What the two floors know beforehand: which program is the VM, with what arguments and
 * environment. */
#ifndef BENCH_VM_H
#define BENCH_VM_H

#ifndef BENCH_ERTS
#define BENCH_ERTS "/srv/erlang/erts-1.0"
#define BENCH_BASE "/srv/erlang"
#define BENCH_ARGUMENTS                                                                            \
    "-config", "/srv/erlang/releases/0.1.0/sys.config", "-boot",                                   \
        "/srv/erlang/releases/0.1.0/start", "-args_file", "/srv/erlang/releases/0.1.0/vm.args",    \
        "-boot_var", "RELEASE_LIB", "/srv/erlang/lib"
#define BENCH_ROOT      "/srv/erlang"
#define BENCH_SYSCONFIG "/srv/erlang/releases/0.1.0/sys"
#endif
#define BENCH_VM BENCH_ERTS "/bin/erlexec"

static char *const vm_arguments[] = {"erlexec", BENCH_ARGUMENTS, 0};
static char *const vm_environment[] = {"HOME=/root",
                                       "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                       "TERM=xterm-256color",
                                       "ROOTDIR=" BENCH_ROOT,
                                       "BINDIR=" BENCH_ERTS "/bin",
                                       "EMU=beam",
                                       "PROGNAME=erlexec",
                                       "RELEASE_SYS_CONFIG=" BENCH_SYSCONFIG,
                                       "RELEASE_ROOT=" BENCH_BASE,
                                       "RELEASE_TMP=/tmp",
                                       0};

#endif
