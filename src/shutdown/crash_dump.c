/* SPDX-License-Identifier: MIT */
/* ERTS User's Guide, "How to Interpret the Erlang Crash Dumps": a line with the date, then "Slogan:
 * ..." near the start. */
#include "erlinit/report.h"

#include "erlinit/files.h"
#include "erlinit/times.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define HEAD_BYTES 2048
#define VARIABLE   "ERL_CRASH_DUMP="
#define SLACK_S    5 /* clocks are set while the machine runs, a little */

/* The last ERL_CRASH_DUMP among the settings, as the VM got it. */
static bool find_path(const struct options *options, struct text *path)
{
    bool found = false;
    for (size_t i = 0; i < options->env.count; i++) {
        const char *at = options->env.item[i].text;
        while (*at != '\0') {
            size_t length = strcspn(at, ";");
            if (text_starts_with(at, VARIABLE)) {
                *path = text_into(path->at, path->size);
                found = text_add_bytes(path, at + strlen(VARIABLE), length - strlen(VARIABLE));
            }
            at += length + (at[length] == ';' ? 1 : 0);
        }
    }
    return found;
}

/* Written since this boot; one from the future is of an earlier run, whose clock was right. */
static bool is_fresh(const char *path)
{
    struct stat status;
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    time_t boot_s = now.tv_sec - (time_t)(time_ms() / 1000);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_mtime >= boot_s - SLACK_S && status.st_mtime <= now.tv_sec + SLACK_S;
}

void report_add_crash_dump(struct text *text, const struct options *options)
{
    char head[HEAD_BYTES];
    TEXT_ON_STACK(path, 1024);
    if (!find_path(options, &path) || !is_fresh(path.at) ||
        file_read(path.at, head, sizeof head) < 0)
        return;
    const char *slogan = text_find(head, "\nSlogan: ");
    if (slogan == NULL)
        return;
    slogan++;
    text_format(text, "- crash dump %s: ", path.at);
    text_add_printable(text, slogan, strcspn(slogan, "\n"));
    text_add(text, "\n");
}
