/* SPDX-License-Identifier: MIT */
/* text_vformat() against vsnprintf(3): how much room there is, the conversion to try, two numbers,
 * a string. */
#include "erlinit/text.h"
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

#define ROOM_MOST 300

struct input {
    uint8_t room;
    uint8_t conversion;
    int16_t precision;
    uint64_t number;
};

static struct text ours;
static size_t room;

__attribute__((format(printf, 1, 2))) static void agree(const char *format, ...)
{
    char theirs[ROOM_MOST];
    va_list arguments;
    ours = text_into(malloc(room), room);
    va_start(arguments, format);
    int length = vsnprintf(theirs, room, format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    bool whole = text_vformat(&ours, format, arguments);
    va_end(arguments);
    FUZZ_CHECK(length >= 0 && whole == ((size_t)length < room));
    FUZZ_CHECK(strcmp(ours.at, theirs) == 0 && strlen(theirs) == ours.length);
    free(ours.at);
}

static void agree_on_string(const struct input *input, const char *string)
{
    switch (input->conversion % 6) {
    case 0:
        agree("%s", string);
        break;
    case 1:
        agree("<%.*s> 100%%", input->precision, string);
        break;
    case 2:
        agree("%.12s%c", string, 'a' + input->room % 26);
        break;
    case 3:
        agree("%40s", string);
        break;
    case 4:
        agree("%.0s%s", string, string);
        break;
    default:
        errno = input->precision;
        agree("%s: %m", string);
    }
}

static void agree_on_number(const struct input *input)
{
    int number = (int)input->number;
    unsigned int size = (unsigned int)input->number;
    switch (input->conversion % 8) {
    case 0:
        agree("%d %u", number, size);
        break;
    case 1:
        agree("%x %o", size, size);
        break;
    case 2:
        agree("%08d %5u", number, size);
        break;
    case 3:
        agree("%lld %llu", (long long)input->number, (unsigned long long)input->number);
        break;
    case 4:
        agree("%zd %zu", (ssize_t)input->number, (size_t)input->number);
        break;
    case 5:
        agree("%06llu %02ld", (unsigned long long)input->number, (long)input->number);
        break;
    case 6:
        agree("%#x", size | 1); /* for 0 libc leaves the 0x out */
        break;
    default:
        agree("%20ld|%lx", (long)input->number, (unsigned long)input->number);
    }
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    struct input input;
    if (size < sizeof input)
        return;
    memcpy(&input, bytes, sizeof input);
    room = (size_t)input.room + 1;
    const char *string = fuzz_string(bytes + sizeof input, size - sizeof input);
    if ((input.conversion & 0x80) != 0)
        agree_on_string(&input, string);
    else
        agree_on_number(&input);
}
