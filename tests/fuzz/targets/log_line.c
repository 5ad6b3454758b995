/* SPDX-License-Identifier: MIT */
/* Lines of the log with foreign bytes in them, as the kernel gets them. */
#include "erlinit/log.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int fake_open(const char *path, int flags);
static ssize_t fake_write(int fd, const void *bytes, size_t size);
static int fake_close(int fd);

/* NOLINTBEGIN(bugprone-suspicious-include): without the kernel */
#define open  fake_open
#define write fake_write
#define close fake_close
#include "../../../src/base/log.c"
#undef open
#undef write
#undef close
/* NOLINTEND(bugprone-suspicious-include) */

static size_t written;

static int fake_open(const char *path, int flags)
{
    FUZZ_CHECK((flags & O_CLOEXEC) != 0);
    return strcmp(path, "/dev/kmsg") == 0 ? 100 : 101;
}

static int fake_close(int fd)
{
    FUZZ_CHECK(fd == 100);
    return 0;
}

/* The length of a UTF-8 sequence that may be shown, going by RFC 3629's grammar, 0 if none. */
static size_t shown_length(const unsigned char *at)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (length == 1)
        return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;
    unsigned long code = at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fU);
    }
    static const unsigned long least[] = {0, 0, 0xa0, 0x800, 0x10000};
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

/* One line a call, within the kernel's limit, nothing in it that a terminal would obey. */
static ssize_t fake_write(int fd, const void *bytes, size_t size)
{
    const char *line = bytes;
    FUZZ_CHECK(fd == 100 || fd == 101);
    FUZZ_CHECK(size > 12 && size < (fd == 100 ? 1024 : 1088) && line[size - 1] == '\n');
    FUZZ_CHECK(fd == 101 || strncmp(strchr(line, '>'), ">erlinit: ", 10) == 0);
    for (size_t at = 0; at < size - 1;) {
        size_t length = shown_length((const unsigned char *)line + at);
        FUZZ_CHECK(length > 0);
        at += length;
    }
    written++;
    if (size % 7 == 0) {
        errno = EIO;
        return -1;
    }
    return (ssize_t)size;
}

size_t fuzz_log_lines(void)
{
    return written;
}

void fuzz_log_reset(void)
{
    written = 0;
    kmsg_fd = pmsg_fd = -1;
    early_length = 0;
    log_set_level(LOG_WARNING);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    (void)log_open();
    const struct origin place = {.file = fuzz_line(&bytes, &size), .line = 3, .column = 7};
    const struct origin argument = {.column = 2};
    const char *text = fuzz_string(bytes, size);
    errno = size % 2 == 0 ? ENOSPC : 0;
    int kept = errno;
    log_error("%s", text);
    log_at(LOG_WARNING, &place, "\"%s\": %m", text);
    log_at(LOG_WARNING, &argument, "%.*s", (int)(size / 2), text);
    log_milestone("%s %s", text, place.file);
    log_info("%s", text);
    FUZZ_CHECK(errno == kept);
    FUZZ_CHECK(written >= 6 && written <= 8);
}
