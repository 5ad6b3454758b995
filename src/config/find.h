/* SPDX-License-Identifier: MIT */
/*
 * Which row of the table of options a text on the command line means. Used by the parser, and by
 * the desk.
 */
#ifndef CONFIG_FIND_H
#define CONFIG_FIND_H

#include "erlinit/options.h"

/* The row with this letter (not NUL), or NULL. */
const struct option_row *find_letter(char letter);

/*
 * How many rows the first `length` bytes of `name` can mean, and the first of them in *row. An
 * exact name means that row only. A prefix that is unambiguous among the options of the contract
 * stays so, whatever options of ours begin with it: configs in the field use such prefixes. (So
 * no name of ours may be the beginning of one of the contract.)
 */
size_t find_name(const char *name, size_t length, const struct option_row **row);

/* Whether the `length` bytes can mean this row, as a whole or a beginning. */
bool find_is_prefix(const struct option_row *row, const char *name, size_t length);

/* The row whose name is at most two typing mistakes away (insert, delete, replace), or NULL. */
const struct option_row *find_nearest(const char *name, size_t length);

#endif
