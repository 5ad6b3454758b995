/* SPDX-License-Identifier: MIT */
/*
 * The console on made-up machines: each case runs in a process with a root of its own, in which
 * pseudo terminals play the consoles. Needs root.
 */
#include "erlinit/boot.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];
static int controller[2];
static char terminal[2][32]; /* names without /dev/ */

static void fill(const char *path, const char *content)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s%s", root, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
}

static void run(const char *command)
{
    char line[512];
    (void)snprintf(line, sizeof line, "cd '%s' && %s", root, command);
    assert_int_equal(system(line), 0);
}

static void set_active(const char *before, const char *first, const char *second)
{
    char line[128];
    (void)snprintf(line, sizeof line, "%s%s %s\n", before, first, second);
    fill("/sys/class/tty/console/active", line);
}

static int setup(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    (void)strcpy(root, "/tmp/test_console.XXXXXX");
    assert_non_null(mkdtemp(root));
    run("mkdir -p dev/pts proc sys/class/tty/console sys/class/tty/tty0");
    for (int i = 0; i < 2; i++) {
        controller[i] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(controller[i] >= 0);
        assert_int_equal(unlockpt(controller[i]), 0);
        (void)snprintf(terminal[i], sizeof terminal[i], "%s", ptsname(controller[i]) + 5);
    }
    log_spy_reset();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    (void)close(controller[0]);
    (void)close(controller[1]);
    run("rm -rf \"$PWD\"");
    return 0;
}

static void enter_root(void)
{
    char full[128];

    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 || sethostname("board-7", 7) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        _exit(100);
    (void)snprintf(full, sizeof full, "%s/dev/pts", root);
    if (mount("/dev/pts", full, NULL, MS_BIND, NULL) < 0)
        _exit(101);
    (void)snprintf(full, sizeof full, "%s/proc", root);
    if (mount("/proc", full, NULL, MS_BIND, NULL) < 0)
        _exit(102);
    if (chroot(root) < 0 || chdir("/") < 0)
        _exit(103);
}

/* Returns what `check` does, in a process that boot_console() was run in. */
static int in_machine(const struct options *options,
                      int (*check)(struct boot *boot, enum step_result result))
{
    int status;

    if (geteuid() != 0)
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        struct boot boot = {.options = options};
        enter_root();
        for (int fd = 0; fd < 3; fd++)
            (void)close(fd);
        _exit(check(&boot, boot_console(&boot)));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* 0 if fds 0-2 are terminal number `which`, it controls this session, and nothing else is open. */
static int check_terminal(int which)
{
    struct stat wanted, found;
    char path[64];

    (void)snprintf(path, sizeof path, "/dev/%s", terminal[which]);
    if (stat(path, &wanted) < 0)
        return 1;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &found) < 0 || found.st_rdev != wanted.st_rdev ||
            (fcntl(fd, F_GETFL) & O_NONBLOCK) || (fcntl(fd, F_GETFD) & FD_CLOEXEC))
            return 2 + fd;
    pid_t session = 0;
    if (getsid(0) != getpid() || ioctl(0, TIOCGSID, &session) < 0 || session != getpid())
        return 6;
    if (fcntl(3, F_GETFD) >= 0 && !(fcntl(3, F_GETFD) & FD_CLOEXEC))
        return 7;
    return 0;
}

static int is_first(struct boot *boot, enum step_result result)
{
    (void)boot;
    return result != STEP_DONE ? 20 : log_spy_count(LOG_WARNING) ? 21 : check_terminal(0);
}

static int is_second(struct boot *boot, enum step_result result)
{
    (void)boot;
    return result != STEP_DONE ? 20 : log_spy_count(LOG_WARNING) ? 21 : check_terminal(1);
}

static int is_first_with_warning(struct boot *boot, enum step_result result)
{
    (void)boot;
    (void)result;
    return log_spy_count(LOG_WARNING) != 1 ? 21 : check_terminal(0);
}

static int is_second_with_warning(struct boot *boot, enum step_result result)
{
    (void)boot;
    (void)result;
    return log_spy_count(LOG_WARNING) != 1 ? 21 : check_terminal(1);
}

static void takes_the_first_active_console(void **state)
{
    const struct options options = {.verbose = false};

    (void)state;
    set_active("", terminal[0], terminal[1]);
    assert_int_equal(in_machine(&options, is_first), 0);
}

static void takes_the_next_if_one_does_not_open(void **state)
{
    const struct options options = {.verbose = false};

    (void)state;
    set_active("ttyNONE no/such ", terminal[1], terminal[0]);
    assert_int_equal(in_machine(&options, is_second), 0);
}

static void takes_the_configured_one(void **state)
{
    struct options options = {.ctty = {.text = terminal[1]}};
    char full[40];

    (void)state;
    set_active("", terminal[0], terminal[1]);
    assert_int_equal(in_machine(&options, is_second), 0);
    (void)snprintf(full, sizeof full, "/dev/%s", terminal[1]);
    options.ctty.text = full;
    assert_int_equal(in_machine(&options, is_second), 0);
}

static void falls_back_with_a_warning(void **state)
{
    static const char *const wrong[] = {"ttyNONE",
                                        "tty0",
                                        "",
                                        "pts",
                                        "/dev/",
                                        "../etc/passwd",
                                        "a-name-that-is-longer-than-any-terminal-could-ever-be-"
                                        "called-by-anybody-at-all"};

    (void)state;
    set_active("", terminal[0], "");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct options options = {.ctty = {.text = wrong[i]}};
        assert_int_equal(in_machine(&options, is_first_with_warning), 0);
    }
}

static void knows_what_tty0_shows(void **state)
{
    const struct options options = {.verbose = false}, tty0 = {.ctty = {.text = "tty0"}};

    (void)state;
    set_active("", "tty0", "");
    fill("/sys/class/tty/tty0/active", terminal[1]);
    assert_int_equal(in_machine(&options, is_second), 0);
    assert_int_equal(in_machine(&tty0, is_second_with_warning), 0);
}

static int is_raw_at_57600(struct boot *boot, enum step_result result)
{
    struct termios2 settings;

    (void)boot;
    if (result != STEP_DONE || ioctl(0, TCGETS2, &settings) < 0)
        return 30;
    if (settings.c_ospeed != 57600 || (settings.c_lflag & ICANON))
        return 31;
    return check_terminal(0);
}

static int is_raw_at_115200_with_warning(struct boot *boot, enum step_result result)
{
    struct termios2 settings;

    (void)boot;
    (void)result;
    if (ioctl(0, TCGETS2, &settings) < 0 || settings.c_ospeed != 115200)
        return 31;
    return log_spy_count(LOG_WARNING) != 1 ? 21 : check_terminal(0);
}

static void sets_the_format(void **state)
{
    struct options options = {.tty_options = {.text = "57600n8"}};

    (void)state;
    set_active("", terminal[0], "");
    assert_int_equal(in_machine(&options, is_raw_at_57600), 0);
    options.tty_options.text = "fast";
    assert_int_equal(in_machine(&options, is_raw_at_115200_with_warning), 0);
}

static int is_null(struct boot *boot, enum step_result result)
{
    struct stat found;

    (void)boot;
    if (result == STEP_WARNED || log_spy_count(LOG_WARNING))
        return 20;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &found) < 0 || found.st_rdev != makedev(1, 3))
            return 2 + fd;
    return 0;
}

static void has_null_without_a_console(void **state)
{
    const struct options options = {.verbose = false};

    (void)state;
    assert_int_equal(in_machine(&options, is_null), 0); /* not even the list */
    fill("/sys/class/tty/console/active", "\n");
    assert_int_equal(in_machine(&options, is_null), 0);
}

static int warn_others(struct boot *boot, enum step_result result)
{
    (void)result;
    console_note_others(boot->options, NULL);
    while (wait(NULL) > 0)
        continue;
    return check_terminal(0);
}

static size_t read_shown(int which, char *text, size_t size)
{
    (void)fcntl(controller[which], F_SETFL, O_NONBLOCK);
    ssize_t length = read(controller[which], text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    return strlen(text);
}

static void notes_on_the_others(void **state)
{
    const struct options options = {.warn_unused_tty = true}, without = {.verbose = false};
    char text[1024], move[64];

    (void)state;
    set_active("", terminal[0], terminal[1]);
    /* Held open: what is written to a terminal that nobody has open any more may be lost. */
    (void)snprintf(move, sizeof move, "/dev/%s", terminal[1]);
    int held = open(move, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(in_machine(&without, warn_others), 0);
    assert_int_equal(read_shown(1, text, sizeof text), 0);
    assert_int_equal(in_machine(&options, warn_others), 0);
    assert_true(read_shown(1, text, sizeof text) > 0);
    (void)snprintf(move, sizeof move, "-c %s", terminal[1]);
    assert_non_null(strstr(text, terminal[0]));
    assert_non_null(strstr(text, move));
    assert_non_null(strstr(text, "board-7"));
    assert_int_equal(read_shown(0, text, sizeof text), 0);
    (void)close(held);
}

static void is_not_held_up_by_a_full_terminal(void **state)
{
    static const char block[1024];
    const struct options options = {.warn_unused_tty = true};
    char path[64];

    (void)state;
    set_active("", terminal[0], terminal[1]);
    (void)snprintf(path, sizeof path, "/dev/%s", terminal[1]);
    int held = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    while (write(held, block, sizeof block) > 0)
        ;
    (void)alarm(20);
    assert_int_equal(in_machine(&options, warn_others), 0);
    (void)alarm(0);
    (void)close(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_first_active_console, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_the_next_if_one_does_not_open, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_the_configured_one, setup, teardown),
        cmocka_unit_test_setup_teardown(falls_back_with_a_warning, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_what_tty0_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(sets_the_format, setup, teardown),
        cmocka_unit_test_setup_teardown(has_null_without_a_console, setup, teardown),
        cmocka_unit_test_setup_teardown(notes_on_the_others, setup, teardown),
        cmocka_unit_test_setup_teardown(is_not_held_up_by_a_full_terminal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
