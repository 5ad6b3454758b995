/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, by both of its readers; comm is whatever a process calls itself. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): its reader is its own business otherwise */
#include "../../../src/vm/ask.c"

#include "erlinit/shutdown.h"
#include "fuzz.h"

#include <stdio.h>

void fuzz_target(const uint8_t *bytes, size_t size)
{
    (void)fuzz_file("stat", bytes, size);
    char name[64]; /* of a process, as a path from /proc */
    snprintf(name, sizeof name, "..%s", fuzz_directory());
    struct process process = {.pid = -1};
    if (read_process(name, &process))
        FUZZ_CHECK(memchr(bytes, '(', size) != NULL && memchr(bytes, ')', size) != NULL);

    const char *stat = fuzz_string(bytes, size);
    if (process_is_live(stat))
        FUZZ_CHECK(strchr(stat, ')') != NULL);
    if (process_answer_to_term(stat) != TERM_CATCHES)
        FUZZ_CHECK(strlen(stat) > 2 * 31); /* 31 fields before that of what is caught */
}
