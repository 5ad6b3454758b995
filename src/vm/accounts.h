/* SPDX-License-Identifier: MIT */
/*
 * passwd(5) and group(5), read without the C library's name services: a static binary can't load
 * them, and lines have no maximum here.
 */
#ifndef VM_ACCOUNTS_H
#define VM_ACCOUNTS_H

#include "erlinit/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A file's content. An absent file is an empty one. */
struct accounts {
    const char *content;
    size_t length;
};

struct account {
    const char *name; /* in the arena */
    uid_t uid;
    gid_t gid;        /* the primary group */
    const char *home; /* in the arena, "" if the line has none */
};

/* <root>/etc/passwd or <root>/etc/group. 0 or -ENOMEM; one that can't be read is empty, with a
 * warning. */
int accounts_load(const char *root, const char *path, struct accounts *accounts);

/* The first user with this name, or with this number when `name` is NULL. 0, -ENOENT or -ENOMEM. */
int accounts_user(const struct accounts *passwd, const char *name, uid_t uid,
                  struct account *account);

/* The group with this name. 0 or -ENOENT. */
int accounts_group(const struct accounts *group, const char *name, gid_t *gid);

/* The groups that name this user as a member: *gids, in the arena, each once. 0 or -ENOMEM. */
int accounts_memberships(const struct accounts *group, const char *user, gid_t **gids,
                         size_t *count);

/* A user's or group's number: decimal, 0x, octal. The highest means "unchanged" to the kernel and
 * is out of range. 0, -EINVAL or -ERANGE. */
int accounts_number(const char *text, unsigned int base, unsigned int *number);

#endif
