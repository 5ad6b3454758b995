/* SPDX-License-Identifier: MIT */
/* Settings of the kernel. */
#include "erlinit/boot.h"
#include "erlinit/files.h"

#include <errno.h>

enum step_result boot_corepattern(struct boot *boot)
{
    const struct word *pattern = &boot->options->core_pattern;

    if (!pattern->text)
        return STEP_SKIPPED;
    int result = file_set("/proc/sys/kernel/core_pattern", pattern->text);
    if (result == 0)
        return STEP_DONE;
    errno = -result;
    log_at(LOG_WARNING, &pattern->origin,
           "core pattern '%s' can't be set, the kernel keeps its own: %m", pattern->text);
    return STEP_WARNED;
}
