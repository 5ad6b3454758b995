/* SPDX-License-Identifier: MIT */
/*
 * The parts of root's rights that a VM without root may keep (capabilities(7)). A set has a bit for
 * each, by its number in linux/capability.h.
 */
#ifndef VM_CAPABILITIES_H
#define VM_CAPABILITIES_H

#include "erlinit/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Pure: names (with or without cap_) or numbers, with commas between; `none` for an empty set. 0 or
 * -EINVAL. */
int capabilities_parse(const char *text, uint64_t *set);

/* The other way round: adds the names (numbers where there is none) of a set. 0 or -ENOMEM. For the
 * desk. */
int capabilities_names(uint64_t set, struct strings *list);

/* While still root: takes all but `set` out of the bounding set, so that no program gets them back,
 * setuid or not; and has the kernel leave us ours when the user changes (until exec). 0 or -errno.
 */
int capabilities_cut(uint64_t set);

/* Exactly `set` is permitted, effective, inheritable, and ambient, so that it survives exec. Once
 * the user has changed. 0 or -errno. */
int capabilities_keep(uint64_t set);

/* What the kernel says: exactly `set` is there; with `cut` it is the bounding set, too. */
bool capabilities_are(uint64_t set, bool cut);

#endif
