/* SPDX-License-Identifier: MIT */
#include "../../src/desk/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a writer wrote; to be freed. */
static char *written(const struct node *root, bool json, bool coloured)
{
    char *content = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&content, &size);
    assert_non_null(to);
    if (json)
        document_write_json(root, to);
    else
        document_write_text(root, 2, coloured, to);
    assert_int_equal(fclose(to), 0);
    return content;
}

static void assert_written(const struct node *root, bool json, bool coloured, const char *expected)
{
    char *content = written(root, json, coloured);
    assert_string_equal(content, expected);
    free(content);
}

static struct node *every_kind(void)
{
    struct node *root = node_object(NULL, NULL);
    node_text(root, "two_words", "a \"text\"\n");
    node_text(root, "empty", "");
    node_text(root, "nothing", NULL);
    node_number(root, "count", -3);
    node_number(root, "wait_ms", 40);
    node_truth(root, "yes", true);
    node_truth(root, "no", false);
    (void)node_list(root, "empty_list");
    (void)node_object(root, "empty_object");
    struct node *list = node_list(root, "list");
    node_text(list, NULL, "first");
    struct node *item = node_object(list, NULL);
    node_number(item, "inside", 1);
    item->line = "one line";
    node_number(node_object(root, "object"), "member", 2);
    node_hide(node_text(root, "hidden", "from people"));
    return root;
}

static void test_json(void **state)
{
    (void)state;
    assert_written(every_kind(), true, false,
                   "{\"two_words\":\"a \\\"text\\\"\\u000a\",\"empty\":\"\",\"nothing\":null,"
                   "\"count\":-3,\"wait_ms\":40,\"yes\":true,\"no\":false,\"empty_list\":[],"
                   "\"empty_object\":{},\"list\":[\"first\",\n{\"inside\":1}],"
                   "\"object\":{\"member\":2},\"hidden\":\"from people\"}\n");
}

static void test_text(void **state)
{
    (void)state;
    assert_written(every_kind(), false, false,
                   "  two words           a \"text\"\\x0a\n"
                   "  empty               \"\"\n"
                   "  count               -3\n"
                   "  wait                40 ms\n"
                   "  yes                 yes\n"
                   "  no                  no\n"
                   "  list                first\n"
                   "                      one line\n"
                   "  object\n"
                   "    member              2\n");
}

static void test_long_names_keep_a_distance(void **state)
{
    (void)state;
    struct node *root = node_object(NULL, NULL);
    node_text(root, "a_name_of_more_than_20", "value");
    assert_written(root, false, false, "  a name of more than 20  value\n");
}

static void test_colours_end_with_their_value(void **state)
{
    (void)state;
    struct node *root = node_object(NULL, NULL);
    node_text(root, "a", "plain");
    node_text(root, "b", "bad")->look = LOOK_ERROR;
    assert_written(root, false, true,
                   "  a                   plain\n  b                   \033[1;31mbad\033[0m\n");
    assert_written(root, false, false, "  a                   plain\n  b                   bad\n");
}

/* More than the first buffer, and bytes that each need six. */
static void test_a_large_document_is_whole(void **state)
{
    (void)state;
    const size_t length = 200000;
    char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    memset(bytes, 1, length);
    bytes[length] = '\0';
    struct node *root = node_object(NULL, NULL);
    node_text(root, "a", bytes);
    char *content = written(root, true, false);
    assert_int_equal(strlen(content), strlen("{\"a\":\"\"}\n") + 6 * length);
    assert_string_equal(content + strlen(content) - 9, "\\u0001\"}\n");
    free(content);
    content = written(root, false, false);
    assert_int_equal(strlen(content), strlen("  a                   \n") + 4 * length);
    free(content);
    free(bytes);
}

static void test_no_memory_is_the_end(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(STDERR_FILENO);
        (void)node_memory(NULL);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_long_names_keep_a_distance),
        cmocka_unit_test(test_colours_end_with_their_value),
        cmocka_unit_test(test_a_large_document_is_whole),
        cmocka_unit_test(test_no_memory_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
