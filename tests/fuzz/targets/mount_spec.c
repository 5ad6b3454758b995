/* SPDX-License-Identifier: MIT */
/* One --mount; what is on further lines is /proc/filesystems. */
#include "../../../src/boot/mounts.h"
#include "fuzz.h"

#include <errno.h>
#include <sys/mount.h>

#define FLAGS                                                                                      \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_REMOUNT | MS_MANDLOCK |    \
     MS_DIRSYNC | MS_NOATIME | MS_NODIRATIME | MS_BIND | MS_MOVE | MS_REC | MS_SILENT |            \
     MS_RELATIME | MS_I_VERSION | MS_STRICTATIME | (1UL << 25) | 256UL)
#define PROPAGATION (MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE)

static void spec_holds(const struct mount_spec *spec, const char *text, const char *unknown)
{
    size_t length =
        strlen(spec->source) + strlen(spec->target) + strlen(spec->type) + strlen(spec->data);
    FUZZ_CHECK(*spec->target != '\0' && length + 4 <= strlen(text));
    FUZZ_CHECK((spec->flags & ~FLAGS) == 0);
    unsigned long kind = spec->propagation & ~(unsigned long)MS_REC;
    FUZZ_CHECK((kind & ~(unsigned long)PROPAGATION) == 0 && (kind & (kind - 1)) == 0);
    FUZZ_CHECK(unknown == NULL || (*unknown != '\0' && strchr(unknown, ',') == NULL));
    FUZZ_CHECK(strpbrk(spec->type, ":") == NULL || strstr(text, "\\:") != NULL);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    const char *text = fuzz_line(&bytes, &size);
    const char *filesystems = fuzz_string(bytes, size);
    const char untouched[] = "";
    struct mount_spec spec = {.source = untouched};
    const char *problem = untouched;
    const char *unknown = untouched;
    int result = mount_parse(text, &spec, &problem, &unknown);
    if (result == 0) {
        spec_holds(&spec, text, unknown);
        bool can_block = mount_spec_can_block(&spec, filesystems);
        FUZZ_CHECK(!can_block || (spec.flags & (MS_BIND | MS_MOVE)) == 0);
    } else {
        FUZZ_CHECK(result == -ENOMEM ? fuzz_starved() : result == -EINVAL);
        FUZZ_CHECK(spec.source == untouched && unknown == untouched);
        FUZZ_CHECK(result == -ENOMEM || *problem != '\0');
    }
}
