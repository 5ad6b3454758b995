/* SPDX-License-Identifier: MIT */
/* The arguments that the kernel gives PID 1, one a line, over a config file that is the last. */
#include "options_hold.h"

#define ARGUMENTS_MOST 48

void fuzz_target(const uint8_t *bytes, size_t size)
{
    char *arguments[ARGUMENTS_MOST + 1] = {fuzz_string((const uint8_t *)"init", 4)};
    int count = 1;
    for (; size > 0 && count < ARGUMENTS_MOST; count++)
        arguments[count] = fuzz_line(&bytes, &size);
    struct options options;
    options_configure(fuzz_file("config", bytes, size), count, arguments, &options);
    options_hold(&options);
    FUZZ_CHECK(log_level() == (options.verbose ? LOG_DEBUG : LOG_WARNING));
}
