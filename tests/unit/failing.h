/* SPDX-License-Identifier: MIT */
/* Memory that runs out at the Nth call: for programs whose line of wraps names arena_format. */
#ifndef FAILING_H
#define FAILING_H

#include "erlinit/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A program that wraps arena_copy too defines this to __real_arena_copy: one call counts once. */
#ifndef FAILING_COPY
#define FAILING_COPY arena_copy
#endif

static int fail_at; /* 0: never */
static int calls;

char *__wrap_arena_format(const char *format, ...);

char *__wrap_arena_format(const char *format, ...)
{
    if (++calls == fail_at)
        return NULL;
    va_list arguments;
    char *formatted;
    va_start(arguments, format);
    int length = vasprintf(&formatted, format, arguments);
    va_end(arguments);
    char *copy = FAILING_COPY(formatted, (size_t)length);
    free(formatted);
    return copy;
}

#endif
