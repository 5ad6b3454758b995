/* SPDX-License-Identifier: MIT */
/* /proc/PID/status: is anybody there, and what will SIGTERM do? */
#include "erlinit/shutdown.h"
#include "fuzz.h"

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *status = fuzz_string(bytes, size);
    enum term_answer answer = process_answer_to_term(status);
    FUZZ_CHECK(answer == TERM_CATCHES || answer == TERM_IGNORES || answer == TERM_DIES);
    bool tells = strstr(status, "\nSigCgt:\t") != NULL;
    FUZZ_CHECK(tells || answer == TERM_CATCHES);
    FUZZ_CHECK(answer != TERM_IGNORES || strstr(status, "\nSigIgn:\t") != NULL ||
               strstr(status, "\nSigBlk:\t") != NULL);
    if (process_is_live(status))
        FUZZ_CHECK(strstr(status, "\nState:\t") != NULL);
}
