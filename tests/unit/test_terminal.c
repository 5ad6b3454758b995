/* SPDX-License-Identifier: MIT */
/* The terminal, on a pseudo terminal in a session of its own. */
/* wrap: ioctl tcdrain tcflush */
#include "erlinit/child.h"
#include "erlinit/terminal.h"
#include "log_spy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);
int __wrap_tcdrain(int fd);
int __wrap_tcflush(int fd, int queue);

static int terminal, session_leader_end;
static int left; /* bytes that wait to get out: a pseudo terminal has none */
static bool takes_nothing;
static int discarded;

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
    if (request != TIOCOUTQ)
        return __real_ioctl(fd, request, argument);
    *(int *)argument = left;
    return 0;
}

/* Who is in the background must ignore SIGTTOU for both: termios(3). */
static bool may(void)
{
    struct sigaction action;
    return sigaction(SIGTTOU, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int __wrap_tcdrain(int fd)
{
    errno = EIO;
    if (fd != STDIN_FILENO || !may())
        return -1;
    while (takes_nothing)
        (void)pause();
    return 0;
}

int __wrap_tcflush(int fd, int queue)
{
    discarded += fd == STDIN_FILENO && queue == TCOFLUSH && may() ? 1 : 100;
    return 0;
}

static int in_a_session(int (*function)(void))
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(openpty(&session_leader_end, &terminal, NULL, NULL, NULL), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setsid();
        (void)ioctl(terminal, TIOCSCTTY, 0);
        (void)dup2(terminal, STDIN_FILENO);
        _exit(function());
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(terminal);
    (void)close(session_leader_end);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/* In a group of its own, which is in the background: asks for the foreground. */
static int ask(void *argument)
{
    (void)argument;
    (void)setpgid(0, 0);
    if (tcgetpgrp(STDIN_FILENO) == getpgrp())
        return 1;
    terminal_foreground(getpid());
    if (tcgetpgrp(STDIN_FILENO) != getpid())
        return 2;
    terminal_sane();
    sigset_t blocked;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    return sigismember(&blocked, SIGTTOU) ? 3 : 0;
}

static int take_the_foreground(void)
{
    int result = child_call(ask, NULL, 60000);
    if (result < 0)
        return -result;
    /* and back, from the background */
    terminal_foreground(getpgrp());
    return tcgetpgrp(STDIN_FILENO) == getpgrp() ? 0 : 10;
}

static void comes_to_the_foreground_from_the_background(void **state)
{
    (void)state;
    assert_int_equal(in_a_session(take_the_foreground), 0);
}

static int become_sane(void)
{
    struct termios state;
    if (tcgetattr(STDIN_FILENO, &state) < 0)
        return 1;
    state.c_iflag = IGNCR | ISTRIP;
    state.c_oflag = 0;
    state.c_lflag = NOFLSH;
    for (int i = 0; i < NCCS; i++)
        state.c_cc[i] = 'x';
    (void)cfsetspeed(&state, B9600);
    state.c_cflag |= CSTOPB;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &state) < 0)
        return 2;
    terminal_sane();
    if (tcgetattr(STDIN_FILENO, &state) < 0)
        return 3;
    if (state.c_iflag != (BRKINT | ICRNL | IMAXBEL | IXON) || state.c_oflag != (OPOST | ONLCR))
        return 4;
    if ((state.c_lflag & (ISIG | ICANON | IEXTEN | ECHO | ECHOE)) !=
            (ISIG | ICANON | IEXTEN | ECHO | ECHOE) ||
        (state.c_lflag & NOFLSH) != 0)
        return 5;
    if (state.c_cc[VINTR] != 3 || state.c_cc[VEOF] != 4 || state.c_cc[VSUSP] != 26 ||
        state.c_cc[VQUIT] != 28 || state.c_cc[VERASE] != 127 || state.c_cc[VKILL] != 21 ||
        state.c_cc[VMIN] != 1 || state.c_cc[VTIME] != 0)
        return 6;
    return cfgetospeed(&state) == B9600 && (state.c_cflag & CSTOPB) != 0 ? 0 : 7;
}

static void becomes_sane_at_the_same_speed(void **state)
{
    (void)state;
    assert_int_equal(in_a_session(become_sane), 0);
}

/* a group that nobody is in (tcsetpgrp(3): EPERM) */
static int to_nobody(void)
{
    log_spy_reset();
    terminal_foreground(999999);
    return log_spy_count(LOG_WARNING) == 1 ? 0 : 1;
}

static void says_that_the_foreground_stays(void **state)
{
    (void)state;
    assert_int_equal(in_a_session(to_nobody), 0);
}

static void lets_words_out(void **state)
{
    (void)state;
    struct sigaction before;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)sigaction(SIGTTOU, NULL, &before);
    discarded = 0;
    takes_nothing = true;
    left = 0;
    terminal_let_out(60000);
    assert_int_equal(discarded, 0);
    left = 5;
    terminal_let_out(20);
    assert_int_equal(discarded, 1);
    takes_nothing = false;
    terminal_let_out(60000);
    assert_int_equal(discarded, 1);
    (void)sigaction(SIGTTOU, &before, NULL);
}

static int without_terminal(void)
{
    (void)close(STDIN_FILENO);
    terminal_foreground(getpgrp());
    terminal_sane();
    int fd = open("/dev/null", O_RDONLY);
    terminal_foreground(getpgrp());
    terminal_sane();
    return fd;
}

static void does_nothing_without_one(void **state)
{
    (void)state;
    assert_int_equal(in_a_session(without_terminal), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_to_the_foreground_from_the_background),
        cmocka_unit_test(becomes_sane_at_the_same_speed),
        cmocka_unit_test(says_that_the_foreground_stays),
        cmocka_unit_test(lets_words_out),
        cmocka_unit_test(does_nothing_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
