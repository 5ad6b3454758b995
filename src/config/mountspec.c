/* SPDX-License-Identifier: MIT */
/* One --mount, taken apart: dev:path:type:flags:data. */
#include "erlinit/arena.h"
#include "erlinit/boot.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>

#define FIELDS 5 /* the last one takes what is left, colons too */

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* since Linux 5.10, later than some C libraries */
#endif
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

/* What mount(8) calls the flags of mount(2). A later word of a pair takes back the earlier one. */
struct flag {
    const char *name;
    unsigned int set;
    unsigned int clear;
    unsigned int propagation;
};

static const struct flag flags[] = {
    {"ro", MS_RDONLY, 0, 0},
    {"rw", 0, MS_RDONLY, 0},
    {"nosuid", MS_NOSUID, 0, 0},
    {"suid", 0, MS_NOSUID, 0},
    {"nodev", MS_NODEV, 0, 0},
    {"dev", 0, MS_NODEV, 0},
    {"noexec", MS_NOEXEC, 0, 0},
    {"exec", 0, MS_NOEXEC, 0},
    {"sync", MS_SYNCHRONOUS, 0, 0},
    {"async", 0, MS_SYNCHRONOUS, 0},
    {"dirsync", MS_DIRSYNC, 0, 0},
    {"mand", MS_MANDLOCK, 0, 0},
    {"nomand", 0, MS_MANDLOCK, 0},
    {"noatime", MS_NOATIME, 0, 0},
    {"atime", 0, MS_NOATIME, 0},
    {"nodiratime", MS_NODIRATIME, 0, 0},
    {"diratime", 0, MS_NODIRATIME, 0},
    {"relatime", MS_RELATIME, 0, 0},
    {"norelatime", 0, MS_RELATIME, 0},
    {"strictatime", MS_STRICTATIME, 0, 0},
    {"nostrictatime", 0, MS_STRICTATIME, 0},
    {"lazytime", MS_LAZYTIME, 0, 0},
    {"nolazytime", 0, MS_LAZYTIME, 0},
    {"nosymfollow", MS_NOSYMFOLLOW, 0, 0},
    {"symfollow", 0, MS_NOSYMFOLLOW, 0},
    {"iversion", MS_I_VERSION, 0, 0},
    {"noiversion", 0, MS_I_VERSION, 0},
    {"silent", MS_SILENT, 0, 0},
    {"loud", 0, MS_SILENT, 0},
    {"defaults", 0, 0, 0},
    {"bind", MS_BIND, 0, 0},
    {"rbind", MS_BIND | MS_REC, 0, 0},
    {"remount", MS_REMOUNT, 0, 0},
    {"move", MS_MOVE, 0, 0},
    {"private", 0, 0, MS_PRIVATE},
    {"rprivate", 0, 0, MS_PRIVATE | MS_REC},
    {"shared", 0, 0, MS_SHARED},
    {"rshared", 0, 0, MS_SHARED | MS_REC},
    {"slave", 0, 0, MS_SLAVE},
    {"rslave", 0, 0, MS_SLAVE | MS_REC},
    {"unbindable", 0, 0, MS_UNBINDABLE},
    {"runbindable", 0, 0, MS_UNBINDABLE | MS_REC},
};

static const struct flag *find_flag(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strncmp(flags[i].name, name, length) == 0 && flags[i].name[length] == '\0')
            return &flags[i];
    return NULL;
}

static void apply_flag(const struct flag *flag, struct mount_spec *spec)
{
    spec->flags = (spec->flags | flag->set) & ~(unsigned long)flag->clear;
    if (flag->propagation != 0)
        spec->propagation = flag->propagation;
}

static int parse_flags(const char *text, struct mount_spec *spec, const char **unknown)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        const struct flag *flag = find_flag(text, length);
        if (flag != NULL) {
            apply_flag(flag, spec);
        } else if (length > 0 && *unknown == NULL) {
            *unknown = arena_copy(text, length);
            if (*unknown == NULL)
                return -ENOMEM;
        }
        text += length + (text[length] == ',');
    }
    return 0;
}

/* Cuts a field off at *at, in place. Without a colon behind it *at becomes NULL. */
static const char *take_field(char **at, bool is_last)
{
    char *from = *at;
    char *to = from;
    char *field = from;
    while (*from != '\0' && (is_last || *from != ':')) {
        if (from[0] == '\\' && (from[1] == ':' || from[1] == ';'))
            from++;
        *to++ = *from++;
    }
    *at = *from == ':' ? from + 1 : NULL;
    *to = '\0';
    return field;
}

int mount_parse(const char *text, struct mount_spec *spec, const char **problem,
                const char **unknown)
{
    const char *field[FIELDS];
    char *at = arena_string(text);
    if (at == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < FIELDS; i++) {
        if (at == NULL) {
            *problem = "fewer than five fields (dev:path:type:flags:data)";
            return -EINVAL;
        }
        field[i] = take_field(&at, i == FIELDS - 1);
    }
    if (*field[1] == '\0') {
        *problem = "no path to mount on";
        return -EINVAL;
    }
    struct mount_spec parsed = {
        .source = field[0], .target = field[1], .type = field[2], .data = field[4]};
    const char *first_unknown = NULL;
    if (parse_flags(field[3], &parsed, &first_unknown) < 0)
        return -ENOMEM;
    *spec = parsed;
    *unknown = first_unknown;
    return 0;
}
