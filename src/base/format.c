/* SPDX-License-Identifier: MIT */
/*
 * text_vformat(): the part of printf(3) that this program uses, in a tenth of the size, without
 * locale, memory or floating point. %s %.*s %.Ns %c %d %u %x %o %m %%, with l, ll, z, a width, zero
 * padding and #. The compiler checks the calls.
 */
#include "erlinit/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct conversion {
    bool zero;
    bool prefix;
    size_t width;
    size_t precision; /* SIZE_MAX: none */
    enum { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE } size;
};

static void pad(struct text *text, char with, size_t width, size_t length)
{
    for (; length < width; length++)
        text_add_bytes(text, &with, 1);
}

static void add_unsigned(struct text *text, const struct conversion *how, bool negative,
                         unsigned long long value, unsigned int base)
{
    char digits[24]; /* 2^64 in octal has 22 */
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    const char *sign = negative ? "-" : how->prefix && base == 16 ? "0x" : "";
    size_t length = strlen(sign) + sizeof digits - at;
    if (!how->zero)
        pad(text, ' ', how->width, length);
    text_add(text, sign);
    if (how->zero)
        pad(text, '0', how->width, length);
    text_add_bytes(text, digits + at, sizeof digits - at);
}

static unsigned long long take_unsigned(const struct conversion *how, va_list *arguments)
{
    switch (how->size) {
    case SIZE_LONG:
        return va_arg(*arguments, unsigned long);
    case SIZE_LONG_LONG:
        return va_arg(*arguments, unsigned long long);
    /* NOLINTNEXTLINE(bugprone-branch-clone): another type */
    case SIZE_SIZE:
        return va_arg(*arguments, size_t);
    default:
        return va_arg(*arguments, unsigned int);
    }
}

static long long take_signed(const struct conversion *how, va_list *arguments)
{
    switch (how->size) {
    case SIZE_LONG:
        return va_arg(*arguments, long);
    case SIZE_LONG_LONG:
        return va_arg(*arguments, long long);
    case SIZE_SIZE:
        return (long long)va_arg(*arguments, size_t);
    default:
        return va_arg(*arguments, int);
    }
}

static void add_string(struct text *text, const struct conversion *how, const char *string)
{
    if (string == NULL)
        string = "(null)";
    size_t length = strnlen(string, how->precision);
    pad(text, ' ', how->width, length);
    text_add_bytes(text, string, length);
}

/* musl has words for fewer errors than Linux has (EUCLEAN, a damaged file system, not for one). */
static void add_error(struct text *text, const struct conversion *how, int error)
{
    const char *words = strerror(error);
    if (error == 0 || !text_equal(words, strerror(0))) {
        add_string(text, how, words);
        return;
    }
    TEXT_ON_STACK(number, 24);
    text_format(&number, "Error %d", error);
    add_string(text, how, number.at);
}

static size_t read_digits(const char **format)
{
    size_t number = 0;
    for (; text_is_digit(**format); (*format)++)
        number = number * 10 + (size_t)(**format - '0');
    return number;
}

/* Flags, width, precision and size; *format ends up at the conversion's letter. */
static struct conversion read_conversion(const char **format, va_list *arguments)
{
    struct conversion how = {.precision = SIZE_MAX};
    for (; **format == '0' || **format == '#'; (*format)++) {
        how.zero = how.zero || **format == '0';
        how.prefix = how.prefix || **format == '#';
    }
    how.width = read_digits(format);
    if (**format == '.') {
        (*format)++;
        bool given = **format == '*';
        int argument = given ? va_arg(*arguments, int) : 0;
        how.precision = given ? (argument < 0 ? SIZE_MAX : (size_t)argument) : read_digits(format);
        *format += given ? 1 : 0;
    }
    for (; **format == 'l'; (*format)++)
        how.size = how.size == SIZE_LONG ? SIZE_LONG_LONG : SIZE_LONG;
    if (**format == 'z') {
        how.size = SIZE_SIZE;
        (*format)++;
    }
    return how;
}

static void convert(struct text *text, const char **format, int error, va_list *arguments)
{
    struct conversion how = read_conversion(format, arguments);
    char letter = **format;
    if (letter != '\0')
        (*format)++;
    if (letter == 's') {
        add_string(text, &how, va_arg(*arguments, const char *));
    } else if (letter == 'm') {
        add_error(text, &how, error);
    } else if (letter == 'd' || letter == 'i') {
        long long value = take_signed(&how, arguments);
        unsigned long long size =
            value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
        add_unsigned(text, &how, value < 0, size, 10);
    } else if (letter == 'u' || letter == 'x' || letter == 'o') {
        unsigned int base = letter == 'u' ? 10 : letter == 'x' ? 16 : 8;
        add_unsigned(text, &how, false, take_unsigned(&how, arguments), base);
    } else {
        if (letter == 'c')
            letter = (char)va_arg(*arguments, int);
        text_add_bytes(text, &letter, 1);
    }
}

bool text_vformat(struct text *text, const char *format, va_list arguments)
{
    int error = errno;
    va_list rest;
    va_copy(rest, arguments);
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        text_add_bytes(text, format, plain);
        format += plain;
        if (*format == '%') {
            format++;
            convert(text, &format, error, &rest);
        }
    }
    va_end(rest);
    return !text->cut;
}
