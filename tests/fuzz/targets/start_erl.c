/* SPDX-License-Identifier: MIT */
/* start_erl.data. What comes of it goes into paths. */
#include "../../../src/vm/start_erl.h"
#include "fuzz.h"

#include <errno.h>

static void component_holds(const char *name)
{
    if (name == NULL)
        return;
    size_t length = strlen(name);
    FUZZ_CHECK(length > 0 && length <= 255 && name[0] != '.');
    FUZZ_CHECK(strpbrk(name, "/ \t\n\v\f\r") == NULL);
}

void fuzz_target(const uint8_t *bytes, size_t size)
{
    struct start_erl data = {0};
    (void)fuzz_file(START_ERL_DATA, bytes, size);
    int result = start_erl_read(fuzz_directory(), "", &data);
    FUZZ_CHECK(result == 0 || (result == -ENOMEM && fuzz_starved()));
    component_holds(data.erts);
    component_holds(data.version);
    FUZZ_CHECK(fuzz_log_lines() <= 2);
}
