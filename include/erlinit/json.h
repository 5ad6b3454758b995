/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259) appended to a struct text. There is no state but the text itself: whether a comma
 * is due is seen by its last byte. What does not fit is cut: look at text->cut before using any of
 * it.
 *
 * `key` names the value in an object; NULL in a list, and for what is no part of anything. An
 * object in a list begins a line of its own, so that people can read it too.
 */
#ifndef ERLINIT_JSON_H
#define ERLINIT_JSON_H

#include "erlinit/text.h"

#include <stdbool.h>

/* `bracket` is '{' or '[', and its counterpart at the end. */
void json_open(struct text *text, const char *key, char bracket);
void json_close(struct text *text, char bracket);

/* Any bytes: control characters are escaped, and what is not UTF-8 becomes U+FFFD. NULL: null. */
void json_string(struct text *text, const char *key, const char *value);
void json_number(struct text *text, const char *key, long long value);
void json_bool(struct text *text, const char *key, bool value);

#endif
