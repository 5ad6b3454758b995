/* SPDX-License-Identifier: MIT */
/* Who keeps a file system busy: open files, working directory, root, program (proc(5)). */
#include "erlinit/shutdown.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_on(const char *path, dev_t device)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == device;
}

/* The first use that is found is enough; its name goes to `use`. */
static bool uses(const char *pid, dev_t device, struct text *use)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    TEXT_ON_STACK(path, 64);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        path = text_into(path.at, path.size);
        text_format(&path, "/proc/%s/%s", pid, links[i]);
        if (is_on(path.at, device))
            return text_add(use, links[i]);
    }
    struct strings fds = {0};
    path = text_into(path.at, path.size);
    text_format(&path, "/proc/%s/fd", pid);
    if (directory_list(path.at, NULL, &fds) < 0)
        return false;
    for (size_t i = 0; i < fds.count; i++) {
        path = text_into(path.at, path.size);
        text_format(&path, "/proc/%s/fd/%s", pid, fds.item[i]);
        if (is_on(path.at, device))
            return text_format(use, "descriptor %s", fds.item[i]);
    }
    return false;
}

void shutdown_name_holders(struct shutdown *self, const struct mount_entry *entry)
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
        log_error("%s is kept busy by process %s (%s), %s", entry->target, pids.item[i], comm,
                  use.at);
        shutdown_note(self, "- %s is kept busy by process %s (%s), %s", entry->target, pids.item[i],
                      comm, use.at);
    }
}
