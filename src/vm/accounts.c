/* SPDX-License-Identifier: MIT */
#include "accounts.h"

#include "erlinit/files.h"
#include "erlinit/log.h"
#include "erlinit/text.h"
#include "tree.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define FILE_MOST_BYTES (4U << 20)
#define NUMBER_BYTES    24 /* the digits of any id, and a NUL */

/* Bytes of somebody else's text. */
struct span {
    const char *start;
    const char *end;
};

static struct span cut_at(const struct span *whole, char separator)
{
    const char *end = memchr(whole->start, separator, (size_t)(whole->end - whole->start));
    return (struct span){whole->start, end == NULL ? whole->end : end};
}

/* Cuts the next piece off the front of *rest. False when nothing is left. */
static bool take(struct span *rest, char separator, struct span *piece)
{
    if (rest->start == rest->end)
        return false;
    *piece = cut_at(rest, separator);
    rest->start = piece->end < rest->end ? piece->end + 1 : rest->end;
    return true;
}

/* The field of a line by its number, empty if the line has fewer. */
static struct span field(struct span line, int number)
{
    struct span piece = {line.end, line.end};
    for (int i = 0; i <= number; i++)
        if (!take(&line, ':', &piece))
            return (struct span){line.end, line.end};
    return piece;
}

static bool span_equal(struct span span, const char *string)
{
    size_t length = (size_t)(span.end - span.start);
    return length == strlen(string) && memcmp(span.start, string, length) == 0;
}

static char *span_copy(struct span span)
{
    return arena_copy(span.start, (size_t)(span.end - span.start));
}

int accounts_number(const char *text, unsigned int base, unsigned int *number)
{
    long long value = 0;
    int result = text_to_number(text, base, 0, (long long)UINT32_MAX - 1, &value);
    if (result == 0)
        *number = (unsigned int)value;
    return result;
}

/* The numbers of these files are decimal, leading zeros or not. */
static bool span_number(struct span span, unsigned int *number)
{
    TEXT_ON_STACK(text, NUMBER_BYTES);
    return text_add_bytes(&text, span.start, (size_t)(span.end - span.start)) &&
           accounts_number(text.at, 10, number) == 0;
}

int accounts_load(const char *root, const char *path, struct accounts *accounts)
{
    char *content = NULL;
    size_t length = 0;
    int result = tree_load(root, path, FILE_MOST_BYTES, &content, &length);
    if (result == -ENOMEM)
        return result;
    if (result < 0) {
        if (result != -ENOENT) {
            errno = -result;
            log_warning("can't read %s: %m; going on without it", path);
        }
        *accounts = (struct accounts){"", 0};
        return 0;
    }
    *accounts = (struct accounts){content, length};
    return 0;
}

static struct span all_of(const struct accounts *accounts)
{
    return (struct span){accounts->content, accounts->content + accounts->length};
}

/* name:password:uid:gid:comment:home:shell. False for a line whose numbers are none. */
static bool read_numbers(struct span line, struct account *account)
{
    return span_number(field(line, 2), &account->uid) && span_number(field(line, 3), &account->gid);
}

int accounts_user(const struct accounts *passwd, const char *name, uid_t uid,
                  struct account *account)
{
    struct span rest = all_of(passwd);
    struct span line;
    while (take(&rest, '\n', &line)) {
        struct account found;
        if (!read_numbers(line, &found))
            continue;
        if (name != NULL ? !span_equal(field(line, 0), name) : found.uid != uid)
            continue;
        found.name = span_copy(field(line, 0));
        found.home = span_copy(field(line, 5));
        if (found.name == NULL || found.home == NULL)
            return -ENOMEM;
        *account = found;
        return 0;
    }
    return -ENOENT;
}

int accounts_group(const struct accounts *group, const char *name, gid_t *gid)
{
    struct span rest = all_of(group);
    struct span line;
    while (take(&rest, '\n', &line))
        if (span_equal(field(line, 0), name) && span_number(field(line, 2), gid))
            return 0;
    return -ENOENT;
}

static bool names_member(struct span members, const char *user)
{
    struct span member;
    while (take(&members, ',', &member)) {
        text_trim(&member.start, &member.end);
        if (span_equal(member, user))
            return true;
    }
    return false;
}

static bool contains(const gid_t *gids, size_t count, gid_t gid)
{
    for (size_t i = 0; i < count; i++)
        if (gids[i] == gid)
            return true;
    return false;
}

static size_t count_lines(struct span rest)
{
    size_t lines = 0;
    struct span line;
    while (take(&rest, '\n', &line))
        lines++;
    return lines;
}

int accounts_memberships(const struct accounts *group, const char *user, gid_t **gids,
                         size_t *count)
{
    struct span rest = all_of(group);
    gid_t *found = arena_alloc((count_lines(rest) + 1) * sizeof *found);
    if (found == NULL)
        return -ENOMEM;
    size_t used = 0;
    struct span line;
    while (take(&rest, '\n', &line)) {
        gid_t gid;
        /* name:password:gid:members */
        if (names_member(field(line, 3), user) && span_number(field(line, 2), &gid) &&
            !contains(found, used, gid))
            found[used++] = gid;
    }
    *gids = found;
    *count = used;
    return 0;
}
