/* SPDX-License-Identifier: MIT */
/*
 * What erlinit writes down about itself for the application to read: JSON files with one schema
 * (docs/timeline.md), replaced as a whole. For a child: files can block.
 */
#ifndef ERLINIT_RECORDS_H
#define ERLINIT_RECORDS_H

#include "erlinit/machine.h"
#include "erlinit/options.h"
#include "erlinit/text.h"

#define RECORD_DIRECTORY "/run/erlinit"
#define RECORD_STATE     "%s/erlinit" /* below the state directory, with RECORD_END in it */
#define RECORD_END       "last-end.json"
#define RECORD_BYTES     8192

/* Changes when a reader of the old one would be misled. */
#define RECORD_SCHEMA "1"

/* What a record begins with: the schema's version, ours, and this boot's id. The object stays open.
 */
void record_begin(struct text *text);

/* One row of a time line, into a list that is open. `name` needs no escapes. */
void record_add_step(struct text *text, const char *name, const struct step_time *step);

/* Replaces the record `name` in the directory `path`, which is made if it is missing. What goes
 * wrong is logged. */
void record_put(const char *path, const char *name, const struct text *text);

/* Jobs of late.h: */

/* boot.json: the time line. With --print-timing also its summary, to the log. */
void record_boot(const struct options *options, const struct machine *machine);

/* previous.json: how the machine ended the last time, or that nothing was recorded. The record goes
 * from the state directory, so that it is told once. */
void record_previous(const struct options *options, const struct machine *machine);

#endif
