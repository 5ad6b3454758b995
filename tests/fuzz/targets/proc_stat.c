/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, by both of its readers; comm is whatever a process calls itself. */
/* NOLINTBEGIN(bugprone-suspicious-include): their readers are their own business otherwise */
#include "../../../src/vm/ask.c"

#define find find_in_census
#include "../../../src/shutdown/processes.c"
/* NOLINTEND(bugprone-suspicious-include) */

#include "fuzz.h"

#include <stdio.h>

void fuzz_target(const uint8_t *bytes, size_t size)
{
    (void)fuzz_file("stat", bytes, size);
    char name[64]; /* of a process, as a path from /proc */
    snprintf(name, sizeof name, "..%s", fuzz_directory());
    struct process process = {.pid = -1};
    char state = '?';
    bool is_process = read_process(name, &process);
    if (is_process)
        FUZZ_CHECK(memchr(bytes, '(', size) != NULL && memchr(bytes, ')', size) != NULL);
    if (is_live_process(name, &state))
        FUZZ_CHECK(state != 'Z' && state != 'X');
}
