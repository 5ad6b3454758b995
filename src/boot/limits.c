/* SPDX-License-Identifier: MIT */
/* --limits: setrlimit(2) for the VM. Done in the process that becomes it, so that PID 1 has none.
 */
#include "limits.h"

#include "erlinit/boot.h"
#include "erlinit/text.h"

#include <errno.h>
/* NOLINTNEXTLINE(readability-duplicate-include): libc's, not ours */
#include <limits.h>
#include <string.h>

#define VALUE_BYTES 32 /* the longest number has 22 characters (octal) */

static const struct {
    char name[12];
    int resource;
} names[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

static int find_resource(const char *name, size_t length, int *resource)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) {
            *resource = names[i].resource;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_value(const char *start, size_t length, rlim_t *value)
{
    TEXT_ON_STACK(copy, VALUE_BYTES);
    long long number;

    if (!text_add_bytes(&copy, start, length))
        return -EINVAL;
    if (length == 0 || text_equal(copy.at, "unlimited") || text_equal(copy.at, "infinity")) {
        *value = RLIM_INFINITY;
        return 0;
    }
    if (text_to_number(copy.at, 0, 0, LLONG_MAX, &number) < 0)
        return -EINVAL;
    *value = (rlim_t)number;
    return 0;
}

int limits_parse(const char *text, int *resource, struct rlimit *limit, const char **problem)
{
    const char *soft = strchr(text, ':');
    const char *hard = soft ? strchr(soft + 1, ':') : NULL;
    struct rlimit parsed;
    int found;

    *problem = "it must be resource:soft:hard";
    if (!hard)
        return -EINVAL;
    *problem = "there is no resource of that name";
    if (find_resource(text, (size_t)(soft - text), &found) < 0)
        return -EINVAL;
    *problem = "a limit is a number, `unlimited`, or nothing";
    if (parse_value(soft + 1, (size_t)(hard - soft - 1), &parsed.rlim_cur) < 0 ||
        parse_value(hard + 1, strlen(hard + 1), &parsed.rlim_max) < 0)
        return -EINVAL;
    *resource = found;
    *limit = parsed;
    return 0;
}

static int apply(const struct word *word)
{
    const char *problem;
    struct rlimit limit;
    int resource;

    if (limits_parse(word->text, &resource, &limit, &problem) < 0) {
        log_at(LOG_WARNING, &word->origin, "limit '%s' is left out: %s", word->text, problem);
        return -EINVAL;
    }
    if (setrlimit(resource, &limit) < 0) {
        int error = -errno;
        log_at(LOG_WARNING, &word->origin, "limit '%s' is left out, the kernel refuses it: %m",
               word->text);
        return error;
    }
    return 0;
}

enum step_result boot_limits(struct boot *boot)
{
    const struct words *limits = &boot->options->limits;
    enum step_result result = limits->count > 0 ? STEP_DONE : STEP_SKIPPED;

    for (size_t i = 0; i < limits->count; i++)
        if (apply(&limits->item[i]) < 0)
            result = STEP_WARNED;
    return result;
}
