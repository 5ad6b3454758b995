/* SPDX-License-Identifier: MIT */
/* as NAME PROGRAM...: runs PROGRAM with NAME as its argv[0]; storage daemons begin theirs with @.
 */
#include <unistd.h>

int main(int argc, char *argv[])
{
    if (argc < 3)
        return 1;
    const char *program = argv[2];
    argv[2] = argv[1];
    execv(program, argv + 2);
    return 1;
}
