/* SPDX-License-Identifier: MIT */
/* One --limits. */
#include "../../../src/boot/limits.h"
#include "fuzz.h"

#include <errno.h>

void fuzz_target(const uint8_t *bytes, size_t size)
{
    int resource = -1;
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = 2};
    const char *problem = NULL;
    int result = limits_parse(fuzz_string(bytes, size), &resource, &limit, &problem);
    if (result == 0) {
        FUZZ_CHECK(resource >= 0 && resource < RLIM_NLIMITS);
        FUZZ_CHECK(limit.rlim_cur <= INT64_MAX || limit.rlim_cur == RLIM_INFINITY);
        FUZZ_CHECK(limit.rlim_max <= INT64_MAX || limit.rlim_max == RLIM_INFINITY);
    } else {
        FUZZ_CHECK(result == -EINVAL && resource == -1 && problem != NULL && *problem != '\0');
        FUZZ_CHECK(limit.rlim_cur == 1 && limit.rlim_max == 2);
    }
}
