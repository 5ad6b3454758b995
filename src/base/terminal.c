/* SPDX-License-Identifier: MIT */
#include "erlinit/terminal.h"

#include "erlinit/child.h"
#include "erlinit/log.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

void terminal_foreground(pid_t group)
{
    sigset_t stop;
    sigset_t before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    /* tcsetpgrp(3): a background process that asks gets SIGTTOU, unless it is blocked */
    sigprocmask(SIG_BLOCK, &stop, &before);
    if (tcsetpgrp(STDIN_FILENO, group) < 0 && errno != ENOTTY && errno != EBADF)
        log_warning("The terminal can't be given to process group %d: %m. Its keys go elsewhere",
                    (int)group);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void terminal_sane(void)
{
    struct termios state;
    if (tcgetattr(STDIN_FILENO, &state) < 0)
        return;
    state.c_iflag = BRKINT | ICRNL | IMAXBEL | IXON;
    state.c_oflag = OPOST | ONLCR;
    state.c_cflag |= CREAD;
    state.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    state.c_cc[VINTR] = 3;
    state.c_cc[VQUIT] = 28;
    state.c_cc[VERASE] = 127;
    state.c_cc[VKILL] = 21;
    state.c_cc[VEOF] = 4;
    state.c_cc[VSUSP] = 26;
    state.c_cc[VMIN] = 1;
    state.c_cc[VTIME] = 0;
    sigset_t stop;
    sigset_t before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stop, &before);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &state);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static int drain(void *argument)
{
    (void)argument;
    return tcdrain(STDIN_FILENO) < 0 ? errno : 0;
}

void terminal_let_out(int64_t limit_ms)
{
    int left = 0;
    if (ioctl(STDIN_FILENO, TIOCOUTQ, &left) < 0 || left == 0)
        return;
    /* in the background, where we are, one may neither wait nor discard: termios(3), tcdrain */
    (void)signal(SIGTTOU, SIG_IGN);
    if (child_call(drain, NULL, limit_ms) < 0)
        (void)tcflush(STDIN_FILENO, TCOFLUSH);
}
