/* SPDX-License-Identifier: MIT */
/* What the next boot is told: who, why, how. */
/* wrap: file_read_line record_put clock_gettime time_ms */
#include "erlinit/boot.h"
#include "erlinit/files.h"
#include "erlinit/records.h"
#include "erlinit/shutdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size);
void __wrap_record_put(const char *path, const char *name, const struct text *text);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int64_t __wrap_time_ms(void);

static struct options options;
static struct machine machine;
static struct shutdown self;
static char record[RECORD_BYTES];

ssize_t __wrap_file_read_line(const char *path, char *buffer, size_t size)
{
    (void)path;
    return snprintf(buffer, size, "id");
}

void __wrap_record_put(const char *path, const char *name, const struct text *text)
{
    assert_string_equal(path, "/state/erlinit");
    assert_string_equal(name, "last-end.json");
    assert_false(text->cut);
    memcpy(record, text->at, text->length + 1);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    *now = (struct timespec){.tv_sec = 1700000000};
    return 0;
}

int64_t __wrap_time_ms(void)
{
    return 9000;
}

/* An end that was asked for, in order. */
static int setup(void **state)
{
    (void)state;
    options = (struct options){.state_directory = {.text = "/state"}};
    machine = (struct machine){
        .vm_pid = 200,
        .shutdown_begun = 3,
        .life = {.requested = true,
                 .stopped = true,
                 .vm_gone = true,
                 .action = ACTION_POWEROFF,
                 .requested_at_ms = 5000,
                 .ended_at_ms = 6500},
        .requester = {.signal = SIGUSR2, .pid = 77, .uid = 1000, .name = "po\"w\xff"}};
    machine.steps[MACHINE_LAUNCH] = (struct step_time){.ran = 1};
    self = (struct shutdown){.options = &options, .machine = &machine};
    self.steps[0] = (struct step_time){.start_us = 6500123, .duration_us = 9, .ran = 1};
    self.steps[1] = (struct step_time){.start_us = 6500140, .duration_us = 8, .ran = 1};
    self.steps[2] = (struct step_time){.start_us = 1, .duration_us = 1, .ran = 1};
    return 0;
}

static void check(const char *part)
{
    shutdown_record_end(&self);
    if (strstr(record, part) == NULL)
        fail_msg("no %s in %s", part, record);
}

static void tells_all(void **state)
{
    (void)state;
    memcpy(self.reboot_argument, "0 tryboot", sizeof "0 tryboot");
    shutdown_record_end(&self);
    assert_string_equal(
        record,
        "{\"schema\":1,\"erlinit\":\"" ERLINIT_VERSION
        "\",\"boot_id\":\"id\",\"recorded\":true,\"time\":\"2023-11-14T22:13:20.000000+00:00\","
        "\"action\":\"power off\",\"intentional\":true,\"graceful\":true,\"vm_started\":true,"
        "\"vm_status\":0,\"vm_signal\":0,\"crashes\":0,\"signal\":12,\"pid\":77,\"uid\":1000,"
        "\"requested_ms\":5000,\"shutdown_ms\":6500,\"uptime_ms\":9000,"
        "\"command\":\"po\\\"w\\ufffd\",\"fatal\":null,\"argument\":\"0 tryboot\",\"steps\":[\n"
        "{\"name\":\"run-on-exit\",\"start_us\":6500123,\"duration_us\":9,\"result\":\"done\"},\n"
        "{\"name\":\"quiet\",\"start_us\":6500140,\"duration_us\":8,\"result\":\"done\"}]}\n");
}

static void knows_how_the_vm_ended(void **state)
{
    (void)state;
    machine.vm_status = 17 << 8;
    check("\"vm_status\":17,\"vm_signal\":0,");
    machine.vm_status = SIGKILL;
    check("\"graceful\":false,\"vm_started\":true,\"vm_status\":0,\"vm_signal\":9,");
    machine.vm_status = 0;
    machine.life.vm_gone = machine.life.stopped = false;
    check("\"graceful\":false,\"vm_started\":true,\"vm_status\":-1,\"vm_signal\":0,");
}

static void names_what_was_fatal(void **state)
{
    (void)state;
    machine.life.fatal = true;
    machine.life.requested = false;
    check("\"intentional\":false,");
    check("\"fatal\":\"PID 1\"");
    machine.steps[8].result = STEP_FATAL;
    TEXT_ON_STACK(named, 64);
    text_format(&named, "\"fatal\":\"%s\"", boot_step_name(8));
    check(named.at);
    machine.steps[8].result = STEP_DONE;
    machine.steps[MACHINE_LAUNCH].result = STEP_FATAL;
    check("\"fatal\":\"launch\"");
    check("\"vm_started\":false,");
    machine.steps[MACHINE_LAUNCH] = (struct step_time){0};
    check("\"vm_started\":false,");
}

/* After a crash of PID 1 in the second step, only what came after it is known. */
static void tells_of_no_step_that_it_does_not_know(void **state)
{
    (void)state;
    machine.crashes = 1;
    self.steps[0].ran = self.steps[1].ran = 0;
    check("\"crashes\":1,");
    check("\"steps\":[]}\n");
}

static void has_room_for_everything(void **state)
{
    (void)state;
    memset(self.reboot_argument, 1, sizeof self.reboot_argument - 1);
    memset(machine.requester.name, 0xff, sizeof machine.requester.name - 1);
    machine.life.requested_at_ms = machine.life.ended_at_ms = INT64_MIN;
    machine.shutdown_begun = SHUTDOWN_MAX_STEPS;
    for (size_t i = 0; shutdown_steps[i].run != NULL; i++) {
        self.steps[i] = (struct step_time){
            .start_us = UINT64_MAX, .duration_us = UINT32_MAX, .result = STEP_WARNED, .ran = 1};
        machine.shutdown_begun = (uint32_t)i + 2;
    }
    check("{\"name\":\"pause\",");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_all, setup),
        cmocka_unit_test_setup(knows_how_the_vm_ended, setup),
        cmocka_unit_test_setup(names_what_was_fatal, setup),
        cmocka_unit_test_setup(tells_of_no_step_that_it_does_not_know, setup),
        cmocka_unit_test_setup(has_room_for_everything, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
