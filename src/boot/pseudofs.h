/* SPDX-License-Identifier: MIT */
/* The file systems that every boot mounts. */
#ifndef BOOT_PSEUDOFS_H
#define BOOT_PSEUDOFS_H

#include <sys/types.h>

struct pseudofs {
    const char *target;
    const char *type; /* also the source */
    unsigned long flags;
    const char *data; /* NULL: none */
    mode_t mode;      /* of the directory, should it be missing */
};

#define PSEUDOFS_KERNEL  2
#define PSEUDOFS_IN_DEV  2
#define PSEUDOFS_SCRATCH 2

/* In PID 1, in this order. */
extern const struct pseudofs pseudofs_kernel[PSEUDOFS_KERNEL];
extern const struct pseudofs pseudofs_dev;
extern const struct pseudofs pseudofs_in_dev[PSEUDOFS_IN_DEV];
/* In the boot child: in memory. */
extern const struct pseudofs pseudofs_scratch[PSEUDOFS_SCRATCH];

#endif
