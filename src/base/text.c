/* SPDX-License-Identifier: MIT */
#include "erlinit/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct text text_into(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){.at = buffer, .size = size, .length = 0, .cut = false};
}

bool text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    size_t room = text->size - 1 - text->length;
    if (length > room) {
        length = room;
        text->cut = true;
    }
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
    return !text->cut;
}

bool text_add(struct text *text, const char *string)
{
    return text_add_bytes(text, string, strlen(string));
}

bool text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool whole = text_vformat(text, format, arguments);
    va_end(arguments);
    return whole;
}

bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void text_trim(const char **start, const char **end)
{
    while (*start < *end && text_is_space(**start))
        (*start)++;
    while (*end > *start && text_is_space((*end)[-1]))
        (*end)--;
}

char *text_trim_in_place(char *string)
{
    const char *start = string;
    const char *end = string + strlen(string);
    text_trim(&start, &end);
    string[end - string] = '\0';
    return string + (start - string);
}

bool text_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *string, const char *suffix)
{
    size_t length = strlen(string);
    size_t tail = strlen(suffix);
    return length >= tail && memcmp(string + length - tail, suffix, tail) == 0;
}

bool text_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

const char *text_find(const char *string, const char *part)
{
    for (; !text_starts_with(string, part); string++)
        if (*string == '\0')
            return NULL;
    return string;
}

/* What a character is worth as a digit; more than any base if it is none. */
static unsigned int digit_of(char c)
{
    if (text_is_digit(c))
        return (unsigned int)(c - '0');
    c |= 'a' - 'A';
    return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : UINT_MAX;
}

const char *text_read_digits(const char *string, unsigned int base, unsigned long long *number)
{
    unsigned long long sum = 0;
    unsigned int digit;
    for (; (digit = digit_of(*string)) < base; string++)
        if (__builtin_mul_overflow(sum, base, &sum) || __builtin_add_overflow(sum, digit, &sum))
            sum = ULLONG_MAX; /* which overflows again: it stays */
    *number = sum;
    return string;
}

int text_to_number(const char *string, unsigned int base, long long minimum, long long maximum,
                   long long *number)
{
    unsigned long long size;
    while (text_is_space(*string))
        string++;
    bool negative = *string == '-';
    if (negative || *string == '+')
        string++;
    if (base == 0) {
        bool hexadecimal = text_starts_with(string, "0x") || text_starts_with(string, "0X");
        base = hexadecimal ? 16 : *string == '0' ? 8 : 10;
        string += hexadecimal ? 2 : 0;
    }
    const char *end = text_read_digits(string, base, &size);
    if (end == string)
        return -EINVAL;
    while (text_is_space(*end))
        end++;
    if (*end != '\0')
        return -EINVAL;
    if (size > (unsigned long long)LLONG_MAX + negative)
        return -ERANGE;
    long long value = (long long)(negative ? 0 - size : size);
    if (value < minimum || value > maximum)
        return -ERANGE;
    *number = value;
    return 0;
}

size_t text_utf8_length(const char *string, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)string;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    /* no overlong forms, no surrogates, nothing above U+10FFFF */
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

void text_add_printable(struct text *text, const char *string, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *bytes = (const unsigned char *)string;
    size_t i = 0;
    while (i < length) {
        char escaped[4] = {'\\', 'x', hex[bytes[i] >> 4], hex[bytes[i] & 15]};
        size_t whole = text_utf8_length(string + i, length - i);
        bool control = bytes[i] < 0x20 || bytes[i] == 0x7f;
        bool c1 = whole == 2 && bytes[i] == 0xc2 && bytes[i + 1] < 0xa0;
        bool plain = whole > 0 && !control && !c1;
        size_t shown = plain ? whole : sizeof escaped;
        if (text->length + shown + sizeof "..." > text->size) {
            text_add(text, "...");
            text->cut = true;
            return;
        }
        text_add_bytes(text, plain ? string + i : escaped, shown);
        i += plain ? whole : 1;
    }
}
