/* SPDX-License-Identifier: MIT */
/* dmlinear DEVICE SECTORS: makes /dev/dm-0, a device-mapper device that is all of DEVICE. */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct request {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char parameters[256];
};

static int ask(int control, unsigned long command, struct request *request)
{
    request->head.version[0] = DM_VERSION_MAJOR;
    request->head.data_size = sizeof *request;
    request->head.data_start = offsetof(struct request, target);
    strcpy(request->head.name, "root");
    return ioctl(control, command, &request->head);
}

int main(int argc, char *argv[])
{
    int control = open("/dev/mapper/control", O_RDWR);
    if (argc != 3 || control < 0)
        return 1;
    struct request create = {0}, load = {0}, resume = {0};
    load.head.target_count = 1;
    load.target.length = strtoull(argv[2], NULL, 10);
    strcpy(load.target.target_type, "linear");
    snprintf(load.parameters, sizeof load.parameters, "%s 0", argv[1]);
    if (ask(control, DM_DEV_CREATE, &create) < 0 || ask(control, DM_TABLE_LOAD, &load) < 0 ||
        ask(control, DM_DEV_SUSPEND, &resume) < 0) { /* without its flag: resume */
        perror("device-mapper");
        return 1;
    }
    return 0;
}
