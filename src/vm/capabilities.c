/* SPDX-License-Identifier: MIT */
/* Bare system calls: libcap would bring malloc and text for a thing of three calls. */
#include "capabilities.h"

#include "erlinit/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBERS    64 /* what two words of capset(2) can hold; the kernel knows 41 */
#define NAME_BYTES 32

/* In the order of linux/capability.h, from 0. The last one is empty: clang's analyzer, newer
 * versions, loses count of them. */
/* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult) */
static const char names[] =
    "chown\0dac_override\0dac_read_search\0fowner\0fsetid\0kill\0setgid\0setuid\0setpcap\0"
    "linux_immutable\0net_bind_service\0net_broadcast\0net_admin\0net_raw\0ipc_lock\0ipc_owner\0"
    "sys_module\0sys_rawio\0sys_chroot\0sys_ptrace\0sys_pacct\0sys_admin\0sys_boot\0sys_nice\0"
    "sys_resource\0sys_time\0sys_tty_config\0mknod\0lease\0audit_write\0audit_control\0setfcap\0"
    "mac_override\0mac_admin\0syslog\0wake_alarm\0block_suspend\0audit_read\0perfmon\0bpf\0"
    "checkpoint_restore\0";

static bool has(uint64_t set, unsigned int number)
{
    return (set >> number & 1) != 0;
}

static int parse_one(const char *text, long long *number)
{
    if (text_starts_with(text, "cap_"))
        text += strlen("cap_");
    long long at = 0;
    for (const char *name = names; *name != '\0'; name += strlen(name) + 1, at++) {
        if (strcmp(name, text) == 0) {
            *number = at;
            return 0;
        }
    }
    return text_to_number(text, 10, 0, NUMBERS - 1, number);
}

int capabilities_parse(const char *text, uint64_t *set)
{
    uint64_t found = 0;
    for (bool more = strcmp(text, "none") != 0; more;) {
        size_t length = strcspn(text, ",");
        TEXT_ON_STACK(name, NAME_BYTES);
        long long number = 0;
        if (!text_add_bytes(&name, text, length) || parse_one(name.at, &number) < 0)
            return -EINVAL;
        found |= 1ULL << number;
        more = text[length] != '\0';
        text += length + 1;
    }
    *set = found;
    return 0;
}

int capabilities_names(uint64_t set, struct strings *list)
{
    const char *name = names;
    int result = 0;
    for (unsigned int number = 0; result == 0 && number < NUMBERS; number++) {
        bool named = *name != '\0';
        const char *shown = named ? name : arena_format("%u", number);
        if (has(set, number))
            result = shown == NULL ? -ENOMEM : strings_add(list, shown);
        name += named ? strlen(name) + 1 : 0;
    }
    return result;
}

/* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */

static long control(int option, unsigned long first, unsigned long second)
{
    return syscall(SYS_prctl, option, first, second, 0UL, 0UL);
}

int capabilities_cut(uint64_t set)
{
    /* up to the last one that this kernel knows */
    for (unsigned int number = 0; number < NUMBERS && control(PR_CAPBSET_READ, number, 0) >= 0;
         number++)
        if (!has(set, number) && control(PR_CAPBSET_DROP, number, 0) < 0)
            return -errno;
    return control(PR_SET_KEEPCAPS, 1, 0) < 0 ? -errno : 0;
}

static void fill(uint64_t set, struct __user_cap_data_struct words[2])
{
    for (int i = 0; i < 2; i++, set >>= 32)
        words[i].effective = words[i].permitted = words[i].inheritable = (uint32_t)set;
}

int capabilities_keep(uint64_t set)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[2];
    fill(set, words);
    /* what is no longer inheritable goes from the ambient set, too */
    if (syscall(SYS_capset, &header, words) < 0)
        return -errno;
    for (unsigned int number = 0; number < NUMBERS; number++)
        if (has(set, number) && control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number) < 0)
            return -errno;
    return 0;
}

bool capabilities_are(uint64_t set, bool cut)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct wanted[2], found[2];
    fill(set, wanted);
    if (syscall(SYS_capget, &header, found) < 0 || memcmp(found, wanted, sizeof wanted) != 0)
        return false;
    /* a number that the kernel doesn't know is an error, which is no 1 */
    for (unsigned int number = 0; number < NUMBERS; number++)
        if ((control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number) == 1) != has(set, number) ||
            (cut && (control(PR_CAPBSET_READ, number, 0) == 1) != has(set, number)))
            return false;
    return true;
}
