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

#include <errno.h>
#include <limits.h>
#include <string.h>

#define BOOT_SUFFIX ".boot"

static const struct release no_release = {.base = VM_ERLANG_ROOT};

/* The version that start_erl.data names, if there is such a directory. */
static int named_version(const char *root, const char *releases, struct release *release)
{
    struct start_erl data = {0};
    int result = start_erl_read(root, releases, &data);
    if (result < 0)
        return result;
    release->erts_version = data.erts;
    if (data.version == NULL)
        return 0;
    const char *directory = tree_path("%s/%s", releases, data.version);
    if (directory == NULL)
        return -ENOMEM;
    if (tree_is_directory(root, directory))
        release->version_dir = directory;
    else
        tree_warn(releases, "start_erl.data names version \"%s\", which isn't there", data.version);
    return 0;
}

static bool is_version(int directory, const char *name)
{
    return strcmp(name, START_ERL_DATA) != 0 && directory_entry_is_directory(directory, name);
}

/* The alphabetically last version. */
static int last_version(const char *root, const char *releases, struct release *release)
{
    struct strings versions = {0};
    int result = tree_list(root, releases, is_version, &versions);
    if (result < 0 || versions.count == 0)
        return result;
    release->version_dir = tree_path("%s/%s", releases, versions.item[versions.count - 1]);
    return release->version_dir == NULL ? -ENOMEM : 0;
}

/* 1: `base` holds a release, 0: it doesn't. */
static int try_base(const char *root, const char *base, const char *name, struct release *release)
{
    const char *releases = tree_path("%s/%s", base, "releases");
    if (releases == NULL)
        return -ENOMEM;
    if (!tree_is_directory(root, releases))
        return 0;
    struct release found = {.base = base, .name = name};
    int result = named_version(root, releases, &found);
    if (result == 0 && found.version_dir == NULL)
        result = last_version(root, releases, &found);
    if (result == 0 && found.version_dir == NULL)
        log_warning("%s holds no version of a release; looking further", releases);
    if (result < 0 || found.version_dir == NULL)
        return result;
    *release = found;
    return 1;
}

/* <dir>/releases, or else <dir>/<name>/releases. As try_base(). */
static int try_directory(const char *root, const char *directory, struct release *release)
{
    int found = try_base(root, directory, NULL, release);
    if (found != 0)
        return found;
    struct strings names = {0};
    int result = tree_list(root, directory, directory_entry_is_directory, &names);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        const char *base = tree_path("%s/%s", directory, names.item[i]);
        result = base == NULL ? -ENOMEM : try_base(root, base, names.item[i], release);
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

static int search(const char *root, const char *search_path, struct release *release)
{
    int found = 0;
    while (found == 0 && *search_path != '\0') {
        size_t length = strcspn(search_path, ":");
        if (length > 0) {
            const char *directory = clean_directory(search_path, length);
            found = directory == NULL ? -ENOMEM : try_directory(root, directory, release);
        }
        search_path += length + (search_path[length] == ':');
    }
    return found;
}

/* Full path of a file of the version, or NULL (said so). */
static int find_file(const char *root, const struct release *release, const char *name,
                     const char **file)
{
    const char *path = tree_path("%s/%s", release->version_dir, name);
    if (path == NULL)
        return -ENOMEM;
    if (tree_is_file(root, path))
        *file = path;
    else if (tree_is_directory(root, path))
        log_warning("%s is a directory, the VM starts without it", path);
    else
        log_warning("no file %s, the VM starts without it", path);
    return 0;
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

static bool is_boot_file(int directory, const char *name)
{
    return text_ends_with(name, BOOT_SUFFIX) && !directory_entry_is_directory(directory, name);
}

static int first_boot(const char *root, struct release *release)
{
    struct strings names = {0};
    int result = tree_list(root, release->version_dir, is_boot_file, &names);
    if (result < 0 || names.count == 0)
        return result;
    if (names.count > 1) {
        tree_warn(release->version_dir, "several .boot files; taking %s (--boot chooses)",
                  names.item[0]);
    }
    return try_boot(root, names.item[0], release);
}

static int find_boot(const char *root, const char *option, struct release *release)
{
    int result = option == NULL ? 0 : try_boot(root, option, release);
    if (result == 0 && option != NULL && release->boot == NULL) {
        tree_warn(release->version_dir, "no boot file \"%s\" (--boot), looking for another",
                  option);
    }
    if (result == 0 && release->boot == NULL && release->name != NULL)
        result = try_boot(root, release->name, release);
    if (result == 0 && release->boot == NULL)
        result = first_boot(root, release);
    if (result == 0 && release->boot == NULL) {
        log_error("no .boot file in %s: build the release again, or name one with --boot",
                  release->version_dir);
        return -ENOENT;
    }
    return result;
}

static bool has_consolidated(int directory, const char *name)
{
    TEXT_ON_STACK(path, NAME_MAX + sizeof "/consolidated");
    text_format(&path, "%s/consolidated", name);
    return directory_entry_is_directory(directory, path.at);
}

/* Protocols that an Elixir build has consolidated, of releases that don't know it themselves. */
static int find_consolidated(const char *root, struct release *release)
{
    struct strings names = {0};
    const char *library = tree_path("%s/%s", release->base, "lib");
    int result = library == NULL ? -ENOMEM : tree_list(root, library, has_consolidated, &names);
    if (result < 0 || names.count == 0)
        return result;
    if (names.count > 1)
        tree_warn(library, "several consolidated directories; taking that of %s", names.item[0]);
    release->consolidated = tree_path("%s/%s/consolidated", library, names.item[0]);
    return release->consolidated == NULL ? -ENOMEM : 0;
}

int release_find(const char *root, const char *search_path, const char *boot_option,
                 struct release *release)
{
    struct release found = no_release;
    int result = search(root, search_path, &found);
    if (result == 0) {
        log_warning("no release found in %s, starting the VM without", search_path);
        *release = no_release;
        return 0;
    }
    if (result > 0)
        result = find_boot(root, boot_option, &found);
    if (result == 0)
        result = find_file(root, &found, "sys.config", &found.sys_config);
    if (result == 0)
        result = find_file(root, &found, "vm.args", &found.vm_args);
    if (result == 0)
        result = find_consolidated(root, &found);
    if (result == 0)
        *release = found;
    return result;
}
