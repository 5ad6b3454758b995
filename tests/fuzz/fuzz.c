/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRINGS_MOST 256

static char *strings[STRINGS_MOST];
static size_t string_count;
static size_t allowed = SIZE_MAX;

void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

char *fuzz_string(const uint8_t *bytes, size_t size)
{
    size_t length = size > 0 ? strnlen((const char *)bytes, size) : 0;
    char *copy = malloc(length + 1);
    FUZZ_CHECK(copy != NULL && string_count < STRINGS_MOST);
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    strings[string_count++] = copy;
    return copy;
}

char *fuzz_line(const uint8_t **bytes, size_t *size)
{
    const uint8_t *newline = *size > 0 ? memchr(*bytes, '\n', *size) : NULL;
    size_t length = newline == NULL ? *size : (size_t)(newline - *bytes);
    char *line = fuzz_string(*bytes, length);
    length += newline == NULL ? 0 : 1;
    *bytes += length;
    *size -= length;
    return line;
}

static char directory[] = "/dev/shm/fuzz-XXXXXX";

static void remove_directory(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    (void)!system(command);
}

const char *fuzz_directory(void)
{
    static bool made;
    if (!made) {
        FUZZ_CHECK(mkdtemp(directory) != NULL);
        atexit(remove_directory);
        made = true;
    }
    return directory;
}

const char *fuzz_file(const char *name, const uint8_t *bytes, size_t size)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
    return path;
}

bool fuzz_starved(void)
{
    return fuzz_arena_taken() > allowed;
}

bool fuzz_may_starve(void)
{
    return allowed < SIZE_MAX;
}

static void run(const uint8_t *bytes, size_t size, size_t allocations)
{
    allowed = allocations;
    fuzz_log_reset();
    fuzz_arena_reset(allowed);
    fuzz_target(bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    run(bytes, size, SIZE_MAX);
    size_t taken = fuzz_arena_taken();
    if (taken > 0) {
        size_t hash = size;
        for (size_t i = 0; i < size; i++)
            hash = hash * 31 + bytes[i];
        run(bytes, size, hash % taken);
    }
    fuzz_arena_reset(SIZE_MAX);
    while (string_count > 0)
        free(strings[--string_count]);
    return 0;
}

/* Linked instead of fsync(2): nobody cuts the power here, and a disk would decide the speed. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}
