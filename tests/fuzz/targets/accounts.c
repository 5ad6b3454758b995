/* SPDX-License-Identifier: MIT */
/* passwd and group: a name (or number) on the first line, then the file, read as either. */
#include "../../../src/vm/accounts.h"
#include "fuzz.h"

#include <errno.h>

#define UNCHANGED UINT32_MAX /* to setresuid(2) and setresgid(2) */

static void account_holds(const struct account *account, const char *name)
{
    FUZZ_CHECK(account->uid != UNCHANGED && account->gid != UNCHANGED);
    FUZZ_CHECK(name == NULL || strcmp(account->name, name) == 0);
    FUZZ_CHECK(strpbrk(account->name, ":\n") == NULL && strpbrk(account->home, ":\n") == NULL);
}

static void memberships_hold(const struct accounts *group, const char *name)
{
    gid_t *gids = NULL;
    size_t count = 0;
    if (accounts_memberships(group, name, &gids, &count) < 0) {
        FUZZ_CHECK(fuzz_starved());
        return;
    }
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(gids[i] != UNCHANGED);
        for (size_t j = 0; j < i; j++)
            FUZZ_CHECK(gids[i] != gids[j]);
    }
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *name = fuzz_line(&bytes, &size);
    const struct accounts file = {.content = (const char *)bytes, .length = size};
    struct account account;
    gid_t gid = UNCHANGED;
    unsigned int number = 0;
    if (accounts_user(&file, name, 0, &account) == 0)
        account_holds(&account, name);
    if (accounts_number(name, 0, &number) == 0) {
        FUZZ_CHECK(number != UNCHANGED);
        if (accounts_user(&file, NULL, number, &account) == 0) {
            FUZZ_CHECK(account.uid == number);
            account_holds(&account, NULL);
        }
    }
    FUZZ_CHECK(accounts_group(&file, name, &gid) < 0 || gid != UNCHANGED);
    memberships_hold(&file, name);
}
