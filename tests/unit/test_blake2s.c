/* SPDX-License-Identifier: MIT */
/* The vector of RFC 7693, appendix B, and lengths around the block size (values: Python's hashlib).
 */
#include "../../src/storage/blake2s.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct {
    size_t length;
    const char *hash;
} known[] = {
    {0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"},
    {1, "e34d74dbaf4ff4c6abd871cc220451d2ea2648846c7757fbaac82fe51ad64bea"},
    {63, "e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3"},
    {64, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e"},
    {65, "1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472"},
    {127, "f18417b39d617ab1c18fdf91ebd0fc6d5516bb34cf39364037bce81fa04cecb1"},
    {128, "1fa877de67259d19863a2a34bcc6962a2b25fcbf5cbecd7ede8f1fa36688a796"},
    {129, "5bd169e67c82c2c2e98ef7008bdf261f2ddf30b1c00f9e7f275bb3e8a28dc9a2"},
    {1000, "1c067a5e746fb0f6734efac9a8cdb0e11061f0077f255184365c690115392501"},
};

static void to_hex(const uint8_t *bytes, char *hex)
{
    for (size_t i = 0; i < BLAKE2S_HASH_BYTES; i++)
        (void)sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void hash_in_parts(const uint8_t *bytes, size_t length, size_t part, char *hex)
{
    struct blake2s hash;
    uint8_t result[BLAKE2S_HASH_BYTES];

    blake2s_start(&hash);
    for (size_t at = 0; at < length; at += part)
        blake2s_add(&hash, bytes + at, length - at < part ? length - at : part);
    blake2s_end(&hash, result);
    to_hex(result, hex);
}

static void hashes_abc_as_the_rfc(void **state)
{
    char hex[2 * BLAKE2S_HASH_BYTES + 1];

    (void)state;
    hash_in_parts((const uint8_t *)"abc", 3, 3, hex);
    assert_string_equal(hex, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

static void hashes_any_length_in_any_parts(void **state)
{
    static const size_t parts[] = {1, 7, 64, 65, 1000};
    uint8_t bytes[1000];
    char hex[2 * BLAKE2S_HASH_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
            hash_in_parts(bytes, known[i].length, parts[p], hex);
            assert_string_equal(hex, known[i].hash);
        }
    }
}

static void leaves_nothing_behind(void **state)
{
    static const struct blake2s empty;
    struct blake2s hash;
    uint8_t result[BLAKE2S_HASH_BYTES];

    (void)state;
    blake2s_start(&hash);
    blake2s_add(&hash, "secret", 6);
    blake2s_end(&hash, result);
    assert_memory_equal(&hash, &empty, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_abc_as_the_rfc),
        cmocka_unit_test(hashes_any_length_in_any_parts),
        cmocka_unit_test(leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
