/* SPDX-License-Identifier: MIT */
#include "cmdline.h"

#include "erlinit/arena.h"
#include "erlinit/text.h"

#include <errno.h>
#include <string.h>

/* Parameters without a dot that are the kernel's, of those that are usual on devices. */
static const char *const known[] = {
    "acpi",
    "apparmor",
    "audit",
    "bootconfig",
    "boot_delay",
    "cgroup_disable",
    "cgroup_enable",
    "cgroup_no_v1",
    "clk_ignore_unused",
    "clocksource",
    "cma",
    "coherent_pool",
    "console",
    "consoleblank",
    "cpuidle",
    "crashkernel",
    "debug",
    "default_hugepagesz",
    "dma_debug",
    "earlycon",
    "earlyprintk",
    "efi",
    "elevator",
    "fbcon",
    "fw_devlink",
    "hugepages",
    "ignore_loglevel",
    "init",
    "initcall_debug",
    "initrd",
    "intel_iommu",
    "intel_idle",
    "iommu",
    "ip",
    "irqaffinity",
    "isolcpus",
    "kgdboc",
    "lockdown",
    "log_buf_len",
    "loglevel",
    "lpj",
    "lsm",
    "maxcpus",
    "mem",
    "memmap",
    "mitigations",
    "module_blacklist",
    "mtdparts",
    "nfsroot",
    "no_console_suspend",
    "nohz",
    "nohz_full",
    "noinitrd",
    "nokaslr",
    "nomodeset",
    "noresume",
    "nosmp",
    "nr_cpus",
    "panic",
    "panic_on_oops",
    "panic_on_warn",
    "pci",
    "pcie_aspm",
    "pd_ignore_unused",
    "quiet",
    "ramdisk_size",
    "random_trust_cpu",
    "rcu_nocbs",
    "rdinit",
    "reboot",
    "resume",
    "ro",
    "root",
    "rootdelay",
    "rootflags",
    "rootfstype",
    "rootwait",
    "rw",
    "security",
    "selinux",
    "sysrq_always_enabled",
    "threadirqs",
    "tsc",
    "vga",
    "video",
    "vt",
};

static bool same_name(const char *name, const char *word, size_t length)
{
    /* to the kernel, - and _ are the same in names */
    for (size_t i = 0; i < length; i++)
        if (name[i] != (word[i] == '-' ? '_' : word[i]))
            return false;
    return name[length] == '\0';
}

static bool is_known(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i]) == length && same_name(known[i], word, length))
            return true;
    return false;
}

/* Where the word that begins at `text` ends: at white space outside of quotes. */
static const char *word_end(const char *text)
{
    bool quoted = false;
    for (; *text != '\0' && (quoted || !text_is_space(*text)); text++)
        quoted = quoted != (*text == '"');
    return text;
}

/* Without the quotes around the whole, and around a value; those inside stay. */
static char *unquoted(const char *start, const char *end)
{
    bool whole = *start == '"';
    start += whole ? 1 : 0;
    char *word = arena_copy(start, (size_t)(end - start));
    if (word == NULL)
        return NULL;
    size_t length = strlen(word);
    char *equals = *word == '\0' ? NULL : strchr(word + 1, '=');
    bool value = equals != NULL && equals[1] == '"';
    if ((whole || value) && length > 0 && word[length - 1] == '"')
        word[--length] = '\0';
    if (value && equals[1] == '"')
        memmove(equals + 1, equals + 2, strlen(equals + 2) + 1);
    return word;
}

static enum cmdline_fate fate_of(const char *word)
{
    const char *equals = *word == '\0' ? NULL : strchr(word + 1, '=');
    size_t name = equals == NULL ? strlen(word) : (size_t)(equals - word);
    if (is_known(word, name))
        return CMDLINE_KERNEL;
    if (memchr(word, '.', name) != NULL)
        return CMDLINE_MODULE;
    return equals == NULL ? CMDLINE_ARGUMENT : CMDLINE_ENVIRONMENT;
}

static void forget_arguments(struct cmdline *cmdline)
{
    for (size_t i = 0; i < cmdline->count; i++)
        if (cmdline->word[i].fate == CMDLINE_ARGUMENT)
            cmdline->word[i].fate = CMDLINE_FORGOTTEN;
}

static void add_word(struct cmdline *cmdline, const char *word, size_t column)
{
    const struct cmdline_word *last =
        cmdline->count > 0 ? &cmdline->word[cmdline->count - 1] : NULL;
    bool behind = last != NULL && (last->behind_dashes || last->fate == CMDLINE_DASHES);
    bool dashes = !behind && text_equal(word, "--");
    enum cmdline_fate fate = behind ? CMDLINE_ARGUMENT : dashes ? CMDLINE_DASHES : fate_of(word);
    if (!behind && (text_starts_with(word, "init=") || text_starts_with(word, "rdinit=")))
        forget_arguments(cmdline);
    cmdline->word[cmdline->count++] =
        (struct cmdline_word){word, (unsigned int)column, fate, behind};
}

int cmdline_split(const char *text, struct cmdline *cmdline)
{
    /* every second byte begins a word, at most */
    struct cmdline found = {.word = arena_alloc((strlen(text) / 2 + 1) * sizeof *found.word)};
    if (found.word == NULL)
        return -ENOMEM;
    const char *at = text;
    for (;;) {
        while (text_is_space(*at))
            at++;
        if (*at == '\0')
            break;
        const char *end = word_end(at);
        const char *word = unquoted(at, end);
        if (word == NULL)
            return -ENOMEM;
        add_word(&found, word, (size_t)(at - text) + 1);
        at = end;
    }
    *cmdline = found;
    return 0;
}
