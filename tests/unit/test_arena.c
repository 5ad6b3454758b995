/* SPDX-License-Identifier: MIT */
/* wrap: mmap */
#include "erlinit/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *__real_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);

static int maps;
static int maps_left = -1; /* -1: as many as you like */

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    maps++;
    if (maps_left == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    maps_left -= maps_left > 0 ? 1 : 0;
    return __real_mmap(at, length, protection, flags, fd, offset);
}

static int no_more(void **state)
{
    (void)state;
    /* whatever an earlier test left of a block is used up */
    maps_left = 0;
    while (arena_alloc(1) != NULL)
        continue;
    return 0;
}

static int as_much_as_you_like(void **state)
{
    (void)state;
    maps_left = -1;
    return 0;
}

static void gives_zeroed_aligned_memory_of_its_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3, 16, 17, 100, 4096, 65535, 65536, 65537, 1000000, 1};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    unsigned char *blocks[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = arena_alloc(sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], i + 1);
}

static void asks_the_kernel_seldom(void **state)
{
    (void)state;
    maps = 0;
    for (int i = 0; i < 4096; i++)
        assert_non_null(arena_alloc(16));
    assert_in_range(maps, 1, 2);
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    assert_null(arena_alloc(1));
    assert_null(arena_copy("abc", 3));
    assert_null(arena_string("abc"));
    assert_null(arena_format("%s", "abc"));
    struct strings list = {0};
    assert_int_equal(strings_add(&list, "a"), -ENOMEM);
    assert_int_equal(list.count, 0);
    assert_null(list.item);
}

static void refuses_sizes_that_wrap_around(void **state)
{
    (void)state;
    maps = 0;
    assert_null(arena_alloc(SIZE_MAX));
    assert_null(arena_alloc(SIZE_MAX - 15));
    assert_null(arena_copy("x", SIZE_MAX));
    assert_int_equal(maps, 0);
    /* nothing has that much: mmap(2) says so itself */
    assert_null(arena_alloc(SIZE_MAX / 2));
}

static void copies(void **state)
{
    (void)state;
    char source[] = "ab\0cd";
    char *copy = arena_copy(source, sizeof source - 1);
    assert_memory_equal(copy, "ab\0cd", sizeof source);
    assert_string_equal(arena_copy("abc", 2), "ab");
    assert_string_equal(arena_copy(NULL, 0), "");
    char *string = arena_string(source);
    source[0] = 'X';
    assert_string_equal(string, "ab");
}

static void formats_what_is_long(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 510, 511, 512, 4095, 4096, 100000, 4 * 1024 * 1024 - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *source = malloc(lengths[i] + 1);
        assert_non_null(source);
        memset(source, 'x', lengths[i]);
        source[lengths[i]] = '\0';
        char *result = arena_format("%s", source);
        assert_non_null(result);
        assert_int_equal(strlen(result), lengths[i]);
        result = arena_format("<%s|%d>", source, 42);
        if (lengths[i] < 1000000) {
            assert_int_equal(strlen(result), lengths[i] + 5);
            assert_string_equal(result + strlen(result) - 4, "|42>");
        } else {
            assert_null(result);
        }
        free(source);
    }
}

static void formats_nothing_without_memory_for_the_long(void **state)
{
    (void)state;
    char source[6000];
    memset(source, 'x', sizeof source - 1);
    source[sizeof source - 1] = '\0';
    assert_null(arena_format("%s", source));
    maps_left = 1; /* for the first try, which is too small */
    assert_null(arena_format("%s%s%s%s%s%s%s%s%s%s%s%s", source, source, source, source, source,
                             source, source, source, source, source, source, source));
}

static void lists_grow(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    char names[COUNT][8];
    struct strings list = {0};
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu", i);
        assert_int_equal(strings_add(&list, names[i]), 0);
        assert_int_equal(list.count, i + 1);
        assert_null(list.item[i + 1]);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(list.item[i], names[i]);
}

static void a_list_that_cannot_grow_stays(void **state)
{
    (void)state;
    struct strings list = {0};
    while (list.count + 2 <= list.room || list.count < 40)
        assert_int_equal(strings_add(&list, "x"), 0);
    struct strings before = list;
    (void)no_more(state);
    assert_int_equal(strings_add(&list, "y"), -ENOMEM);
    assert_memory_equal(&list, &before, sizeof list);
    assert_null(list.item[list.count]);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sorts_like_the_c_library(void **state)
{
    (void)state;
    unsigned int seed = 4711;
    for (size_t count = 0; count < 70; count++) {
        char names[70][4];
        const char *expected[70];
        struct strings list = {0};
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < 3; j++) {
                seed = seed * 1103515245 + 12345;
                names[i][j] = "\0ab\xff"[seed >> 16 & 3];
            }
            names[i][3] = '\0';
            expected[i] = names[i];
            assert_int_equal(strings_add(&list, names[i]), 0);
        }
        strings_sort(&list);
        qsort(expected, count, sizeof expected[0], by_name);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(list.item[i], expected[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory_of_its_own),
        cmocka_unit_test(asks_the_kernel_seldom),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_memory, no_more, as_much_as_you_like),
        cmocka_unit_test(refuses_sizes_that_wrap_around),
        cmocka_unit_test(copies),
        cmocka_unit_test(formats_what_is_long),
        cmocka_unit_test_setup_teardown(formats_nothing_without_memory_for_the_long, no_more,
                                        as_much_as_you_like),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test_teardown(a_list_that_cannot_grow_stays, as_much_as_you_like),
        cmocka_unit_test(sorts_like_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
