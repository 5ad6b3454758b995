/* SPDX-License-Identifier: MIT */
/*
 * Debian's archives are built for glibc with _FORTIFY_SOURCE; linked with musl they lack the checking variants of a few
 * calls. These are the documented contracts (LSB, libc interfaces), for the ones that libuev and libmnl use.
 */
#include <features.h>

#ifndef __GLIBC__
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>

long __fdelt_chk(long fd);
int __fprintf_chk(FILE *stream, int flag, const char *format, ...);

long __fdelt_chk(long fd)
{
    if (fd < 0 || fd >= FD_SETSIZE)
        abort();
    return fd / (8 * (long)sizeof(long));
}

int __fprintf_chk(FILE *stream, int flag, const char *format, ...)
{
    (void)flag;
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(stream, format, arguments);
    va_end(arguments);
    return written;
}
#endif
