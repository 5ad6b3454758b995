/* SPDX-License-Identifier: MIT */
/* What erlinit writes down: boot.json with its summary, and how the last run ended. */
/* wrap: file_read_line state_directory_open directory_list unlinkat fsync */
#include "erlinit/boot.h"
#include "erlinit/files.h"
#include "erlinit/records.h"
#include "erlinit/state.h"
#include "log_spy.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);
int __wrap_state_directory_open(const char *path, mode_t mode);
int __wrap_directory_list(const char *path, bool (*wanted)(int directory, const char *name),
                          struct strings *names);
int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static int run_error, state_error, unlink_error, sync_error, syncs;
static struct options options;
static struct machine machine;

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    assert_string_equal(path, "/proc/sys/kernel/random/boot_id");
    return snprintf(buffer, size, "id");
}

/* /run/erlinit and /state/erlinit are directories of the test. */
int __wrap_state_directory_open(const char *path, mode_t mode)
{
    bool run = strcmp(path, "/run/erlinit") == 0;
    assert_int_equal(mode, 0755);
    if (!run)
        assert_string_equal(path, "/state/erlinit");
    int error = run ? run_error : state_error;
    return error != 0 ? -error
                      : open(scratch_path(run ? "/run" : "/state"), O_RDONLY | O_DIRECTORY);
}

int __wrap_directory_list(const char *path, bool (*wanted)(int directory, const char *name),
                          struct strings *names)
{
    assert_string_equal(path, "/sys/fs/pstore");
    assert_null(wanted);
    static const char *const found[] = {"dmesg-ramoops-0", "a\"b"};
    assert_int_equal(strings_add(names, found[0]) + strings_add(names, found[1]), 0);
    return 0;
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
    errno = unlink_error;
    if (unlink_error != 0 && strcmp(name, RECORD_END) == 0)
        return -1;
    return __real_unlinkat(directory, name, flags);
}

int __wrap_fsync(int fd)
{
    syncs++;
    errno = sync_error;
    return sync_error != 0 && syncs == 1 ? -1 : __real_fsync(fd);
}

static int setup(void **state)
{
    log_spy_reset();
    run_error = state_error = unlink_error = sync_error = syncs = 0;
    options = (struct options){.state_directory = {.text = "/state"}};
    machine = (struct machine){.start_us = 1000, .crashes = 1};
    (void)scratch_make(state);
    scratch_directory("/run");
    scratch_directory("/state");
    return 0;
}

static const char *content(const char *path)
{
    static char bytes[RECORD_BYTES];
    FILE *file = fopen(scratch_path(path), "r");
    if (file == NULL)
        return "(none)";
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    (void)fclose(file);
    return bytes;
}

static void set(size_t index, uint64_t start_us, uint32_t duration_us, enum step_result result)
{
    machine.steps[index] = (struct step_time){
        .start_us = start_us, .duration_us = duration_us, .result = (uint8_t)result, .ran = 1};
}

/* The last step has not run: PID 1 has crashed in it. */
static size_t fill_steps(void)
{
    size_t count = 0;
    while (boot_step_name(count + 1) != NULL) {
        set(count, 2000 + count * 100, (uint32_t)(20 + count), STEP_DONE);
        count++;
    }
    set(2, 5000000000, 7, STEP_WARNED);
    set(3, 5000000100, 40, STEP_SKIPPED);
    set(MACHINE_LAUNCH, 5000001000, 0, STEP_DONE);
    return count;
}

static void writes_the_time_line(void **state)
{
    (void)state;
    size_t last = fill_steps();
    record_boot(&options, &machine);
    static char expected[RECORD_BYTES];
    struct text text = text_into(expected, sizeof expected);
    text_add(&text, "{\"schema\":1,\"erlinit\":\"" ERLINIT_VERSION
                    "\",\"boot_id\":\"id\",\"start_us\":1000,\"vm_start_us\":5000001000,"
                    "\"crashes\":1,\"steps\":[");
    for (size_t i = 0; i <= last; i++)
        text_format(&text,
                    "%s\n{\"name\":\"%s\",\"start_us\":%lu,\"duration_us\":%u,\"result\":\"%s\"}",
                    i == 0 ? "" : ",", boot_step_name(i), (unsigned long)machine.steps[i].start_us,
                    machine.steps[i].duration_us,
                    i == 2      ? "with warnings"
                    : i == 3    ? "nothing to do"
                    : i == last ? "not run"
                                : "done");
    text_add(&text, "]}\n");
    assert_string_equal(content("/run/boot.json"), expected);
    assert_int_equal(log_spy_count(LOG_NOTICE), 0);
}

static void sums_up(void **state)
{
    (void)state;
    size_t last = fill_steps();
    options.print_timing = true;
    record_boot(&options, &machine);
    TEXT_ON_STACK(text, 256);
    text_format(&text,
                "boot: 5000000000 us, 5000001000 us since the kernel's start; slowest: %s 40 us, "
                "%s %zu us, %s %zu us",
                boot_step_name(3), boot_step_name(last - 1), 20 + last - 1,
                boot_step_name(last - 2), 20 + last - 2);
    assert_string_equal(log_spy_last_any(), text.at);
    /* the boot child has died on its way */
    log_spy_reset();
    machine.steps[MACHINE_LAUNCH] = (struct step_time){0};
    record_boot(&options, &machine);
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
}

static void says_what_cannot_be_written(void **state)
{
    (void)state;
    run_error = EROFS;
    record_boot(&options, &machine);
    assert_string_equal(log_spy_last(), "Can't write /run/erlinit/boot.json: Read-only file "
                                        "system. The application has to do without");
    run_error = 0;
    TEXT_ON_STACK(text, 8);
    text_add(&text, "too long");
    record_put("/run/erlinit", "x", &text);
    assert_true(log_spy_contains("Can't write /run/erlinit/x: Message too long."));
    assert_string_equal(content("/run/x"), "(none)");
    assert_int_equal(log_spy_count(LOG_WARNING), 2);
}

#define KEPT "{\"boot_id\":\"old\"}\n"
#define NONE(reason)                                                                               \
    "{\"schema\":1,\"recorded\":false,\"reason\":\"" reason                                        \
    "\",\"pstore\":[\"dmesg-ramoops-0\",\"a\\\"b\"]}\n"

static const char *previous(void)
{
    record_previous(&options, &machine);
    return content("/run/previous.json");
}

static void tells_of_an_end_once(void **state)
{
    (void)state;
    scratch_file("/state/" RECORD_END, KEPT);
    assert_string_equal(previous(), KEPT);
    assert_string_equal(content("/state/" RECORD_END), "(none)");
    assert_true(syncs > 0);
    assert_string_equal(previous(), NONE("No such file or directory"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
}

static void believes_what_is_whole(void **state)
{
    (void)state;
    static char large[RECORD_BYTES + 1];
    memset(large, '{', RECORD_BYTES);
    const char *const damaged[] = {"", "\n", "{", "{\"a\":", "a}\n", large};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        scratch_file("/state/" RECORD_END, damaged[i]);
        assert_string_equal(previous(), NONE("Bad message"));
        assert_string_equal(content("/state/" RECORD_END), "(none)");
    }
    scratch_link("/etc/passwd", "/state/" RECORD_END);
    assert_string_equal(previous(), NONE("Too many levels of symbolic links"));
    assert_string_equal(content("/state/" RECORD_END), "(none)");
}

/* The next boot would be told of it again. */
static void believes_nothing_that_stays(void **state)
{
    (void)state;
    scratch_file("/state/" RECORD_END, KEPT);
    unlink_error = EIO;
    assert_string_equal(previous(), NONE("Input/output error"));
    unlink_error = 0;
    syncs = 0;
    sync_error = EROFS;
    assert_string_equal(previous(), NONE("Read-only file system"));
    assert_int_equal(log_spy_count(LOG_WARNING), 0);
    state_error = ENOENT;
    assert_string_equal(previous(), NONE("No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_the_time_line, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(sums_up, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(says_what_cannot_be_written, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(tells_of_an_end_once, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(believes_what_is_whole, setup, scratch_remove),
        cmocka_unit_test_setup_teardown(believes_nothing_that_stays, setup, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
