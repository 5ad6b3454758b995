/* SPDX-License-Identifier: MIT */
/* The one table of options, in the order in which the help shows them. */
#include "erlinit/options.h"

#include <limits.h>

#define MOST_MS INT_MAX /* 24 days; fits every interface that takes milliseconds */

#define RELEASE "Finding the release"
#define VM      "The Erlang VM"
#define BEFORE  "Before the VM starts"
#define CONSOLE "Console"
#define END     "When the VM ends"
#define LOOK    "Diagnosis"

/* Only the desk has a help. */
#ifdef ERLINIT_DESK
#define HELP(text) text
#else
#define HELP(text) 0
#endif

/* NOLINTBEGIN(bugprone-macro-parentheses): designated initialisers */
#define ROW(option_name, option_letter, option_kind, field, heading)                               \
    .name = option_name, .letter = option_letter, .kind = OPTION_##option_kind,                    \
    .offset = offsetof(struct options, field), .group = HELP(heading)
#define TAKES(what)                        .argument = what
#define NUMBER(default_value, least, most) .value = default_value, .minimum = least, .maximum = most
/* NOLINTEND(bugprone-macro-parentheses) */

/* One row is: names, kind, place; what it takes, defaults; help. */
const struct option_row options_table[] = {
    /* clang-format off */
    {ROW("release-path", 'r', TEXT, release_path, RELEASE),
     TAKES("p1:p2"), .text = "/srv/erlang",
     .help = HELP("where to look for releases")},
    {ROW("boot", 'b', TEXT, boot, RELEASE),
     TAKES("path"),
     .help = HELP(".boot file to start, in the release's version directory")},
    {ROW("release-include-erts", 0, FLAG, release_include_erts, RELEASE),
     .help = HELP("the release brings its own Erlang run-time system")},
    {ROW("alternate-exec", 's', TEXT, alternate_exec, VM),
     TAKES("command"),
     .help = HELP("start this, with erlexec and its arguments appended")},
    {ROW("env", 'e', LIST, env, VM),
     TAKES("A=b;C=d"),
     .help = HELP("more environment of the VM; repeatable")},
    {ROW("uid", 0, TEXT, uid, VM),
     TAKES("user"),
     .help = HELP("user that the VM runs as, with that user's groups")},
    {ROW("gid", 0, TEXT, gid, VM),
     TAKES("group"),
     .help = HELP("group that the VM runs as")},
    {ROW("capabilities", 0, TEXT, capabilities, VM),
     TAKES("a,b"), .ours = true,
     .help = HELP("the only capabilities that the VM keeps; none: none")},
    {ROW("no-new-privs", 0, FLAG, no_new_privs, VM), .ours = true,
     .help = HELP("no program that the VM starts gets more rights")},
    {ROW("limits", 'l', LIST, limits, VM),
     TAKES("res:soft:hard"),
     .help = HELP("resource limit of the VM; repeatable")},
    {ROW("umask", 0, TEXT, umask, VM),
     TAKES("mask"), .text = "0022", .ours = true,
     .help = HELP("file mode creation mask of the VM, octal")},
    {ROW("working-directory", 0, TEXT, working_directory, VM),
     TAKES("path"),
     .help = HELP("working directory of the VM (else the release's)")},
    {ROW("mount", 'm', LIST, mounts, BEFORE),
     TAKES("dev:path:type:flags:data"), .value = ';',
     .help = HELP("mount this, in the order given; repeatable")},
    {ROW("mount-timeout", 0, NUMBER, mount_timeout_ms, BEFORE),
     TAKES("ms"), NUMBER(60000, 1, MOST_MS), .ours = true,
     .help = HELP("time limit of one mount")},
    {ROW("x-pivot-root-on-overlayfs", 0, FLAG, pivot_root_on_overlayfs, BEFORE),
     .help = HELP("put a writable overlay in memory over the root")},
    {ROW("uniqueid-exec", 'd', TEXT, uniqueid_exec, BEFORE),
     TAKES("command"),
     .help = HELP("command that prints the board's unique id")},
    {ROW("uniqueid-timeout", 0, NUMBER, uniqueid_timeout_ms, BEFORE),
     TAKES("ms"), NUMBER(10000, 1, MOST_MS), .ours = true,
     .help = HELP("time limit of the id command")},
    {ROW("hostname-pattern", 'n', TEXT, hostname_pattern, BEFORE),
     TAKES("pattern"),
     .help = HELP("hostname; %s is the id, %.4s its first, %-.4s its last four")},
    {ROW("update-clock", 0, FLAG, update_clock, BEFORE),
     .help = HELP("never start with a clock in the past")},
    {ROW("core-pattern", 0, TEXT, core_pattern, BEFORE),
     TAKES("text"),
     .help = HELP("what /proc/sys/kernel/core_pattern is set to")},
    {ROW("pre-run-exec", 0, LIST, pre_run_exec, BEFORE),
     TAKES("command"),
     .help = HELP("run as root and wait for, before the VM; repeatable")},
    {ROW("command-timeout", 0, NUMBER, command_timeout_ms, BEFORE),
     TAKES("ms"), NUMBER(300000, 0, MOST_MS), .ours = true,
     .help = HELP("time limit of one command; 0: none")},
    {ROW("state-directory", 0, TEXT, state_directory, BEFORE),
     TAKES("path"), .text = "/root", .ours = true,
     .help = HELP("where the random seed is kept")},
    {ROW("seed-timeout", 0, NUMBER, seed_timeout_ms, BEFORE),
     TAKES("ms"), NUMBER(10000, 1, MOST_MS), .ours = true,
     .help = HELP("time the disk has for the random seed")},
    {ROW("ctty", 'c', TEXT, ctty, CONSOLE),
     TAKES("tty"),
     .help = HELP("controlling terminal, without /dev/")},
    {ROW("tty-options", 0, TEXT, tty_options, CONSOLE),
     TAKES("format"),
     .help = HELP("speed and format of the terminal, as 115200n8")},
    {ROW("warn-unused-tty", 0, FLAG, warn_unused_tty, CONSOLE),
     .help = HELP("tell people at the other consoles where the shell is")},
    {ROW("hang-on-exit", 'h', ACTION, on_exit, END),
     .value = ACTION_HALT,
     .help = HELP("halt when the VM exits")},
    {ROW("reboot-on-exit", 'H', ACTION, on_exit, END),
     .value = ACTION_REBOOT,
     .help = HELP("reboot when the VM exits (default)")},
    {ROW("poweroff-on-exit", 0, ACTION, on_exit, END),
     .value = ACTION_POWEROFF,
     .help = HELP("power off when the VM exits")},
    {ROW("hang-on-fatal", 0, ACTION, on_fatal, END),
     .value = ACTION_HALT,
     .help = HELP("halt when the VM can't be started")},
    {ROW("reboot-on-fatal", 0, ACTION, on_fatal, END),
     .value = ACTION_REBOOT,
     .help = HELP("reboot when the VM can't be started (default)")},
    {ROW("poweroff-on-fatal", 0, ACTION, on_fatal, END),
     .value = ACTION_POWEROFF,
     .help = HELP("power off when the VM can't be started")},
    {ROW("run-on-exit", 0, TEXT, run_on_exit, END),
     TAKES("command"),
     .help = HELP("run and wait for, when the VM exits unasked")},
    {ROW("graceful-shutdown-timeout", 0, NUMBER, graceful_shutdown_timeout_ms, END),
     TAKES("ms"), NUMBER(10000, 1, MOST_MS),
     .help = HELP("time the VM has to exit once asked")},
    {ROW("stop-grace", 0, NUMBER, stop_grace_ms, END),
     TAKES("ms"), NUMBER(1000, 0, MOST_MS), .ours = true,
     .help = HELP("time after a request before the VM is sent SIGTERM")},
    {ROW("shutdown-timeout", 0, NUMBER, shutdown_timeout_ms, END),
     TAKES("ms"), NUMBER(8000, 1, MOST_MS), .ours = true,
     .help = HELP("time from the VM's end to the reboot")},
    {ROW("term-grace", 0, NUMBER, term_grace_ms, END),
     TAKES("ms"), NUMBER(1000, 0, MOST_MS), .ours = true,
     .help = HELP("time other processes that catch SIGTERM have to end")},
    {ROW("kill-timeout", 0, NUMBER, kill_timeout_ms, END),
     TAKES("ms"), NUMBER(2000, 1, MOST_MS), .ours = true,
     .help = HELP("time processes have to go after SIGKILL")},
    {ROW("step-timeout", 0, NUMBER, step_timeout_ms, END),
     TAKES("ms"), NUMBER(2000, 1, MOST_MS), .ours = true,
     .help = HELP("time limit of report, seed, and a look at /proc")},
    {ROW("reboot-timeout", 0, NUMBER, reboot_timeout_ms, END),
     TAKES("ms"), NUMBER(3000, 1, MOST_MS), .ours = true,
     .help = HELP("time reboot(2) has before the next way is tried")},
    {ROW("exit-pause", 0, NUMBER, exit_pause_ms, END),
     TAKES("ms"), NUMBER(0, 0, MOST_MS), .ours = true,
     .help = HELP("pause before halt and power off after an exit unasked")},
    {ROW("reboot-min-uptime", 0, NUMBER, reboot_min_uptime_ms, END),
     TAKES("ms"), NUMBER(5000, 0, MOST_MS), .ours = true,
     .help = HELP("no reboot after a fatal error before this uptime")},
    {ROW("shutdown-report", 0, TEXT, shutdown_report, END),
     TAKES("path"),
     .help = HELP("write a report of the shutdown here")},
    {ROW("report-keep", 0, NUMBER, report_keep, END),
     TAKES("count"), NUMBER(0, 0, 1000), .ours = true,
     .help = HELP("how many older reports to keep")},
    {ROW("print-timing", 't', FLAG, print_timing, LOOK),
     .help = HELP("log when each step of the boot begins and ends")},
    {ROW("verbose", 'v', FLAG, verbose, LOOK),
     .help = HELP("log everything")},
    /* clang-format on */
};

const size_t options_table_count = sizeof options_table / sizeof options_table[0];
