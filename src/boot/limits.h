/* SPDX-License-Identifier: MIT */
/* What of limits.c can be asked without changing anything. */
#ifndef LIMITS_H
#define LIMITS_H

#include <sys/resource.h>

/* Pure: res:soft:hard as --limits takes it. 0, or -EINVAL and *problem says what (static). */
int limits_parse(const char *text, int *resource, struct rlimit *limit, const char **problem);

#endif
