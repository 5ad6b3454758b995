/* SPDX-License-Identifier: MIT */
/*
 * Which release: a directory with releases/<version>/ in it. All of it was written by somebody
 * else's build, and is only read.
 */
#include "erlinit/files.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"
#include "start_erl.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#define BOOT_SUFFIX  ".boot"
#define SYS_CONFIG   "sys.config"
#define VM_ARGS      "vm.args"
#define CONSOLIDATED "consolidated"

static const struct release no_release = {.base = VM_ERLANG_ROOT};

/* A release while it is looked for: also the names of the files of its version that count. */
struct candidate {
    struct release release;
    struct strings files;
};

/* sys.config, vm.args, boot files, and the directory consolidated. */
static bool is_of_interest(const struct directory_entry *entry)
{
    if (strcmp(entry->name, CONSOLIDATED) == 0)
        return directory_entry_is_directory(entry);
    return (text_ends_with(entry->name, BOOT_SUFFIX) || strcmp(entry->name, SYS_CONFIG) == 0 ||
            strcmp(entry->name, VM_ARGS) == 0) &&
           directory_entry_is_file(entry);
}

static bool has_file(const struct candidate *candidate, const char *name)
{
    for (size_t i = 0; i < candidate->files.count; i++)
        if (strcmp(candidate->files.item[i], name) == 0)
            return true;
    return false;
}

/* Takes the version if there is such a directory. That it can be listed is what says so. */
static int take_version(const char *root, const char *releases, const char *version,
                        struct candidate *candidate)
{
    const char *directory = tree_path("%s/%s", releases, version);
    int result = directory == NULL
                     ? -ENOMEM
                     : tree_list_if(root, directory, is_of_interest, &candidate->files);
    if (result == 0)
        candidate->release.version_dir = directory;
    return result;
}

/* The version that start_erl.data names, if there is such a directory. */
static int named_version(const char *root, const char *releases, struct candidate *candidate)
{
    struct start_erl data = {0};
    int result = start_erl_read(root, releases, &data);
    if (result < 0)
        return result;
    candidate->release.erts_version = data.erts;
    if (data.version == NULL)
        return 0;
    result = take_version(root, releases, data.version, candidate);
    if (result < 0 && result != -ENOMEM)
        tree_warn(releases, "start_erl.data names version \"%s\", which isn't there", data.version);
    return result == -ENOMEM ? result : 0;
}

static bool is_version(const struct directory_entry *entry)
{
    return strcmp(entry->name, START_ERL_DATA) != 0 && directory_entry_is_directory(entry);
}

/* The alphabetically last version. */
static int last_version(const char *root, const char *releases, struct candidate *candidate)
{
    struct strings versions = {0};
    int result = tree_list(root, releases, is_version, &versions);
    if (result < 0 || versions.count == 0)
        return result;
    result = take_version(root, releases, versions.item[versions.count - 1], candidate);
    return result == -ENOMEM ? result : 0;
}

/* 1: `base` holds a release, 0: it doesn't. */
static int try_base(const char *root, const char *base, const char *name,
                    struct candidate *candidate)
{
    struct candidate found = {.release = {.base = base, .name = name}};
    const char *releases = tree_path("%s/%s", base, "releases");
    if (releases == NULL)
        return -ENOMEM;
    int result = named_version(root, releases, &found);
    if (result == 0 && found.release.version_dir == NULL && !tree_is_directory(root, releases))
        return 0;
    if (result == 0 && found.release.version_dir == NULL)
        result = last_version(root, releases, &found);
    if (result == 0 && found.release.version_dir == NULL)
        log_warning("%s holds no version of a release; looking further", releases);
    if (result < 0 || found.release.version_dir == NULL)
        return result;
    *candidate = found;
    return 1;
}

/* <dir>/releases, or else <dir>/<name>/releases. As try_base(). */
static int try_directory(const char *root, const char *directory, struct candidate *candidate)
{
    int found = try_base(root, directory, NULL, candidate);
    if (found != 0)
        return found;
    struct strings names = {0};
    int result = tree_list(root, directory, directory_entry_is_directory, &names);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        const char *base = tree_path("%s/%s", directory, names.item[i]);
        result = base == NULL ? -ENOMEM : try_base(root, base, names.item[i], candidate);
    }
    return result;
}

/* Absolute, and without slashes at its end: paths are built on it. */
static char *clean_directory(const char *path, size_t length)
{
    while (length > 1 && path[length - 1] == '/')
        length--;
    const char *slash = path[0] == '/' ? "" : "/";
    return arena_format("%s%.*s", slash, (int)length, path);
}

static int search(const char *root, const char *search_path, struct candidate *candidate)
{
    int found = 0;
    while (found == 0 && *search_path != '\0') {
        size_t length = strcspn(search_path, ":");
        if (length > 0) {
            const char *directory = clean_directory(search_path, length);
            found = directory == NULL ? -ENOMEM : try_directory(root, directory, candidate);
        }
        search_path += length + (search_path[length] == ':');
    }
    return found;
}

/* Full path of a file of the version, or NULL (said so). */
static int find_file(const char *root, const struct candidate *candidate, const char *name,
                     const char **file)
{
    const char *path = tree_path("%s/%s", candidate->release.version_dir, name);
    if (path == NULL)
        return -ENOMEM;
    if (has_file(candidate, name))
        *file = path;
    else if (tree_is_directory(root, path))
        log_warning("%s is a directory, the VM starts without it", path);
    else
        log_warning("no file %s, the VM starts without it", path);
    return 0;
}

/* Takes a boot file of the version, by its name with the suffix; erl wants it without. */
static int take_boot(const char *name, struct release *release)
{
    int length = (int)(strlen(name) - strlen(BOOT_SUFFIX));
    release->boot = tree_path("%s/%.*s", release->version_dir, length, name);
    return release->boot == NULL ? -ENOMEM : 0;
}

/* Takes <version_dir>/<name>[.boot], or an absolute <name>[.boot], if it is there. Without suffix,
 * as erl wants it. */
static int try_boot(const char *root, const char *name, struct release *release)
{
    const char *path = *name == '/' ? name : tree_path("%s/%s", release->version_dir, name);
    const char *longer = path == NULL ? NULL : tree_path("%s%s", path, BOOT_SUFFIX);
    if (longer == NULL)
        return -ENOMEM;
    if (text_ends_with(path, BOOT_SUFFIX) && tree_is_file(root, path)) {
        release->boot = arena_copy(path, strlen(path) - strlen(BOOT_SUFFIX));
        return release->boot == NULL ? -ENOMEM : 0;
    }
    if (tree_is_file(root, longer))
        release->boot = path;
    return 0;
}

static int first_boot(struct candidate *candidate)
{
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < candidate->files.count; i++)
        if (text_ends_with(candidate->files.item[i], BOOT_SUFFIX) && count++ == 0)
            first = candidate->files.item[i];
    if (first == NULL)
        return 0;
    if (count > 1)
        tree_warn(candidate->release.version_dir, "several .boot files; taking %s (--boot chooses)",
                  first);
    return take_boot(first, &candidate->release);
}

/* <name of the release>.boot, or else the first. */
static int find_usual_boot(struct candidate *candidate)
{
    const char *name = candidate->release.name;
    const char *file = name == NULL ? NULL : arena_format("%s" BOOT_SUFFIX, name);
    if (name != NULL && file == NULL)
        return -ENOMEM;
    if (file != NULL && has_file(candidate, file))
        return take_boot(file, &candidate->release);
    return first_boot(candidate);
}

static int find_boot(const char *root, const char *option, struct candidate *candidate)
{
    struct release *release = &candidate->release;
    int result = option == NULL ? 0 : try_boot(root, option, release);
    if (result == 0 && option != NULL && release->boot == NULL) {
        tree_warn(release->version_dir, "no boot file \"%s\" (--boot), looking for another",
                  option);
    }
    if (result == 0 && release->boot == NULL)
        result = find_usual_boot(candidate);
    if (result == 0 && release->boot == NULL) {
        log_error("no .boot file in %s: build the release again, or name one with --boot",
                  release->version_dir);
        return -ENOENT;
    }
    return result;
}

static bool has_consolidated(const struct directory_entry *entry)
{
    TEXT_ON_STACK(path, NAME_MAX + sizeof "/" CONSOLIDATED);
    if (entry->type == DT_REG)
        return false;
    text_add(&path, entry->name);
    text_add(&path, "/" CONSOLIDATED);
    const struct directory_entry below = {entry->directory, path.at, DT_UNKNOWN};
    return directory_entry_is_directory(&below);
}

/*
 * Protocols that an Elixir build has consolidated, of releases that don't know it themselves:
 * today's have them beside their boot file, which names them, and there is no use in looking into
 * hundreds of libraries.
 */
static int find_consolidated(const char *root, struct candidate *candidate)
{
    struct release *release = &candidate->release;
    struct strings names = {0};
    if (has_file(candidate, CONSOLIDATED))
        return 0;
    const char *library = tree_path("%s/%s", release->base, "lib");
    int result = library == NULL ? -ENOMEM : tree_list(root, library, has_consolidated, &names);
    if (result < 0 || names.count == 0)
        return result;
    if (names.count > 1)
        tree_warn(library, "several consolidated directories; taking that of %s", names.item[0]);
    release->consolidated = tree_path("%s/%s/" CONSOLIDATED, library, names.item[0]);
    return release->consolidated == NULL ? -ENOMEM : 0;
}

int release_find(const char *root, const char *search_path, const char *boot_option,
                 struct release *release)
{
    struct candidate found = {.release = no_release};
    struct release *chosen = &found.release;
    int result = search(root, search_path, &found);
    if (result == 0) {
        log_warning("no release found in %s, starting the VM without", search_path);
        *release = no_release;
        return 0;
    }
    if (result > 0)
        result = find_boot(root, boot_option, &found);
    if (result == 0)
        result = find_file(root, &found, SYS_CONFIG, &chosen->sys_config);
    if (result == 0)
        result = find_file(root, &found, VM_ARGS, &chosen->vm_args);
    if (result == 0)
        result = find_consolidated(root, &found);
    if (result == 0)
        *release = *chosen;
    return result;
}
