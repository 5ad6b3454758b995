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
#define RECORD_BYTES     8192

/* What every record begins with: the schema's version, ours, and this boot's id. The object stays
 * open. */
void record_begin(struct text *text);

/* Closes the object and puts it into RECORD_DIRECTORY as `name`. What goes wrong is logged. */
void record_publish(const char *name, struct text *text, const char *end);

/* Jobs of late.h: */

/* boot.json: the time line. With --print-timing also its summary, to the log. */
void record_boot(const struct options *options, const struct machine *machine);

#endif
