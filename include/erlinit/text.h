/* SPDX-License-Identifier: MIT */
/*
 * Bounded text: building strings in buffers that somebody else owns, and the few questions we ask
 * of text from outside. Nothing here allocates or fails loudly: what does not fit is cut, and says
 * so.
 */
#ifndef ERLINIT_TEXT_H
#define ERLINIT_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A string under construction. `at` is always NUL-terminated once text_into() has run (size >= 1).
 */
struct text {
    char *at;      /* borrowed buffer */
    size_t size;   /* bytes in it, the NUL included */
    size_t length; /* bytes used, the NUL not included; < size */
    bool cut;      /* something did not fit */
};

/* Declares a buffer of `bytes` on the stack with a text over it. */
#define TEXT_ON_STACK(name, bytes)                                                                 \
    char name##_bytes[bytes];                                                                      \
    struct text name = text_into(name##_bytes, sizeof name##_bytes)

/* An empty text over `size` (>= 1) bytes at `buffer`, which stays the caller's. */
struct text text_into(char *buffer, size_t size);

/* Appends `length` bytes / a string / a formatted string. Returns false if it was cut. */
bool text_add_bytes(struct text *text, const char *bytes, size_t length);
bool text_add(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) bool text_format(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) bool text_vformat(struct text *text, const char *format,
                                                        va_list arguments);

/* White space as the C locale has it, without asking the locale. */
bool text_is_space(char c);
bool text_is_digit(char c);

/* Start of the first, and end after the last, byte that is no white space, within [*start, *end).
 */
void text_trim(const char **start, const char **end);

/* Trims a writable string in place (also at its end) and returns its new start. */
char *text_trim_in_place(char *string);

bool text_starts_with(const char *string, const char *prefix);
bool text_ends_with(const char *string, const char *suffix);
bool text_equal(const char *a, const char *b); /* NULL is equal to NULL only */

/* Where `part` first is in `string`, or NULL (strstr(3), which has 1 KB of cleverness in musl). */
const char *text_find(const char *string, const char *part);

/*
 * Reads digits of `base` (2 to 16) from the start of `string` on: no sign, no white space. Returns
 * what follows them, which is `string` itself (and the number 0) if there are none. What is too
 * large becomes ULLONG_MAX. (Not strtoull(3): in musl that comes with scanf's 3 KB.)
 */
const char *text_read_digits(const char *string, unsigned int base, unsigned long long *number);

/*
 * The whole of `string` as a number with or without a sign, surrounding white space allowed; when
 * `base` is 0 decimal, 0x hexadecimal or 0 octal. Returns 0, -EINVAL (no number, or something after
 * it) or -ERANGE (outside minimum..maximum); *number is untouched on failure.
 */
int text_to_number(const char *string, unsigned int base, long long minimum, long long maximum,
                   long long *number);

/* Bytes of the UTF-8 sequence (RFC 3629) that `bytes` begins with, of which there are `left` (> 0);
 * 0 if it is none. */
size_t text_utf8_length(const char *bytes, size_t left);

/*
 * Copies `string` with every byte that a terminal or a log reader could take for control (below
 * 0x20, 0x7f, and bytes that are not UTF-8) shown as \xNN, cut with "..." to fit. For quoting
 * foreign input in log lines.
 */
void text_add_printable(struct text *text, const char *string, size_t length);

#endif
