/* SPDX-License-Identifier: MIT */
/* The format of the kernel's serial console options, and what a terminal makes of it. */
#include "../../src/boot/tty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct {
    const char *text;
    struct tty_format format;
} good[] = {
    {"115200", {115200, 'n', 8, false}},    {"115200n8", {115200, 'n', 8, false}},
    {"9600n", {9600, 'n', 8, false}},       {"1500000n8r", {1500000, 'n', 8, true}},
    {"9600o7", {9600, 'o', 7, false}},      {"74880e5", {74880, 'e', 5, false}},
    {"115200E6r", {115200, 'e', 6, true}},  {"115200N8", {115200, 'n', 8, false}},
    {"50n8", {50, 'n', 8, false}},          {"4294967295n8", {4294967295U, 'n', 8, false}},
    {"0115200n8", {115200, 'n', 8, false}},
};

static const char *const bad[] = {"",
                                  "n8",
                                  "0",
                                  "0n8",
                                  "115200x8",
                                  "115200n4",
                                  "115200n9",
                                  "115200n8x",
                                  "115200n8rr",
                                  "115200n8R",
                                  "115200 n8",
                                  "115200n8 ",
                                  " 115200",
                                  "-9600",
                                  "+9600",
                                  "4294967296",
                                  "99999999999999999999n8",
                                  "115200r",
                                  "115200nr",
                                  "115200n88"};

static void takes_the_whole_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct tty_format format = {0};
        assert_int_equal(tty_parse_format(good[i].text, &format), 0);
        assert_int_equal(format.baud, good[i].format.baud);
        assert_int_equal(format.parity, good[i].format.parity);
        assert_int_equal(format.bits, good[i].format.bits);
        assert_int_equal(format.rtscts, good[i].format.rtscts);
    }
}

static void refuses_all_else_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tty_format format = {.baud = 1, .parity = 'x', .bits = 2, .rtscts = true};
        if (tty_parse_format(bad[i], &format) != -EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(format.baud, 1);
        assert_int_equal(format.parity, 'x');
        assert_int_equal(format.bits, 2);
    }
}

static int open_pty(int *controller)
{
    *controller = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*controller >= 0);
    assert_int_equal(grantpt(*controller), 0);
    assert_int_equal(unlockpt(*controller), 0);
    int terminal = open(ptsname(*controller), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    return terminal;
}

static void sets_any_speed_raw_and_local(void **state)
{
    const struct tty_format format = {.baud = 74880, .parity = 'n', .bits = 8, .rtscts = true};
    struct termios2 settings;
    int controller;
    int terminal = open_pty(&controller);

    (void)state;
    assert_int_equal(tty_set_format(terminal, &format), 0);
    assert_int_equal(ioctl(terminal, TCGETS2, &settings), 0);
    assert_int_equal(settings.c_ospeed, 74880);
    assert_int_equal(settings.c_ispeed, 74880);
    assert_true(settings.c_cflag & CLOCAL);
    assert_true(settings.c_cflag & CREAD);
    assert_true(settings.c_cflag & CRTSCTS);
    assert_int_equal(settings.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(settings.c_iflag & (IXON | IXOFF | ICRNL), 0);
    assert_int_equal(settings.c_oflag & OPOST, 0);
    const struct tty_format plain = {.baud = 9600, .parity = 'n', .bits = 8};
    assert_int_equal(tty_set_format(terminal, &plain), 0);
    assert_int_equal(ioctl(terminal, TCGETS2, &settings), 0);
    assert_int_equal(settings.c_ospeed, 9600);
    assert_false(settings.c_cflag & CRTSCTS);
    (void)close(terminal);
    (void)close(controller);
}

static void ignores_the_carrier(void **state)
{
    struct termios2 settings;
    int controller;
    int terminal = open_pty(&controller);

    (void)state;
    assert_int_equal(ioctl(terminal, TCGETS2, &settings), 0);
    settings.c_cflag &= ~(tcflag_t)CLOCAL;
    assert_int_equal(ioctl(terminal, TCSETS2, &settings), 0);
    assert_int_equal(tty_ignore_carrier(terminal), 0);
    assert_int_equal(ioctl(terminal, TCGETS2, &settings), 0);
    assert_true(settings.c_cflag & CLOCAL);
    (void)close(terminal);
    (void)close(controller);
}

static void says_what_is_no_terminal(void **state)
{
    const struct tty_format format = {.baud = 9600, .parity = 'n', .bits = 8};
    int fd = open("/dev/null", O_RDWR);

    (void)state;
    assert_int_equal(tty_ignore_carrier(fd), -ENOTTY);
    assert_int_equal(tty_set_format(fd, &format), -ENOTTY);
    assert_int_equal(tty_ignore_carrier(-1), -EBADF);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_whole_format),
        cmocka_unit_test(refuses_all_else_and_changes_nothing),
        cmocka_unit_test(sets_any_speed_raw_and_local),
        cmocka_unit_test(ignores_the_carrier),
        cmocka_unit_test(says_what_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
