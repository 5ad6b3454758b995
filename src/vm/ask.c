/* SPDX-License-Identifier: MIT */
/*
 * Telling the VM to stop: BEAM answers SIGTERM with init:stop(). The child of PID 1 need not be the
 * VM: nbtty, dtach, strace and run_erl start it as their own child, and would die of the signal or
 * keep it to themselves.
 */
#include "erlinit/arena.h"
#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

struct process {
    pid_t pid;
    pid_t parent;
    bool vm;
};

struct processes {
    struct process *item;
    size_t count;
};

/* proc(5), /proc/PID/stat: pid (comm) state ppid ...; comm may hold spaces and parentheses. */
static bool read_process(const char *name, struct process *process)
{
    char stat[512];
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/stat", name);
    if (file_read(path.at, stat, sizeof stat) < 0)
        return false;
    const char *open = strchr(stat, '(');
    char *close = strrchr(stat, ')');
    if (open == NULL || close == NULL || close < open || strlen(close) < 5)
        return false;
    unsigned long long parent = 0;
    unsigned long long pid = 0;
    const char *end = text_read_digits(close + 4, 10, &parent);
    (void)text_read_digits(name, 10, &pid);
    process->parent = (pid_t)parent;
    process->pid = (pid_t)pid;
    *close = '\0';
    process->vm = text_equal(open + 1, "erlexec") || text_equal(open + 1, "beam") ||
                  text_starts_with(open + 1, "beam.");
    return end != close + 4;
}

static int list_processes(struct processes *processes)
{
    struct strings names = {0};
    int result = directory_list("/proc", directory_entry_is_process, &names);
    if (result < 0)
        return result;
    struct process *item = arena_alloc((names.count + 1) * sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < names.count; i++)
        count += read_process(names.item[i], &item[count]) ? 1 : 0;
    *processes = (struct processes){.item = item, .count = count};
    return 0;
}

static const struct process *find(const struct processes *processes, pid_t pid)
{
    for (size_t i = 0; i < processes->count; i++)
        if (processes->item[i].pid == pid)
            return &processes->item[i];
    return NULL;
}

/* True if `process` is a VM below `leader` with no other VM between: a VM's own children are its
 * own business. */
static bool is_ours(const struct processes *processes, const struct process *process, pid_t leader)
{
    if (!process->vm)
        return false;
    const struct process *above = process;
    /* bounded: parents can change while we look, and must not send us round in circles */
    for (size_t i = 0; i < processes->count && above != NULL && above->pid != leader; i++) {
        above = find(processes, above->parent);
        if (above != NULL && above->vm)
            return false;
    }
    return above != NULL && above->pid == leader;
}

void vm_ask_to_stop(pid_t leader)
{
    struct processes processes = {0};
    bool told = false;
    int result = list_processes(&processes);
    if (result < 0) {
        errno = -result;
        log_warning("Can't look for the VM in /proc: %m. Telling process %d to stop", (int)leader);
    }
    for (size_t i = 0; i < processes.count; i++)
        if (is_ours(&processes, &processes.item[i], leader) &&
            kill(processes.item[i].pid, SIGTERM) == 0)
            told = true;
    if (!told && kill(leader, SIGTERM) < 0)
        log_warning("Can't tell process %d to stop: %m. It has its time all the same", (int)leader);
}
