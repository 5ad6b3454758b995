/* SPDX-License-Identifier: MIT */
/* The head of a crash dump, as a line of the report; the first line is more of --env. */
#include "erlinit/report.h"
#include "erlinit/text.h"
#include "fuzz.h"

#include <stdio.h>

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *more = fuzz_line(&bytes, &size);
    char setting[160];
    snprintf(setting, sizeof setting, "ERL_CRASH_DUMP=%s;A=b", fuzz_file("dump", bytes, size));
    struct word words[] = {{.text = more}, {.text = setting}};
    const struct options options = {.env = {.item = words, .count = 2, .room = 2}};
    TEXT_ON_STACK(text, 256);
    text_add(&text, "# Report\n");
    size_t before = text.length;
    report_add_crash_dump(&text, &options);
    FUZZ_CHECK(text.length < text.size && text.at[text.length] == '\0');
    size_t added = text.length - before;
    bool slogan = size > 0 && memmem(bytes, size, "\nSlogan: ", 9) != NULL;
    FUZZ_CHECK(added == 0 || (slogan && text_starts_with(text.at + before, "- crash dump ")));
    /* a list item is one line, whatever the VM has written */
    const char *newline = strchr(text.at + before, '\n');
    FUZZ_CHECK(newline == NULL || newline[1] == '\0');
    for (size_t i = before; text.at[i] != '\0' && text.at[i] != '\n'; i++)
        FUZZ_CHECK(!fuzz_is_control(text.at[i]));
}
