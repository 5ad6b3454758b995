/* SPDX-License-Identifier: MIT */
/* Where the words come from: the config file, then the kernel command line, which wins. */
#include "erlinit/files.h"
#include "erlinit/options.h"

#include <errno.h>

static void configure_from_file(const char *path, struct options *options)
{
    char *content;
    size_t length;
    int result = file_load(path, OPTIONS_CONFIG_MOST_BYTES, &content, &length);
    if (result == -ENOENT)
        return;
    if (result < 0) {
        errno = -result;
        log_warning("can't read %s: %m; going on without it", path);
        return;
    }
    struct words words = {0};
    if (words_from_config(path, content, length, &words) < 0)
        log_error("no memory for all of %s, the rest is ignored", path);
    options_parse(&words, options);
}

static void configure_from_arguments(int argc, char *const argv[], struct options *options)
{
    struct words words = {0};
    for (int i = 1; i < argc; i++) {
        if (words_add(&words, argv[i], (struct origin){.column = (unsigned int)i}) < 0) {
            log_error("no memory for all words of the kernel command line, the rest is ignored");
            break;
        }
    }
    options_parse(&words, options);
}

void options_configure(const char *config_file, int argc, char *const argv[],
                       struct options *options)
{
    options_defaults(options);
    configure_from_file(config_file, options);
    configure_from_arguments(argc, argv, options);
    log_set_level(options->verbose ? LOG_DEBUG : LOG_WARNING);
}
