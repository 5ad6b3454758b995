/* SPDX-License-Identifier: MIT */
/* Parts of the shutdown report that come from elsewhere. For a child: all of it reads what others
 * wrote. */
#ifndef ERLINIT_REPORT_H
#define ERLINIT_REPORT_H

#include "erlinit/options.h"
#include "erlinit/text.h"

/*
 * The section `## dmesg`: the kernel's log as dmesg(1) shows it. Records that were overwritten
 * while reading are left out, none is cut. Lines about processes that the kernel killed for want of
 * memory are added to `oom` as items of a list.
 */
void report_add_kernel_log(struct text *text, struct text *oom);

/* Pure: one record of /dev/kmsg (changed in place) as a line of dmesg. False if it is none. */
bool report_add_record(struct text *text, char *record, struct text *oom);

/* Why the VM died by its own account: date and slogan of the crash dump that --env ERL_CRASH_DUMP
 * names, if it is from this boot. */
void report_add_crash_dump(struct text *text, const struct options *options);

#endif
