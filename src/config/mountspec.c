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

#define SET       MOUNT_FLAG_SET
#define CLEAR     MOUNT_FLAG_CLEAR
#define PROPAGATE MOUNT_FLAG_PROPAGATE

/* A later word of a pair takes back the earlier one. */
static const struct mount_flag flags[] = {
    {"ro", SET, MS_RDONLY},
    {"rw", CLEAR, MS_RDONLY},
    {"nosuid", SET, MS_NOSUID},
    {"suid", CLEAR, MS_NOSUID},
    {"nodev", SET, MS_NODEV},
    {"dev", CLEAR, MS_NODEV},
    {"noexec", SET, MS_NOEXEC},
    {"exec", CLEAR, MS_NOEXEC},
    {"sync", SET, MS_SYNCHRONOUS},
    {"async", CLEAR, MS_SYNCHRONOUS},
    {"dirsync", SET, MS_DIRSYNC},
    {"mand", SET, MS_MANDLOCK},
    {"nomand", CLEAR, MS_MANDLOCK},
    {"noatime", SET, MS_NOATIME},
    {"atime", CLEAR, MS_NOATIME},
    {"nodiratime", SET, MS_NODIRATIME},
    {"diratime", CLEAR, MS_NODIRATIME},
    {"relatime", SET, MS_RELATIME},
    {"norelatime", CLEAR, MS_RELATIME},
    {"strictatime", SET, MS_STRICTATIME},
    {"nostrictatime", CLEAR, MS_STRICTATIME},
    {"lazytime", SET, MS_LAZYTIME},
    {"nolazytime", CLEAR, MS_LAZYTIME},
    {"nosymfollow", SET, MS_NOSYMFOLLOW},
    {"symfollow", CLEAR, MS_NOSYMFOLLOW},
    {"iversion", SET, MS_I_VERSION},
    {"noiversion", CLEAR, MS_I_VERSION},
    {"silent", SET, MS_SILENT},
    {"loud", CLEAR, MS_SILENT},
    {"defaults", SET, 0},
    {"bind", SET, MS_BIND},
    {"rbind", SET, MS_BIND | MS_REC},
    {"remount", SET, MS_REMOUNT},
    {"move", SET, MS_MOVE},
    {"private", PROPAGATE, MS_PRIVATE},
    {"rprivate", PROPAGATE, MS_PRIVATE | MS_REC},
    {"shared", PROPAGATE, MS_SHARED},
    {"rshared", PROPAGATE, MS_SHARED | MS_REC},
    {"slave", PROPAGATE, MS_SLAVE},
    {"rslave", PROPAGATE, MS_SLAVE | MS_REC},
    {"unbindable", PROPAGATE, MS_UNBINDABLE},
    {"runbindable", PROPAGATE, MS_UNBINDABLE | MS_REC},
};

const struct mount_flag *mount_flag_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strncmp(flags[i].name, name, length) == 0 && flags[i].name[length] == '\0')
            return &flags[i];
    return NULL;
}

static void apply_flag(const struct mount_flag *flag, struct mount_spec *spec)
{
    if (flag->what == SET)
        spec->flags |= flag->bits;
    else if (flag->what == CLEAR)
        spec->flags &= ~(unsigned long)flag->bits;
    else
        spec->propagation = flag->bits;
}

static int parse_flags(const char *text, struct mount_spec *spec, const char **unknown)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        const struct mount_flag *flag = mount_flag_find(text, length);
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

static int add_flag_names(unsigned long bits, bool propagation, struct strings *names)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const struct mount_flag *flag = &flags[i];
        bool whole = (bits & (MS_BIND | MS_REC)) != (MS_BIND | MS_REC) || flag->bits != MS_BIND;
        bool named = flag->bits != 0 && (propagation ? flag->bits == bits : whole);
        if (flag->what == (propagation ? PROPAGATE : SET) && named &&
            (bits & flag->bits) == flag->bits && strings_add(names, flag->name) < 0)
            return -ENOMEM;
    }
    return 0;
}

int mount_flag_names(const struct mount_spec *spec, struct strings *names)
{
    int result = add_flag_names(spec->flags, false, names);
    return result < 0 ? result : add_flag_names(spec->propagation, true, names);
}
