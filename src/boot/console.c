/* SPDX-License-Identifier: MIT */
/* The terminal of the VM: PID 1's session, its controlling terminal, and descriptors 0 to 2. */
#include "tty.h"

#include "erlinit/boot.h"
#include "erlinit/child.h"
#include "erlinit/files.h"
#include "erlinit/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define NAME_BYTES   64
#define ACTIVE_BYTES 512 /* the kernel lists sixteen consoles at most */

static const char *without_dev(const char *name)
{
    return text_starts_with(name, "/dev/") ? name + strlen("/dev/") : name;
}

/* tty0 stands for whichever virtual terminal is shown, and can't control a session: its real name.
 */
static void add_real_name(struct text *name, const char *given)
{
    char shown[NAME_BYTES];

    if (text_equal(given, "tty0") &&
        file_read_line("/sys/class/tty/tty0/active", shown, sizeof shown) > 0)
        given = shown;
    text_add(name, given);
}

/*
 * Opens a terminal and makes it what we need of any: opening and writing don't wait for a carrier.
 * Without O_NONBLOCK the open itself could wait for one, and O_NOCTTY leaves the session alone.
 */
static int open_terminal(const char *name)
{
    TEXT_ON_STACK(path, NAME_BYTES + sizeof "/dev/");

    text_add(&path, "/dev/");
    add_real_name(&path, name);
    int fd = path.cut ? -1 : open(path.at, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return path.cut ? -ENAMETOOLONG : -errno;
    int result = tty_ignore_carrier(fd);
    if (result < 0) {
        (void)close(fd);
        return result;
    }
    return fd;
}

static char *next_word(char **at)
{
    char *start = *at;

    while (text_is_space(*start))
        start++;
    char *end = start;
    while (*end != '\0' && !text_is_space(*end))
        end++;
    *at = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return *start != '\0' ? start : NULL;
}

static void read_active(char *buffer, size_t size)
{
    /* the second is the official one, and a link to where the first has always been */
    if (file_read("/sys/devices/virtual/tty/console/active", buffer, size) < 0 &&
        file_read("/sys/class/tty/console/active", buffer, size) < 0)
        buffer[0] = '\0';
}

/* The first active console that opens. A descriptor or -errno; its name goes into `opened`. */
static int open_active(struct text *opened)
{
    char active[ACTIVE_BYTES];
    char *at = active;
    int result = -ENODEV;

    read_active(active, sizeof active);
    for (char *name = next_word(&at); name; name = next_word(&at)) {
        result = open_terminal(name);
        if (result >= 0) {
            text_add(opened, name);
            return result;
        }
        errno = -result;
        log_debug("console %s can't be opened: %m", name);
    }
    /* Without sysfs there is still the device of this name. */
    int fd = open_terminal("console");
    if (fd >= 0)
        text_add(opened, "console");
    return fd >= 0 ? fd : result;
}

static int open_wanted(const struct word *ctty)
{
    TEXT_ON_STACK(opened, NAME_BYTES);

    if (!ctty->text)
        return open_active(&opened);
    const char *name = without_dev(ctty->text);
    int result = text_equal(name, "tty0") ? -ENOTTY : open_terminal(name);
    if (result >= 0)
        return result;
    int fd = open_active(&opened);
    errno = -result;
    log_at(LOG_WARNING, &ctty->origin, "terminal %s can't be the VM's: %m; %s is used", ctty->text,
           fd >= 0 ? opened.at : "none");
    return fd;
}

/* Same as the kernel, should there be nothing at all in /dev. */
static int open_null(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)) == 0)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void apply_format(int fd, const struct word *word)
{
    static const struct tty_format usual = {.baud = 115200, .parity = 'n', .bits = 8};
    struct tty_format format = usual;

    if (!word->text)
        return;
    if (tty_parse_format(word->text, &format) < 0)
        log_at(LOG_WARNING, &word->origin,
               "'%s' is no format like 115200n8 for the terminal, 115200n8 is used", word->text);
    int result = tty_set_format(fd, &format);
    if (result == 0)
        return;
    errno = -result;
    log_at(LOG_WARNING, &word->origin, "the terminal can't be set to %s: %m; 115200n8 is tried",
           word->text);
    (void)tty_set_format(fd, &usual);
}

static void take_control(int fd, const struct options *options)
{
    apply_format(fd, &options->tty_options);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    /* 1: also from a session that an initramfs has left behind. */
    if (ioctl(fd, TIOCSCTTY, 1) < 0)
        log_warning("the terminal can't control the session: %m; ^C won't work there");
}

/* Until there is a SIGCHLD, which nobody else sends to a process without children. */
static int stay(void *argument)
{
    (void)argument;
    (void)child_wait_event(NULL, CHILD_NO_DEADLINE);
    return 0;
}

/*
 * Who was here before us, an initramfs perhaps, may have written to another terminal that takes
 * nothing; who closes that last waits for half a minute. A child does, which nobody waits for: its
 * pid, or 0.
 */
static pid_t hold_old_terminal(int fd)
{
    unsigned int old = 0, chosen = 0; /* device numbers: /dev/console has one of its own */
    int left = 0;

    if (ioctl(STDIN_FILENO, TIOCOUTQ, &left) < 0 || left == 0 ||
        (ioctl(STDIN_FILENO, TIOCGDEV, &old) == 0 && ioctl(fd, TIOCGDEV, &chosen) == 0 &&
         old == chosen))
        return 0;
    pid_t pid = child_start(stay, NULL);
    return pid > 0 ? pid : 0;
}

static void use_for_standard_io(int fd)
{
    pid_t holder = hold_old_terminal(fd);

    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
        if (fd != standard)
            (void)dup2(fd, standard);
    if (fd > STDERR_FILENO)
        (void)close(fd);
    else
        (void)fcntl(fd, F_SETFD, 0);
    if (holder > 0)
        (void)kill(holder, SIGCHLD);
}

enum step_result boot_console(struct boot *boot)
{
    enum step_result result = STEP_DONE;

    if (setsid() < 0) /* leads one already */
        log_debug("no new session: %m");
    int fd = open_wanted(&boot->options->ctty);
    if (fd >= 0) {
        take_control(fd, boot->options);
    } else if (tty_ignore_carrier(STDIN_FILENO) == 0) {
        /* What the kernel opened for us can't be found by name, but is there. */
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd >= 0)
            take_control(fd, boot->options);
    } else {
        log_info("no console: the VM reads from and writes to /dev/null");
        fd = open_null();
        result = STEP_SKIPPED;
    }
    if (fd < 0) {
        log_warning(
            "not even /dev/null can be opened: %m; the VM has no standard input and output");
        return STEP_WARNED;
    }
    use_for_standard_io(fd);
    return result;
}

/* The name of the terminal that boot_console() chose, or "". */
static void find_own_terminal(char *buffer, size_t size)
{
    char path[NAME_BYTES];
    struct text name = text_into(buffer, size);
    ssize_t length = readlink("/proc/self/fd/0", path, sizeof path - 1);

    if (length <= 0 || !isatty(STDIN_FILENO))
        return;
    path[length] = '\0';
    text_add(&name, without_dev(path));
}

struct note {
    const char *terminal;
    const char *own;
};

/* Once, and never waiting: a terminal that takes nothing gets nothing. */
static int leave_note(void *argument)
{
    const struct note *note = argument;
    const char *name = note->terminal;
    TEXT_ON_STACK(lines, 512);
    struct utsname system;
    int fd = open_terminal(name);

    if (fd < 0 || uname(&system) < 0)
        return 1;
    text_format(&lines,
                "\r\nHostname: %s\r\n"
                "The Erlang shell of this device is on %s, not on this terminal (%s).\r\n"
                "To have it here, put the line `-c %s` into " OPTIONS_CONFIG_FILE "\r\n"
                "or these words at the end of the kernel command line: `-- -c %s`\r\n",
                system.nodename, note->own, name, name, name);
    if (write(fd, lines.at, lines.length) < 0)
        log_debug("no note on %s: %m", name);
    return 0;
}

void console_note_others(const struct options *options, const struct machine *machine)
{
    char active[ACTIVE_BYTES], own[NAME_BYTES] = "";
    char *at = active;

    (void)machine;
    if (options->warn_unused_tty)
        find_own_terminal(own, sizeof own);
    if (own[0] == '\0')
        return;
    read_active(active, sizeof active);
    for (const char *given = next_word(&at); given; given = next_word(&at)) {
        TEXT_ON_STACK(name, NAME_BYTES);
        add_real_name(&name, given);
        struct note note = {.terminal = name.at, .own = own};
        /* whose exit closes it, which may wait for half a minute */
        if (!text_equal(name.at, own))
            (void)child_start(leave_note, &note);
    }
}
