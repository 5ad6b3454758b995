/* SPDX-License-Identifier: MIT */
/* Numbers, searching and trimming, each against the C library's way: what to look for on the first
 * line, where on the second. */
#include "erlinit/text.h"
#include "fuzz.h"

#include <errno.h>
#include <limits.h>

static void numbers_agree(const char *string, int base)
{
    long long ours = 77;
    char *end;
    errno = 0;
    long long theirs = strtoll(string, &end, base);
    bool overflow = errno == ERANGE;
    bool none = end == string;
    end += strspn(end, " \t\n\v\f\r");
    int expected = none || *end != '\0' ? -EINVAL : overflow ? -ERANGE : 0;
    int result = text_to_number(string, (unsigned int)base, LLONG_MIN, LLONG_MAX, &ours);
    /* "0x" alone is the number 0 and a rest to strtoll(3), and both no number to us; a sixteen
     * without 0 as its base may have that prefix there only */
    if (base == 16 && strpbrk(string, "xX") != NULL)
        return;
    FUZZ_CHECK(result == expected);
    FUZZ_CHECK(ours == (result == 0 ? theirs : 77));
}

static void trimmed_holds(const char *string)
{
    const char *start = string;
    const char *end = string + strlen(string);
    text_trim(&start, &end);
    FUZZ_CHECK(start >= string && start <= end && end <= string + strlen(string));
    FUZZ_CHECK(start == end || (!text_is_space(*start) && !text_is_space(end[-1])));
    char *copy = fuzz_string((const uint8_t *)string, strlen(string));
    const char *trimmed = text_trim_in_place(copy);
    FUZZ_CHECK(strlen(trimmed) == (size_t)(end - start));
    FUZZ_CHECK(strncmp(trimmed, start, (size_t)(end - start)) == 0);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *part = fuzz_line(&bytes, &size);
    const char *string = fuzz_string(bytes, size);
    numbers_agree(part, 0);
    numbers_agree(part, 8);
    numbers_agree(part, 10);
    numbers_agree(part, 16);
    trimmed_holds(string);
    FUZZ_CHECK(text_find(string, part) == strstr(string, part));
    size_t length = strlen(string);
    size_t tail = strlen(part);
    FUZZ_CHECK(text_starts_with(string, part) == (strstr(string, part) == string));
    FUZZ_CHECK(text_ends_with(string, part) ==
               (tail <= length && strcmp(string + length - tail, part) == 0));
    FUZZ_CHECK(text_equal(string, part) == (strcmp(string, part) == 0));
}
