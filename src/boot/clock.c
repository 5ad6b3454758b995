/* SPDX-License-Identifier: MIT */
/*
 * --update-clock: a machine without a clock that survives starts in 1970, where no certificate is
 * valid. It is later than everything that was made before: init, the release, the last seed.
 */
#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/files.h"
#include "erlinit/seed.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#ifndef BUILD_TIME_S /* seconds since 1970; the build gives it (SOURCE_DATE_EPOCH) */
#define BUILD_TIME_S 0
#endif

static void take_later(int64_t *floor_s, const char *directory, const char *release)
{
    TEXT_ON_STACK(path, PATH_MAX);
    struct stat status;

    text_format(&path, "%s/%s%sreleases/start_erl.data", directory, release,
                release[0] != '\0' ? "/" : "");
    if (!path.cut && stat(path.at, &status) == 0 && status.st_mtime > *floor_s)
        *floor_s = status.st_mtime;
}

/* `directory` itself may be a release, or hold some. */
static int64_t newest_release(const char *directory, int64_t floor_s)
{
    struct strings names = {0};

    take_later(&floor_s, directory, "");
    (void)directory_list(directory, directory_entry_is_directory, &names);
    for (size_t i = 0; i < names.count; i++)
        take_later(&floor_s, directory, names.item[i]);
    return floor_s;
}

static int64_t newest_in_search_path(const char *search_path, int64_t floor_s)
{
    while (search_path) {
        const char *end = strchrnul(search_path, ':');
        const char *directory = arena_copy(search_path, (size_t)(end - search_path));
        if (directory && directory[0] != '\0')
            floor_s = newest_release(directory, floor_s);
        search_path = *end == ':' ? end + 1 : NULL;
    }
    return floor_s;
}

static int64_t latest_known(const struct options *options)
{
    int64_t floor_s = newest_in_search_path(options->release_path.text, BUILD_TIME_S);
    const char *seeds = seed_directory(options->state_directory.text);
    int64_t stored_s = seeds ? seed_last_time(seeds) : 0;

    return stored_s > floor_s ? stored_s : floor_s;
}

enum step_result boot_clock(struct boot *boot)
{
    if (!boot->options->update_clock)
        return STEP_SKIPPED;
    const struct timespec floor = {.tv_sec = (time_t)latest_known(boot->options)};
    if (time(NULL) >= floor.tv_sec)
        return STEP_DONE;
    if (clock_settime(CLOCK_REALTIME, &floor) < 0) {
        log_warning("the clock is behind and can't be set: %m; it stays behind");
        return STEP_WARNED;
    }
    log_info("the clock was behind, set to %lld s", (long long)floor.tv_sec);
    return STEP_DONE;
}
