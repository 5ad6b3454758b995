/* SPDX-License-Identifier: MIT */
/* Who keeps a file system busy: open files, working directory, root, program (proc(5)). */
#include "erlinit/shutdown.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of what /proc/`pid`/`name` stands for; 0: nothing. */
static dev_t device_of(const char *pid, const char *name)
{
    struct stat status;
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/%s", pid, name);
    return stat(path.at, &status) == 0 ? status.st_dev : 0;
}

/* The first use that is found is enough; its name goes to `use`. */
static bool uses(const char *pid, dev_t device, struct text *use)
{
    static const char links[][5] = {"exe", "cwd", "root"};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        dev_t found = device_of(pid, links[i]);
        if (found == device)
            return text_add(use, links[i]);
        /* a thread of the kernel, as most are, has no program, and nothing else either */
        if (found == 0)
            return false;
    }
    struct strings fds = {0};
    TEXT_ON_STACK(path, 64);
    text_format(&path, "/proc/%s/fd", pid);
    if (directory_list(path.at, NULL, &fds) < 0)
        return false;
    for (size_t i = 0; i < fds.count; i++) {
        TEXT_ON_STACK(name, 32);
        text_format(&name, "fd/%s", fds.item[i]);
        if (device_of(pid, name.at) == device)
            return text_format(use, "descriptor %s", fds.item[i]);
    }
    return false;
}

void shutdown_name_holders(struct shutdown *self, const struct mount_entry *entry, bool for_report)
{
    struct strings pids = {0};
    if (self->alone || directory_list("/proc", directory_entry_is_process, &pids) < 0)
        return;
    for (size_t i = 0; i < pids.count; i++) {
        TEXT_ON_STACK(use, 32);
        if (text_equal(pids.item[i], "1") || !uses(pids.item[i], entry->device, &use))
            continue;
        char comm[32] = "?";
        TEXT_ON_STACK(path, 64);
        text_format(&path, "/proc/%s/comm", pids.item[i]);
        (void)file_read_line(path.at, comm, sizeof comm);
        TEXT_ON_STACK(line, 1024);
        text_format(&line, "%s is kept busy by process %s (%s), %s", entry->target, pids.item[i],
                    comm, use.at);
        if (for_report)
            shutdown_note(self, "- %s", line.at);
        else
            log_error("%s", line.at);
    }
}
