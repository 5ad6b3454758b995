/* SPDX-License-Identifier: MIT */
/* The smallest helper of a device: as the id command it prints an id, as the pre-run command
 * nothing that matters. */
#include <unistd.h>

int main(void)
{
    return write(1, "0123abcd\n", 9) != 9;
}
