/* SPDX-License-Identifier: MIT */
/* Who the VM runs as. Whatever is wrong here must end in no VM, never in a VM of root's. */
#include "accounts.h"
#include "capabilities.h"
#include "erlinit/text.h"
#include "erlinit/vm.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PASSWD    "/etc/passwd"
#define GROUP     "/etc/group"
#define ROOT_HOME "/root"

static int refuse(const char *option, const struct word *word, const char *problem, int result)
{
    TEXT_ON_STACK(shown, 80);
    text_add_printable(&shown, word->text, strlen(word->text));
    log_at(LOG_ERROR, &word->origin,
           "--%s \"%s\": %s; the VM is not started with other rights than meant", option, shown.at,
           problem);
    return result;
}

/* The user by name, or by number even if nobody has it. */
static int resolve_user(const struct accounts *passwd, const struct word *uid,
                        struct account *account)
{
    unsigned int number = 0;
    int result = accounts_number(uid->text, 0, &number);
    if (result == -ERANGE)
        return refuse("uid", uid, "out of range", -EINVAL);
    if (result < 0) {
        result = accounts_user(passwd, uid->text, 0, account);
        return result == -ENOENT
                   ? refuse("uid", uid, "neither a number nor a user of " PASSWD, result)
                   : result;
    }
    result = accounts_user(passwd, NULL, number, account);
    if (result == -ENOENT) {
        *account = (struct account){.name = NULL, .uid = number, .gid = number, .home = ""};
        return 0;
    }
    return result;
}

static int resolve_group(const struct accounts *group, const struct word *gid, gid_t *number)
{
    int result = accounts_number(gid->text, 0, number);
    if (result == -ERANGE)
        return refuse("gid", gid, "out of range", -EINVAL);
    if (result < 0 && accounts_group(group, gid->text, number) < 0)
        return refuse("gid", gid, "neither a number nor a group of " GROUP, -ENOENT);
    return 0;
}

/* root without --uid: the user that the VM is in any case. */
static int find_user(const char *root, const struct word *uid, struct account *account)
{
    struct accounts passwd;
    *account = (struct account){.name = NULL, .home = ""};
    if (uid->text == NULL)
        return 0;
    int result = accounts_load(root, PASSWD, &passwd);
    return result < 0 ? result : resolve_user(&passwd, uid, account);
}

static int find_groups(const char *root, const struct word *gid, const char *user,
                       struct identity *identity)
{
    struct accounts group;
    int result = accounts_load(root, GROUP, &group);
    if (result == 0 && gid->text != NULL)
        result = resolve_group(&group, gid, &identity->gid);
    if (result == 0 && user != NULL)
        result = accounts_memberships(&group, user, &identity->groups, &identity->group_count);
    return result;
}

int identity_resolve(const char *root, const struct word *uid, const struct word *gid,
                     struct identity *identity)
{
    struct account user;
    int result = find_user(root, uid, &user);
    if (result < 0)
        return result;
    struct identity found = {.uid = user.uid, .gid = user.gid};
    found.home = *user.home != '\0' ? user.home : ROOT_HOME;
    if (uid->text != NULL || gid->text != NULL)
        result = find_groups(root, gid, user.name, &found);
    if (result < 0)
        return result;
    if (uid->text != NULL && gid->text == NULL && user.name == NULL) {
        log_at(LOG_WARNING, &uid->origin, "user %u is not in " PASSWD ", taking group %u for it",
               found.uid, found.gid);
    }
    found.change = found.uid != 0 || found.gid != 0 || found.group_count > 0;
    *identity = found;
    return 0;
}

int identity_restrict(const struct word *capabilities, bool no_new_privs, struct identity *identity)
{
    identity->limited = capabilities->text != NULL;
    if (identity->limited && capabilities_parse(capabilities->text, &identity->capabilities) < 0)
        return refuse("capabilities", capabilities, "not all of these are capabilities", -EINVAL);
    identity->no_new_privs = no_new_privs;
    identity->change = identity->change || identity->limited || no_new_privs;
    return 0;
}

static bool is_now(const struct identity *identity)
{
    uid_t uid[3];
    gid_t gid[3];
    return getresuid(&uid[0], &uid[1], &uid[2]) == 0 && getresgid(&gid[0], &gid[1], &gid[2]) == 0 &&
           uid[0] == identity->uid && uid[1] == identity->uid && uid[2] == identity->uid &&
           gid[0] == identity->gid && gid[1] == identity->gid && gid[2] == identity->gid;
}

/* setgroups, group, user: groups first, for only root may, and soon nobody here is. */
static int change_user(const struct identity *identity)
{
    if (setgroups(identity->group_count, identity->groups) < 0 ||
        setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -errno;
    return is_now(identity) ? 0 : -EPERM;
}

static int forgo_new_privs(void)
{
    if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
        return -errno;
    return syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL) == 1 ? 0 : -EPERM;
}

int identity_apply(const struct identity *identity)
{
    int result = 0;
    if (identity->limited)
        result = capabilities_cut(identity->capabilities);
    if (result == 0 && identity->change)
        result = change_user(identity);
    /* root with all its capabilities has nothing to set */
    if (result == 0 && (identity->uid != 0 || identity->limited)) {
        result = capabilities_keep(identity->capabilities);
        if (result == 0 && !capabilities_are(identity->capabilities, identity->limited))
            result = -EPERM;
    }
    if (result == 0 && identity->no_new_privs)
        result = forgo_new_privs();
    return result;
}
