/* SPDX-License-Identifier: MIT */
/*
 * Storage that no longer answers, or answers with errors.
 *
 *   hang freeze MOUNT                 freezes a file system: its writers wait for ever
 *   hang map NAME DEVICE SECTORS      /dev/dm-N, a device-mapper device that is all of DEVICE
 *   hang slow NAME DEVICE SECTORS MS  the same, each request takes so long
 *   hang suspend NAME                 requests to that device wait for ever
 *   hang table NAME SECTORS TYPE [PARAMETERS]
 *                                     another table for that device while it is in use: `error`,
 * and all requests fail
 *   hang fuse MOUNT                   mounts a FUSE file system, says so, and never answers a
 * request; with argv[0] starting with @ it looks like a storage daemon
 */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

struct request {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char parameters[256];
};

static int ask(unsigned long command, const char *name, unsigned int flags, struct request *request)
{
    int control = open("/dev/mapper/control", O_RDWR);
    request->head.version[0] = DM_VERSION_MAJOR;
    request->head.data_size = sizeof *request;
    request->head.data_start = offsetof(struct request, target);
    request->head.flags = flags;
    strcpy(request->head.name, name);
    int result = control < 0 ? -1 : ioctl(control, command, &request->head);
    close(control);
    return result;
}

static int suspend(const char *name)
{
    struct request request = {0};
    return ask(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG,
               &request);
}

static int table(const char *name, const char *sectors, const char *type, const char *parameters)
{
    struct request load = {0};
    struct request resume = {0};
    load.head.target_count = 1;
    load.target.length = strtoull(sectors, NULL, 10);
    strcpy(load.target.target_type, type);
    strcpy(load.parameters, parameters);
    return ask(DM_TABLE_LOAD, name, 0, &load) < 0 || suspend(name) < 0 ||
           ask(DM_DEV_SUSPEND, name, 0, &resume) < 0; /* without its flag: resume */
}

/* DELAY_MS: NULL for none. */
static int map(const char *name, const char *device, const char *sectors, const char *delay_ms)
{
    struct request create = {0};
    char parameters[256];
    snprintf(parameters, sizeof parameters, "%s 0 %s", device, delay_ms ? delay_ms : "");
    return ask(DM_DEV_CREATE, name, 0, &create) < 0 ||
           table(name, sectors, delay_ms ? "delay" : "linear", parameters);
}

static int fuse(const char *target)
{
    static char request[FUSE_MIN_READ_BUFFER * 17];
    char options[128];
    struct {
        struct fuse_out_header head;
        struct fuse_init_out body;
    } answer = {.head = {.len = sizeof answer},
                .body = {.major = FUSE_KERNEL_VERSION,
                         .minor = FUSE_KERNEL_MINOR_VERSION,
                         .max_write = 4096}};
    int fd = open("/dev/fuse", O_RDWR);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    if (fd < 0 || mount("hung", target, "fuse", 0, options) < 0)
        return 1;
    if (read(fd, request, sizeof request) < 0)
        return 1;
    answer.head.unique = ((struct fuse_in_header *)request)->unique;
    if (write(fd, &answer, sizeof answer) < 0)
        return 1;
    printf("ready\n");
    fflush(stdout);
    signal(SIGTERM, SIG_IGN);
    while (read(fd, request, sizeof request) > 0)
        continue; /* taken, and never answered: whoever asked can't even be killed */
    pause();
    return 0;
}

int main(int argc, char *argv[])
{
    int result = 1;
    if (argc == 3 && strcmp(argv[1], "freeze") == 0)
        result = ioctl(open(argv[2], O_RDONLY), FIFREEZE, 0);
    else if (argc == 5 && strcmp(argv[1], "map") == 0)
        result = map(argv[2], argv[3], argv[4], NULL);
    else if (argc == 6 && strcmp(argv[1], "slow") == 0)
        result = map(argv[2], argv[3], argv[4], argv[5]);
    else if (argc == 3 && strcmp(argv[1], "suspend") == 0)
        result = suspend(argv[2]);
    else if ((argc == 5 || argc == 6) && strcmp(argv[1], "table") == 0)
        result = table(argv[2], argv[3], argv[4], argc == 6 ? argv[5] : "");
    else if (argc == 3 && strcmp(argv[1], "fuse") == 0)
        result = fuse(argv[2]);
    if (result != 0)
        perror(argv[1]);
    return result != 0;
}
