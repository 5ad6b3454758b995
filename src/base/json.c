/* SPDX-License-Identifier: MIT */
#include "erlinit/json.h"

#include <string.h>

static void add_escaped(struct text *text, const char *value)
{
    size_t left = strlen(value);
    text_add(text, "\"");
    while (left > 0) {
        size_t whole = text_utf8_length(value, left);
        unsigned char byte = (unsigned char)*value;
        if (whole == 0)
            text_add(text, "\\ufffd");
        else if (byte < 0x20 || byte == 0x7f)
            text_format(text, "\\u%04x", (unsigned int)byte);
        else if (byte == '"' || byte == '\\')
            text_format(text, "\\%c", byte);
        else
            text_add_bytes(text, value, whole);
        whole = whole == 0 ? 1 : whole;
        value += whole;
        left -= whole;
    }
    text_add(text, "\"");
}

/* What comes before a value: the comma, if another value stands there, and its key. */
static void begin(struct text *text, const char *key)
{
    if (text->length > 0 && strchr("{[\n", text->at[text->length - 1]) == NULL)
        text_add(text, ",");
    if (key == NULL)
        return;
    add_escaped(text, key);
    text_add(text, ":");
}

void json_open(struct text *text, const char *key, char bracket)
{
    begin(text, key);
    if (key == NULL && bracket == '{' && text->length > 0)
        text_add(text, "\n");
    text_add_bytes(text, &bracket, 1);
}

void json_close(struct text *text, char bracket)
{
    text_add_bytes(text, &bracket, 1);
}

void json_string(struct text *text, const char *key, const char *value)
{
    begin(text, key);
    if (value == NULL)
        text_add(text, "null");
    else
        add_escaped(text, value);
}

void json_number(struct text *text, const char *key, long long value)
{
    begin(text, key);
    text_format(text, "%lld", value);
}

void json_bool(struct text *text, const char *key, bool value)
{
    begin(text, key);
    text_add(text, value ? "true" : "false");
}
