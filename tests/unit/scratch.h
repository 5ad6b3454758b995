/* SPDX-License-Identifier: MIT */
/* A temporary directory tree of a test. Everything here ends the test program when it fails. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_root[] = "/tmp/erlinit-unit-XXXXXX";

static inline void scratch_die(const char *what)
{
    perror(what);
    exit(1);
}

static inline int scratch_make(void **state)
{
    (void)state;
    memcpy(scratch_root + sizeof scratch_root - 7, "XXXXXX", 6);
    if (mkdtemp(scratch_root) == NULL)
        scratch_die("mkdtemp");
    return 0;
}

static inline int scratch_unlink(const char *path, const struct stat *status, int type,
                                 struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return nftw(scratch_root, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path below the root, in one of a few static buffers. */
static inline const char *scratch_path(const char *path)
{
    static char paths[4][8192];
    static unsigned int next;
    char *buffer = paths[next++ % 4];
    int length = snprintf(buffer, sizeof paths[0], "%s%s", scratch_root, path);
    if (length < 0 || (size_t)length >= sizeof paths[0])
        scratch_die("path too long");
    return buffer;
}

/* mkdir -p of everything before the last slash of a path that begins with one. */
static inline void scratch_parents(const char *path)
{
    char partial[8192];
    memcpy(partial, scratch_path(path), sizeof partial);
    for (char *slash = strchr(partial + strlen(scratch_root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0755) < 0 && errno != EEXIST)
            scratch_die(partial);
        *slash = '/';
    }
}

static inline void scratch_bytes(const char *path, const void *bytes, size_t length)
{
    scratch_parents(path);
    FILE *file = fopen(scratch_path(path), "w");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        scratch_die(path);
}

static inline void scratch_file(const char *path, const char *content)
{
    scratch_bytes(path, content, strlen(content));
}

static inline void scratch_directory(const char *path)
{
    char inside[4096];
    int length = snprintf(inside, sizeof inside, "%s/", path);
    if (length < 0 || (size_t)length >= sizeof inside)
        scratch_die("path too long");
    scratch_parents(inside);
}

static inline void scratch_link(const char *target, const char *path)
{
    scratch_parents(path);
    if (symlink(target, scratch_path(path)) < 0)
        scratch_die(path);
}

#endif
