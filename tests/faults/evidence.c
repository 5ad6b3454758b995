/* SPDX-License-Identifier: MIT */
/* What a life has left: descriptors, processor time, the disk, the seed, the log, the report. */
#include "faultinit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#define LOG_BYTES (256 * 1024)

char kernel_log[LOG_BYTES];
static char usual_log[LOG_BYTES];

int evidence_fds(pid_t pid)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    if (directory != NULL)
        closedir(directory);
    return count;
}

int evidence_cpu_ms(pid_t pid)
{
    char path[64], text[512];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[length < 0 ? 0 : length] = '\0';
    const char *at = strrchr(text, ')');
    if (at != NULL)
        (void)sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &kernel);
    return (int)((user + kernel) * 10);
}

/* ext4's superblock: s_feature_incompat at 0x60, RECOVER is 4 (kernel doc, filesystems/ext4). */
bool evidence_disk_clean(void)
{
    unsigned char block[1024];
    int fd = open(DISK, O_RDONLY | O_CLOEXEC);
    bool clean =
        fd >= 0 && pread(fd, block, sizeof block, 1024) == sizeof block && (block[0x60] & 4) == 0;
    close(fd);
    return clean;
}

bool evidence_seed(pid_t init)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/root/root/seedrng/seed.credit", (int)init);
    if (access(path, F_OK) == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%d/root/root/seedrng/seed.no-credit", (int)init);
    return access(path, F_OK) == 0;
}

/* A frozen disk would hold those who write to it even when they are killed. */
void evidence_thaw(pid_t init)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root/data", (int)init);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)ioctl(fd, FITHAW, 0);
    close(fd);
}

void evidence_log(void)
{
    static char record[8193];
    size_t length = 0;
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    (void)lseek(fd, 0, SEEK_DATA);
    for (;;) {
        ssize_t got = read(fd, record, sizeof record - 1);
        if (got < 0 && errno == EPIPE)
            continue;
        if (got <= 0)
            break;
        record[got] = '\0';
        char *text = strchr(record, ';');
        int severity = atoi(record) & 7;
        if (text == NULL)
            continue;
        text[strcspn(text, "\n")] = '\0';
        if (length + strlen(text) + 8 < sizeof kernel_log)
            length += (size_t)sprintf(kernel_log + length, "%d %s\n", severity, text + 1);
    }
    close(fd);
    kernel_log[length] = '\0';
}

/* Numbers differ from life to life. */
static void strip_digits(const char *from, size_t length, char *to)
{
    for (size_t i = 0; i < length; i++)
        if (from[i] < '0' || from[i] > '9')
            *to++ = from[i];
    *to = '\0';
}

unsigned int evidence_news(void)
{
    static char line[8193];
    unsigned int news = 0;
    for (const char *at = kernel_log, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (*at > '4' || strncmp(at + 2, "erlinit: ", 9) != 0)
            continue;
        strip_digits(at, (size_t)(end - at), line);
        news += strstr(usual_log, line) == NULL;
    }
    return news;
}

void evidence_usual(void)
{
    strip_digits(kernel_log, strlen(kernel_log), usual_log);
}

/* On the disk as a next boot would find it. */
bool evidence_report(void)
{
    static char report[LOG_BYTES];
    ssize_t length = -1;
    if (mount(DISK, "/check", "ext4", 0, NULL) == 0) {
        int fd = open("/check/report.md", O_RDONLY | O_CLOEXEC);
        length = fd < 0 ? -1 : read(fd, report, sizeof report - 1);
        close(fd);
        umount2("/check", 0);
    }
    report[length < 0 ? 0 : length] = '\0';
    return strncmp(report, "# Erlinit shutdown report\n", 26) == 0 &&
           strstr(report, "\n```\n") != NULL;
}
