/* SPDX-License-Identifier: MIT */
/* The first line of a file: /run/reboot-param, /etc/hostname and others. The first byte says how
 * much room there is. */
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "fuzz.h"

void fuzz_target(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    size_t room = (size_t)*bytes + 1;
    char *line = malloc(room);
    FUZZ_CHECK(line != NULL);
    ssize_t length = file_read_line(fuzz_file("reboot-param", bytes + 1, size - 1), line, room);
    FUZZ_CHECK(length >= 0 && (size_t)length < room && strlen(line) == (size_t)length);
    FUZZ_CHECK(strchr(line, '\n') == NULL);
    if (length > 0)
        FUZZ_CHECK(!text_is_space(line[0]) && !text_is_space(line[length - 1]));
    free(line);
}
