/* SPDX-License-Identifier: MIT */
/*
 * What the two libraries would bring along from musl, and this program has no use for.
 *
 * Debian's archives are built for glibc with _FORTIFY_SOURCE; linked with musl they lack the
 * checking variants of two calls (LSB gives their contracts). Of these, __fprintf_chk is reached
 * only from libmnl's message printer; batches, the only part of libmnl that allocates, are not used
 * either. So there is no heap in this program at all: malloc(3) says so to whoever might still ask,
 * and 20 KB of libc stay out.
 */
#include <features.h>

#ifndef __GLIBC__
#include <stddef.h>
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
    (void)stream;
    (void)flag;
    (void)format;
    return -1;
}

void *malloc(size_t size)
{
    (void)size;
    return NULL;
}

void *calloc(size_t count, size_t size)
{
    (void)count;
    (void)size;
    return NULL;
}

void *realloc(void *block, size_t size)
{
    (void)block;
    (void)size;
    return NULL;
}

void free(void *block)
{
    (void)block;
}
#endif
