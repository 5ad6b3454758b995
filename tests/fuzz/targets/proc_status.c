/* SPDX-License-Identifier: MIT */
/* /proc/PID/status: what will SIGTERM do? */
#include "erlinit/shutdown.h"
#include "fuzz.h"

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *status = fuzz_string(bytes, size);
    enum term_answer answer = process_answer_to_term(status);
    FUZZ_CHECK(answer == TERM_CATCHES || answer == TERM_IGNORES || answer == TERM_DIES);
    FUZZ_CHECK(answer != TERM_CATCHES || strstr(status, "\nSigCgt:\t") != NULL);
    FUZZ_CHECK(answer != TERM_IGNORES || strstr(status, "\nSigIgn:\t") != NULL);
}
