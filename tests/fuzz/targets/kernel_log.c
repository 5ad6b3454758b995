/* SPDX-License-Identifier: MIT */
/* Records of /dev/kmsg, separated by NULs, and a report with less and less room. */
#include "erlinit/report.h"
#include "fuzz.h"

#define REPORT_BYTES 600
#define OOM_BYTES    100

static void text_holds(const struct text *text)
{
    FUZZ_CHECK(text->length < text->size && text->at[text->length] == '\0');
    FUZZ_CHECK(strlen(text->at) == text->length);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    TEXT_ON_STACK(report, REPORT_BYTES);
    TEXT_ON_STACK(oom, OOM_BYTES);
    for (int i = 0; size > 0 && i < 32; i++) {
        size_t before = report.length;
        char *record = fuzz_string(bytes, size);
        size_t length = strlen(record) + 1;
        bytes += length < size ? length : size;
        size -= length < size ? length : size;
        bool is_record = report_add_record(&report, record, &oom);
        text_holds(&report);
        text_holds(&oom);
        FUZZ_CHECK(is_record || report.length == before);
        if (is_record && !report.cut)
            FUZZ_CHECK(report.at[before] == '[' && report.at[report.length - 1] == '\n');
    }
}
