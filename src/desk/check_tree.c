/* SPDX-License-Identifier: MIT */
/*
 * Mounts among each other, and the tree below them: what one hides of another, what is not there to
 * mount on, and what can't be known because something will be mounted over it.
 */
#include "check.h"

#include "erlinit/arena.h"
#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

static const struct check_kind mount_order = {"mount-order", CHECK_WARNING};
static const struct check_kind mount_twice = {"mount-twice", CHECK_NOTE};
static const struct check_kind mount_over_own = {"mount-over-own", CHECK_NOTE};
static const struct check_kind point_missing = {"mount-point-missing", CHECK_WARNING};
static const struct check_kind source_missing = {"mount-source-missing", CHECK_WARNING};

/* What is in memory at boot, by erlinit itself. */
static const char *const own_mounts[] = {"/proc",    "/sys", "/dev", "/dev/pts",
                                         "/dev/shm", "/tmp", "/run", NULL};

/* A mount of the configuration that puts something new into the tree. */
struct place {
    const char *path; /* absolute, without slashes to spare */
    const struct word *word;
    struct mount_spec spec;
    size_t number;
};

struct check_places {
    struct place *item; /* by path, then by order of mounting */
    size_t count;
};

/* One slash each, none at the end. NULL without memory, or if no path is so long. */
static const char *clean_path(const char *path)
{
    size_t length = strlen(path);
    char *clean = length < PATH_MAX ? arena_alloc(length + 2) : NULL;
    if (clean == NULL)
        return NULL;
    char *to = clean;
    *to++ = '/';
    for (; *path != '\0'; path++)
        if (*path != '/' || to[-1] != '/')
            *to++ = *path;
    if (to > clean + 1 && to[-1] == '/')
        to--;
    *to = '\0';
    return clean;
}

static int compare(const void *a, const void *b)
{
    const struct place *one = a;
    const struct place *other = b;
    int result = strcmp(one->path, other->path);
    return result != 0 ? result : one->number < other->number ? -1 : 1;
}

static bool is_new(const struct mount_spec *spec)
{
    return (spec->flags & MS_REMOUNT) == 0 &&
           !(spec->propagation != 0 && (spec->type[0] == '\0' || text_equal(spec->type, "none")) &&
             (spec->flags & MS_BIND) == 0);
}

static void add_places(const struct words *mounts, struct check_places *places)
{
    for (size_t i = 0; i < mounts->count; i++) {
        struct place place = {.word = &mounts->item[i], .number = i};
        const char *problem, *unknown;
        if (mount_parse(mounts->item[i].text, &place.spec, &problem, &unknown) < 0 ||
            !is_new(&place.spec))
            continue;
        place.path = clean_path(place.spec.target);
        if (place.path != NULL)
            places->item[places->count++] = place;
    }
    if (places->count > 0)
        qsort(places->item, places->count, sizeof *places->item, compare);
}

/* Found once; without memory there are none. */
static const struct check_places *find_places(struct check *check)
{
    static const struct check_places none = {.count = 0};
    if (check->places != NULL)
        return check->places;
    const struct words *mounts = &check->options.mounts;
    struct check_places *places = arena_alloc(sizeof *places);
    struct place *item = arena_alloc((mounts->count + 1) * sizeof *item);
    if (places == NULL || item == NULL) {
        check->findings->no_memory = true;
        return &none;
    }
    *places = (struct check_places){.item = item};
    add_places(mounts, places);
    check->places = places;
    return places;
}

/* The last mount with exactly this path, or NULL. */
static const struct place *find_place(const struct check_places *places, const char *path,
                                      size_t length)
{
    size_t low = 0;
    size_t high = places->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(places->item[middle].path, path, length);
        if (order == 0 && places->item[middle].path[length] != '\0')
            order = 1;
        if (order <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct place *place = low > 0 ? &places->item[low - 1] : NULL;
    bool found =
        place != NULL && strlen(place->path) == length && memcmp(place->path, path, length) == 0;
    return found ? place : NULL;
}

/* The first mount on a directory above `path`, or with `self` on itself, that is wanted, or NULL.
 * Of several on one place it is the last one that is asked about. */
static const struct place *find_above(const struct check_places *places, const char *path,
                                      bool self,
                                      bool (*wanted)(const struct place *place, size_t number),
                                      size_t number)
{
    size_t length = strlen(path);
    for (size_t i = 1; i <= length; i++) {
        bool is_end = i == length ? self : i == 1 || path[i] == '/';
        const struct place *place = is_end ? find_place(places, path, i) : NULL;
        if (place != NULL && wanted(place, number))
            return place;
    }
    return NULL;
}

static bool is_later(const struct place *place, size_t number)
{
    return place->number > number;
}

static bool is_any(const struct place *place, size_t number)
{
    (void)number;
    (void)place;
    return true;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_in_memory(const char *path)
{
    for (size_t i = 0; own_mounts[i] != NULL; i++)
        if (is_below(path, own_mounts[i]))
            return true;
    return false;
}

bool check_is_mounted_over(struct check *check, const char *path)
{
    const char *clean = clean_path(path);
    return clean == NULL || is_in_memory(clean) ||
           find_above(find_places(check), clean, true, is_any, 0) != NULL;
}

static void check_hidden(struct check *check, const struct check_places *places, size_t i)
{
    const struct place *place = &places->item[i];
    const struct place *above = find_above(places, place->path, false, is_later, place->number);
    /* on /, which hides all, it is a finding of its own */
    if (above != NULL && !text_equal(above->path, "/"))
        check_say(check, &mount_order, &place->word->origin,
                  "the mount on %s (%s) comes later and hides this one on %s",
                  CHECK_SHOWN(above->path), check_where(above->word), CHECK_SHOWN(place->path));
    if (i > 0 && text_equal(places->item[i - 1].path, place->path))
        check_say(check, &mount_twice, &place->word->origin,
                  "another mount on %s (%s): if both work, this one hides it",
                  CHECK_SHOWN(place->path), check_where(places->item[i - 1].word));
    for (size_t j = 0; own_mounts[j] != NULL; j++)
        if (text_equal(own_mounts[j], place->path))
            check_say(check, &mount_over_own, &place->word->origin,
                      "erlinit mounts %s itself before: this one hides that", place->path);
}

static void check_in_tree(struct check *check, const struct check_places *places, size_t i)
{
    const struct place *place = &places->item[i];
    struct stat status;
    if (!is_in_memory(place->path) && find_above(places, place->path, false, is_any, 0) == NULL &&
        root_stat(check->root, place->path, &status) == -ENOENT)
        check_say(check, &point_missing, &place->word->origin,
                  "%s isn't there to mount on, and can't be made where the root is read-only",
                  CHECK_SHOWN(place->path));
    const char *source = (place->spec.flags & MS_BIND) != 0 ? clean_path(place->spec.source) : NULL;
    if (source != NULL && !is_in_memory(source) &&
        find_above(places, source, true, is_any, 0) == NULL &&
        root_stat(check->root, source, &status) == -ENOENT)
        check_say(check, &source_missing, &place->word->origin, "%s isn't there to be mounted",
                  CHECK_SHOWN(source));
}

void check_mount_order(struct check *check)
{
    const struct check_places *places = find_places(check);
    for (size_t i = 0; i < places->count; i++) {
        check_hidden(check, places, i);
        if (check->root != NULL)
            check_in_tree(check, places, i);
    }
}
