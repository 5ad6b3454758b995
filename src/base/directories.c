/* SPDX-License-Identifier: MIT */
#include "erlinit/files.h"

#include "erlinit/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIRECTORY_MODE 0755

/* What getdents64(2) fills in; libc's readdir(3) would bring malloc. */
struct kernel_dirent {
    uint64_t inode;
    int64_t offset;
    uint16_t record_length;
    uint8_t type;
    char name[];
};

static int make_directory(const char *path)
{
    if (mkdir(path, DIRECTORY_MODE) == 0) {
        /* the umask of the moment must not decide */
        (void)chmod(path, DIRECTORY_MODE);
        return 0;
    }
    if (errno != EEXIST && errno != EROFS)
        return -errno;
    int reason = errno;
    return path_is_directory(path) ? 0 : reason == EEXIST ? -ENOTDIR : -reason;
}

int directory_make_all(const char *path)
{
    char *partial = arena_string(path);
    if (partial == NULL)
        return -ENOMEM;
    for (char *slash = partial + strspn(partial, "/"); *slash != '\0';) {
        slash += strcspn(slash, "/");
        char kept = *slash;
        *slash = '\0';
        int result = make_directory(partial);
        if (result < 0)
            return result;
        *slash = kept;
        slash += strspn(slash, "/");
    }
    return 0;
}

bool path_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool path_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* A look at the file itself costs as much as several entries of a directory: only if it is a link,
 * or the file system doesn't say. The types are those of struct stat, shifted: IFTODT() of
 * dirent.h. */
static bool has_type(const struct directory_entry *entry, mode_t type)
{
    struct stat status;
    if (entry->type != DT_UNKNOWN && entry->type != DT_LNK)
        return (mode_t)DTTOIF(entry->type) == type;
    return fstatat(entry->directory, entry->name, &status, 0) == 0 &&
           (status.st_mode & S_IFMT) == type;
}

bool directory_entry_is_directory(const struct directory_entry *entry)
{
    return has_type(entry, S_IFDIR);
}

bool directory_entry_is_file(const struct directory_entry *entry)
{
    return has_type(entry, S_IFREG);
}

bool directory_entry_is_process(const struct directory_entry *entry)
{
    return text_is_digit(entry->name[0]);
}

static int take_names(int fd, const char *records, size_t length, directory_filter *wanted,
                      struct strings *names)
{
    for (size_t at = 0; at < length;) {
        const struct kernel_dirent *record = (const void *)(records + at);
        const struct directory_entry entry = {fd, record->name, record->type};
        at += record->record_length;
        if (record->name[0] == '.' || (wanted != NULL && !wanted(&entry)))
            continue;
        char *name = arena_string(record->name);
        if (name == NULL || strings_add(names, name) < 0)
            return -ENOMEM;
    }
    return 0;
}

int directory_list(const char *path, directory_filter *wanted, struct strings *names)
{
    _Alignas(struct kernel_dirent) char records[2048];
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct strings found = {0};
    int result = 0;
    while (result == 0) {
        long length = syscall(SYS_getdents64, fd, records, sizeof records);
        if (length <= 0) {
            result = length < 0 ? -errno : 0;
            break;
        }
        result = take_names(fd, records, (size_t)length, wanted, &found);
    }
    (void)close(fd);
    if (result == 0) {
        strings_sort(&found);
        *names = found;
    }
    return result;
}
