/* SPDX-License-Identifier: MIT */
/*
 * Which processes are our VM, in any tree, circles and all: two bytes a process, its own number
 * (the highest bit: a VM) and its parent's.
 */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the question is its own business otherwise */
#include "../../../src/vm/ask.c"

#include "fuzz.h"

#define PROCESSES_MOST 64
#define LEADER         1

void fuzz_target(const uint8_t *bytes, size_t size)
{
    struct process item[PROCESSES_MOST];
    struct processes processes = {.item = item};
    for (size_t i = 0; i + 1 < size && processes.count < PROCESSES_MOST; i += 2)
        item[processes.count++] = (struct process){
            .pid = bytes[i] & 0x7f, .parent = bytes[i + 1], .vm = (bytes[i] & 0x80) != 0};
    for (size_t i = 0; i < processes.count; i++) {
        if (!is_ours(&processes, &item[i], LEADER))
            continue;
        const struct process *parent = find(&processes, item[i].parent);
        FUZZ_CHECK(item[i].vm);
        FUZZ_CHECK(item[i].pid == LEADER || (parent != NULL && !parent->vm) ||
                   item[i].parent == LEADER);
    }
}
