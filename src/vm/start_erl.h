/* SPDX-License-Identifier: MIT */
/*
 * start_erl.data(4) of OTP: "ERTS-version release-version", which release_handler(3) rewrites when
 * another release is to boot.
 */
#ifndef VM_START_ERL_H
#define VM_START_ERL_H

#define START_ERL_DATA "start_erl.data"

struct start_erl {
    const char *erts;    /* in the arena, NULL: unknown */
    const char *version; /* in the arena, NULL: unknown */
};

/*
 * Reads <releases>/start_erl.data. Both are safe as one component of a path. Without a usable file
 * both stay NULL, which is only worth a warning if there is a file. 0 or -ENOMEM.
 */
int start_erl_read(const char *root, const char *releases, struct start_erl *data);

#endif
