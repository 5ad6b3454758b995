/* SPDX-License-Identifier: MIT */
/* wrap: words_add arena_copy */
#include "erlinit/arena.h"
#include "erlinit/options.h"
#include "log_spy.h"
#include "scratch.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int fail_add;
static int fail_copy;

int __real_words_add(struct words *words, const char *text, struct origin origin);
int __wrap_words_add(struct words *words, const char *text, struct origin origin);
char *__real_arena_copy(const char *bytes, size_t length);
char *__wrap_arena_copy(const char *bytes, size_t length);

int __wrap_words_add(struct words *words, const char *text, struct origin origin)
{
    if (fail_add > 0 && --fail_add == 0)
        return -ENOMEM;
    return __real_words_add(words, text, origin);
}

char *__wrap_arena_copy(const char *bytes, size_t length)
{
    return fail_copy > 0 && --fail_copy == 0 ? NULL : __real_arena_copy(bytes, length);
}

/* Words by white space and quotes, as a file named f has them. */
static void parse(const char *line, struct options *options)
{
    struct words words = {0};
    assert_int_equal(words_from_config("f", line, strlen(line), &words), 0);
    options_parse(&words, options);
}

static struct options options_of(const char *line)
{
    struct options options;
    log_spy_reset();
    options_defaults(&options);
    parse(line, &options);
    return options;
}

static struct options quiet(const char *line)
{
    struct options options = options_of(line);
    if (log_spy_count(LOG_DEBUG) != 0) {
        log_spy_print();
        fail_msg("%s", line);
    }
    return options;
}

static struct options warned(const char *line, const char *warning)
{
    struct options options = options_of(line);
    assert_string_equal(log_spy_last(), warning);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    return options;
}

/* Field by field: padding is not ours to compare. */
static void assert_default(const struct options *options)
{
    assert_null(options->boot.text);
    assert_null(options->core_pattern.text);
    assert_null(options->ctty.text);
    assert_null(options->uniqueid_exec.text);
    assert_null(options->uid.text);
    assert_null(options->gid.text);
    assert_null(options->hostname_pattern.text);
    assert_null(options->run_on_exit.text);
    assert_null(options->alternate_exec.text);
    assert_null(options->shutdown_report.text);
    assert_null(options->tty_options.text);
    assert_null(options->working_directory.text);
    assert_string_equal(options->release_path.text, "/srv/erlang");
    assert_string_equal(options->umask.text, "0022");
    assert_string_equal(options->state_directory.text, "/root");
    assert_int_equal(options->env.count, 0);
    assert_int_equal(options->limits.count, 0);
    assert_int_equal(options->mounts.count, 0);
    assert_int_equal(options->pre_run_exec.count, 0);
    assert_int_equal(options->graceful_shutdown_timeout_ms, 10000);
    assert_int_equal(options->command_timeout_ms, 300000);
    assert_int_equal(options->mount_timeout_ms, 60000);
    assert_int_equal(options->shutdown_timeout_ms, 8000);
    assert_int_equal(options->stop_grace_ms, 1000);
    assert_int_equal(options->exit_pause_ms, 0);
    assert_int_equal(options->reboot_min_uptime_ms, 5000);
    assert_int_equal(options->report_keep, 0);
    assert_int_equal(options->on_exit, ACTION_REBOOT);
    assert_int_equal(options->on_fatal, ACTION_REBOOT);
    assert_false(options->release_include_erts || options->print_timing || options->update_clock);
    assert_false(options->verbose || options->warn_unused_tty || options->pivot_root_on_overlayfs);
}

static void test_defaults(void **state)
{
    (void)state;
    struct options options;
    memset(&options, 0x55, sizeof options);
    options_defaults(&options);
    assert_default(&options);
    assert_int_equal(options.umask.origin.line, 0);
    options = quiet("");
    assert_default(&options);
}

/* Every row: unique names, a value where it should go, help. What is not in the contract is ours.
 */
static void test_table(void **state)
{
    (void)state;
    static const char *const contract[] = {
        "boot",
        "core-pattern",
        "ctty",
        "uniqueid-exec",
        "env",
        "gid",
        "uid",
        "graceful-shutdown-timeout",
        "hang-on-exit",
        "reboot-on-exit",
        "poweroff-on-exit",
        "hang-on-fatal",
        "reboot-on-fatal",
        "poweroff-on-fatal",
        "limits",
        "mount",
        "hostname-pattern",
        "pre-run-exec",
        "release-path",
        "release-include-erts",
        "run-on-exit",
        "alternate-exec",
        "shutdown-report",
        "print-timing",
        "tty-options",
        "update-clock",
        "verbose",
        "warn-unused-tty",
        "working-directory",
        "x-pivot-root-on-overlayfs",
    };
    const size_t in_contract = sizeof contract / sizeof contract[0];
    size_t found = 0;
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_row *row = &options_table[i];
        size_t seen = 0;
        for (size_t j = 0; j < in_contract; j++)
            seen += strcmp(row->name, contract[j]) == 0;
        found += seen;
        assert_int_equal(row->ours, seen == 0);
        assert_non_null(row->help);
        assert_true(strlen(row->help) > 0 && strlen(row->help) <= 62);
        assert_non_null(row->group);
        bool takes = row->kind != OPTION_FLAG && row->kind != OPTION_ACTION;
        assert_int_equal(row->argument != NULL, takes);
        for (size_t j = 0; j < options_table_count; j++) {
            const struct option_row *other = &options_table[j];
            assert_true(i == j || strcmp(row->name, other->name) != 0);
            assert_true(i == j || row->letter == 0 || row->letter != other->letter);
            /* a whole name of ours is never taken for a beginning of another's */
            assert_true(i == j || !row->ours || other->ours ||
                        strncmp(other->name, row->name, strlen(row->name)) != 0);
        }
    }
    assert_int_equal(found, in_contract);
}

/* --name and -letter both reach the row's own place and nothing else. */
static void check_row(const struct option_row *row, const char *spelling)
{
    char line[128];
    struct options plain = options_of("");
    snprintf(line, sizeof line, "%s%s", spelling, row->argument == NULL ? "" : " 7");
    struct options options = quiet(line);
    char *place = (char *)&options + row->offset;
    if (row->kind == OPTION_FLAG)
        assert_true(*(bool *)place);
    if (row->kind == OPTION_ACTION)
        assert_int_equal(*(enum action *)place, row->value);
    if (row->kind == OPTION_TEXT)
        assert_string_equal(((struct word *)place)->text, "7");
    if (row->kind == OPTION_LIST)
        assert_string_equal(((struct words *)place)->item[0].text, "7");
    if (row->kind == OPTION_NUMBER)
        assert_int_equal(*(long long *)place, 7);
    static const size_t sizes[] = {sizeof(bool), sizeof(enum action), sizeof(struct word),
                                   sizeof(struct words), sizeof(long long)};
    memcpy(place, (char *)&plain + row->offset, sizes[row->kind]);
    assert_default(&options);
}

static void test_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_table_count; i++) {
        char spelling[64];
        snprintf(spelling, sizeof spelling, "--%s", options_table[i].name);
        check_row(&options_table[i], spelling);
        if (options_table[i].letter != 0) {
            snprintf(spelling, sizeof spelling, "-%c", options_table[i].letter);
            check_row(&options_table[i], spelling);
        }
    }
}

static void test_letters(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "bboot",         "cctty",           "duniqueid-exec",
        "eenv",          "hhang-on-exit",   "Hreboot-on-exit",
        "llimits",       "mmount",          "nhostname-pattern",
        "rrelease-path", "salternate-exec", "tprint-timing",
        "vverbose",
    };
    size_t letters = 0;
    for (size_t i = 0; i < options_table_count; i++) {
        if (options_table[i].letter == 0)
            continue;
        char both[64];
        snprintf(both, sizeof both, "%c%s", options_table[i].letter, options_table[i].name);
        bool found = false;
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++)
            found |= strcmp(rows[j], both) == 0;
        assert_true(found);
        letters++;
    }
    assert_int_equal(letters, sizeof rows / sizeof rows[0]);
}

static void test_clusters_and_attached_values(void **state)
{
    (void)state;
    struct options options = quiet("-vt");
    assert_true(options.verbose && options.print_timing);
    options = quiet("-cttyS0");
    assert_string_equal(options.ctty.text, "ttyS0");
    options = quiet("-vcttyS0 -t");
    assert_true(options.verbose && options.print_timing);
    assert_string_equal(options.ctty.text, "ttyS0");
    options = quiet("-vc ttyS0");
    assert_string_equal(options.ctty.text, "ttyS0");
    assert_int_equal(options.ctty.origin.column, 5);
    options = quiet("-hH");
    assert_int_equal(options.on_exit, ACTION_REBOOT);
    options = quiet("-Hh");
    assert_int_equal(options.on_exit, ACTION_HALT);
    options = quiet("-c=x"); /* as getopt: the = is part of it */
    assert_string_equal(options.ctty.text, "=x");
}

static void test_long_forms(void **state)
{
    (void)state;
    struct options options = quiet("--ctty=tty1=x --boot foo --env=A=b;C=d");
    assert_string_equal(options.ctty.text, "tty1=x");
    assert_int_equal(options.ctty.origin.line, 1);
    assert_int_equal(options.ctty.origin.column, 1);
    assert_string_equal(options.boot.text, "foo");
    assert_string_equal(options.env.item[0].text, "A=b;C=d");
    options = quiet("--ctty --verbose"); /* a value, whatever it looks like */
    assert_string_equal(options.ctty.text, "--verbose");
    assert_false(options.verbose);
    options = quiet("-c -- -v");
    assert_string_equal(options.ctty.text, "--");
    assert_true(options.verbose);
}

static void test_words_that_are_no_options(void **state)
{
    (void)state;
    struct options options = quiet("splash - -v quiet -- -t /dev/sda true");
    assert_true(options.verbose && options.print_timing);
}

static void test_prefixes(void **state)
{
    (void)state;
    struct options options = quiet("--limit core:0:0 --work /x --verb");
    assert_string_equal(options.limits.item[0].text, "core:0:0");
    assert_string_equal(options.working_directory.text, "/x");
    assert_true(options.verbose);
    options = quiet("--uid 5 --env A=b"); /* whole names, whatever else begins with them */
    assert_string_equal(options.uid.text, "5");
}

static void test_our_options_give_way(void **state)
{
    (void)state;
    struct options options = quiet("--shutdown /a --co /b --e A=b --m a:b:c:d:e --sh=/c --gr 7");
    assert_string_equal(options.shutdown_report.text, "/c");
    assert_string_equal(options.core_pattern.text, "/b");
    assert_string_equal(options.env.item[0].text, "A=b");
    assert_string_equal(options.mounts.item[0].text, "a:b:c:d:e");
    assert_int_equal(options.graceful_shutdown_timeout_ms, 7);
    options = quiet("--umask 077 --um 027 --sto 5 --repo 3 --mount-timeout 9 --shutdown-t 8");
    assert_string_equal(options.umask.text, "027");
    assert_int_equal(options.stop_grace_ms, 5);
    assert_int_equal(options.report_keep, 3);
    assert_int_equal(options.mount_timeout_ms, 9);
    assert_int_equal(options.shutdown_timeout_ms, 8);
}

static void test_ambiguous(void **state)
{
    (void)state;
    struct options options =
        warned("--rel x", "f:1:1: \"--rel\" is ambiguous, ignored; it can be: --release-path "
                          "--release-include-erts");
    assert_string_equal(options.release_path.text, "/srv/erlang");
    warned("\n --st=x", "f:2:2: \"--st=x\" is ambiguous, ignored; it can be: --state-directory "
                        "--stop-grace --step-timeout");
}

static void test_unknown(void **state)
{
    (void)state;
    warned("--frobnicate-the-machine",
           "f:1:1: unknown option \"--frobnicate-the-machine\", ignored");
    warned("x --ctti=a", "f:1:3: unknown option \"--ctti=a\", ignored; did you mean --ctty?");
    warned("--verbsoe", "f:1:1: unknown option \"--verbsoe\", ignored; did you mean --verbose?");
    warned("--limitsss", "f:1:1: unknown option \"--limitsss\", ignored; did you mean --limits?");
    warned("--limitssss", "f:1:1: unknown option \"--limitssss\", ignored");
    warned("--hostnamepattern=x",
           "f:1:1: unknown option \"--hostnamepattern=x\", ignored; did you mean "
           "--hostname-pattern?");
    /* the nearest of several, wherever it stands in the table */
    warned("--uud", "f:1:1: unknown option \"--uud\", ignored; did you mean --uid?");
    warned("--gud", "f:1:1: unknown option \"--gud\", ignored; did you mean --gid?");
    warned("--=x", "f:1:1: unknown option \"--=x\", ignored");
    struct options options = warned("-vzt", "f:1:1: unknown option -z, ignored");
    assert_true(options.verbose && options.print_timing);
    warned("-\xff", "f:1:1: unknown option -\\xff, ignored");
    warned("-z\x01\x02zt", "f:1:1: unknown option -z, ignored");
    options = warned("--nothing-like-it value -t",
                     "f:1:1: unknown option \"--nothing-like-it\", ignored");
    assert_true(options.print_timing);
    char line[4096] = "--";
    memset(line + 2, 'v', 4000);
    options_of(line);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(strlen(log_spy_last()) < 300);
    assert_non_null(strstr(log_spy_last(), "..."));
}

static void test_missing_value(void **state)
{
    (void)state;
    struct options options = warned("-v -c", "f:1:4: --ctty needs a value (tty), ignored");
    assert_true(options.verbose);
    warned("--env", "f:1:1: --env needs a value (A=b;C=d), ignored");
    warned("-te", "f:1:1: --env needs a value (A=b;C=d), ignored");
}

static void test_flag_values(void **state)
{
    (void)state;
    assert_true(quiet("--verbose true -t").print_timing);
    assert_true(quiet("--verbose true").verbose);
    assert_false(quiet("--verbose false").verbose);
    assert_true(quiet("-v false -v").verbose);
    assert_false(quiet("-tv false").verbose);
    assert_true(quiet("-tv false").print_timing);
    assert_false(quiet("-v --verbose=false").verbose);
    assert_true(quiet("--verb=true").verbose);
    assert_int_equal(quiet("--hang-on-exit true").on_exit, ACTION_HALT);
    assert_int_equal(quiet("--hang-on-exit false").on_exit, ACTION_REBOOT);
    assert_int_equal(quiet("-h --reboot-on-exit=false").on_exit, ACTION_HALT);
    assert_int_equal(quiet("--poweroff-on-fatal=true").on_fatal, ACTION_POWEROFF);
    struct options options = warned(
        "--verbose=yes", "f:1:1: --verbose takes no value but true or false: \"yes\", ignored");
    assert_false(options.verbose);
    warned("--print-timing=",
           "f:1:1: --print-timing takes no value but true or false: \"\", ignored");
    assert_true(quiet("-v truex").verbose);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(quiet("--graceful-shutdown-timeout 0").graceful_shutdown_timeout_ms, 1);
    assert_int_equal(quiet("--graceful-shutdown-timeout -5").graceful_shutdown_timeout_ms, 1);
    assert_int_equal(quiet("--graceful-shutdown-timeout=2500").graceful_shutdown_timeout_ms, 2500);
    assert_int_equal(quiet("--graceful-shutdown-timeout \" 7 \"").graceful_shutdown_timeout_ms, 7);
    assert_int_equal(quiet("--command-timeout 010").command_timeout_ms, 10);
    assert_int_equal(quiet("--command-timeout 0").command_timeout_ms, 0);
    assert_int_equal(quiet("--exit-pause -99999999999999999999").exit_pause_ms, 0);
    struct options options = warned("--exit-pause 99999999999999999999",
                                    "f:1:14: --exit-pause: too large, 2147483647 is used");
    assert_int_equal(options.exit_pause_ms, INT_MAX);
    assert_int_equal(
        warned("--report-keep=1001", "f:1:1: --report-keep: too large, 1000 is used").report_keep,
        1000);
    assert_int_equal(quiet("--report-keep=1000").report_keep, 1000);
    options = warned("--graceful-shutdown-timeout 10s",
                     "f:1:29: --graceful-shutdown-timeout: \"10s\" is no number of ms, ignored");
    assert_int_equal(options.graceful_shutdown_timeout_ms, 10000);
    warned("--stop-grace=", "f:1:1: --stop-grace: \"\" is no number of ms, ignored");
}

static void test_last_one_wins(void **state)
{
    (void)state;
    struct options options = quiet("-c a -c b -c c\n -h --poweroff-on-exit");
    assert_string_equal(options.ctty.text, "c");
    assert_int_equal(options.on_exit, ACTION_POWEROFF);
}

static void test_empty_is_not_given(void **state)
{
    (void)state;
    assert_null(quiet("--ctty=").ctty.text);
    assert_null(quiet("-c tty1 --ctty=").ctty.text);
    assert_null(quiet("-n x --hostname-pattern=").hostname_pattern.text);
    assert_null(quiet("-c \"\"").ctty.text);
    assert_string_equal(quiet("-r /x --release-path=").release_path.text, "/srv/erlang");
    assert_int_equal(quiet("-e \"\" --mount= --pre-run-exec=").env.count, 0);
}

static void test_lists(void **state)
{
    (void)state;
    struct options options =
        quiet("-e A=1 -e B=2;C=3\n-l core:0:0 --limits nofile:1:2\n--pre-run-exec \"a b;c\" "
              "--pre-run-exec d\n-m a:b:c:d:e;f:g:h:i:j -m ;;k\\;l:m\\:n:::\\;o;");
    assert_int_equal(options.env.count, 2);
    assert_string_equal(options.env.item[1].text, "B=2;C=3");
    assert_int_equal(options.limits.count, 2);
    assert_string_equal(options.limits.item[1].text, "nofile:1:2");
    assert_int_equal(options.pre_run_exec.count, 2);
    assert_string_equal(options.pre_run_exec.item[0].text, "a b;c");
    assert_int_equal(options.mounts.count, 3);
    assert_string_equal(options.mounts.item[0].text, "a:b:c:d:e");
    assert_string_equal(options.mounts.item[1].text, "f:g:h:i:j");
    assert_string_equal(options.mounts.item[2].text, "k\\;l:m\\:n:::\\;o");
    assert_int_equal(options.mounts.item[1].origin.line, 4);
    assert_int_equal(options.mounts.item[1].origin.column, 4);
    options = quiet("-m x\\");
    assert_string_equal(options.mounts.item[0].text, "x\\");
}

static void test_300_options(void **state)
{
    (void)state;
    char *content = calloc(1, 300 * 64);
    for (int i = 0; i < 300; i++)
        snprintf(content + strlen(content), 64, i % 2 ? "--env V%d=%d\n" : "-m d%d:/m%d:ext4:rw:\n",
                 i, i);
    struct options options = quiet(content);
    assert_int_equal(options.env.count, 150);
    assert_int_equal(options.mounts.count, 150);
    assert_string_equal(options.env.item[149].text, "V299=299");
    assert_int_equal(options.env.item[149].origin.line, 300);
    free(content);
}

/* The kinds of lines that official systems carry. */
static void test_official_configs(void **state)
{
    (void)state;
    struct options options = quiet(
        "# Additional configuration for erlinit\n"
        "-c tty1\n--warn-unused-tty\n-s \"/usr/bin/nbtty\"\n"
        "-e LANG=en_US.UTF-8;LANGUAGE=en;ERL_INETRC=/etc/erl_inetrc\n"
        "-e ERL_CRASH_DUMP=/root/erl_crash.dump;ERL_CRASH_DUMP_SECONDS=5\n"
        "-m /dev/mmcblk0p1:/boot:vfat:ro,nodev,noexec,nosuid:\n"
        "-m /dev/mmcblk0p3:/root:f2fs:nodev:\n"
        "-m pstore:/sys/fs/pstore:pstore:nodev,noexec,nosuid:\n"
        "-m tmpfs:/sys/fs/cgroup:tmpfs:nodev,noexec,nosuid:mode=755,size=1024k\n"
        "-m cpu:/sys/fs/cgroup/cpu:cgroup:nodev,noexec,nosuid:cpu\n"
        "-r /srv/erlang\n-d /usr/bin/boardid\n-n nerves-%-.4s\n--boot shoehorn\n"
        "-d \"/usr/bin/boardid -b uboot_env -u nerves_serial_number -b uboot_env -u serial_number "
        "-b bbb -n 4 -b macaddr -n 4\"\n");
    assert_string_equal(options.ctty.text, "tty1");
    assert_true(options.warn_unused_tty);
    assert_string_equal(options.alternate_exec.text, "/usr/bin/nbtty");
    assert_int_equal(options.env.count, 2);
    assert_int_equal(options.mounts.count, 5);
    assert_string_equal(options.mounts.item[3].text,
                        "tmpfs:/sys/fs/cgroup:tmpfs:nodev,noexec,nosuid:mode=755,size=1024k");
    assert_string_equal(options.hostname_pattern.text, "nerves-%-.4s");
    assert_string_equal(options.boot.text, "shoehorn");
    assert_int_equal(strlen(options.uniqueid_exec.text), 111);
    /* the same through the build tool that rewrites it */
    options = quiet("--ctty tty1\n--warn-unused-tty true\n--alternate-exec /usr/bin/nbtty\n"
                    "--hang-on-exit true\n--update-clock true\n");
    assert_true(options.update_clock && options.warn_unused_tty);
}

/* The example shows every option, and each line of it works as it stands. */
static void test_example(void **state)
{
    (void)state;
    FILE *file = fopen("erlinit.config.example", "r");
    assert_non_null(file);
    size_t shown = 0;
    bool seen[64] = {false};
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        assert_true(line[0] == '#' || line[0] == '\n');
        if (strncmp(line, "#--", 3) != 0)
            continue;
        (void)quiet(line + 1);
        line[strcspn(line, " \n")] = '\0';
        for (size_t i = 0; i < options_table_count; i++)
            seen[i] = seen[i] || strcmp(line + 3, options_table[i].name) == 0;
    }
    fclose(file);
    for (size_t i = 0; i < options_table_count; i++)
        shown += seen[i];
    assert_int_equal(shown, options_table_count);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct words words = {0};
    const char *line = "-e A=1 -m a;b -e B=2";
    assert_int_equal(words_from_config("f", line, strlen(line), &words), 0);
    struct options options;
    log_spy_reset();
    options_defaults(&options);
    fail_add = 1;
    options_parse(&words, &options);
    assert_int_equal(options.env.count, 1);
    assert_string_equal(options.env.item[0].text, "B=2");
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    options_defaults(&options);
    fail_copy = 1;
    options_parse(&words, &options);
    assert_int_equal(options.mounts.count, 1);
    assert_string_equal(options.mounts.item[0].text, "b");
    assert_int_equal(log_spy_count(LOG_ERROR), 2);
}

static struct options configure(const char *path, int argc, const char *const argv[])
{
    struct options options;
    log_spy_reset();
    options_configure(path, argc, (char *const *)argv, &options);
    return options;
}

static void test_configure(void **state)
{
    (void)state;
    const char *const argv[] = {"init", "-c", "ttyS1", "-e", "B=2", "ro", "--bogus-thing", NULL};
    scratch_file("/c", "-c tty1\n-e A=1\n--verbose\n");
    struct options options = configure(scratch_path("/c"), 7, argv);
    assert_string_equal(options.ctty.text, "ttyS1");
    assert_null(options.ctty.origin.file);
    assert_int_equal(options.ctty.origin.column, 2);
    assert_int_equal(options.env.count, 2);
    assert_string_equal(options.env.item[0].text, "A=1");
    assert_string_equal(options.env.item[0].origin.file, scratch_path("/c"));
    assert_int_equal(options.env.item[0].origin.line, 2);
    assert_string_equal(log_spy_last(), "kernel command line, argument 6: unknown option "
                                        "\"--bogus-thing\", ignored");
    assert_int_equal(log_level(), LOG_DEBUG);
    options = configure(scratch_path("/absent"), 1, argv);
    assert_default(&options);
    assert_int_equal(log_spy_count(LOG_DEBUG), 0);
    assert_int_equal(log_level(), LOG_WARNING);
    options = configure(scratch_path("/absent"), 0, argv);
    assert_default(&options);
}

/* What a file leaves open is not filled from the kernel command line. */
static void test_sources_are_apart(void **state)
{
    (void)state;
    const char *const argv[] = {"init", "-v", NULL};
    scratch_file("/c", "-c");
    struct options options = configure(scratch_path("/c"), 2, argv);
    assert_null(options.ctty.text);
    assert_true(options.verbose);
    assert_int_equal(log_spy_count(LOG_WARNING), 1);
    assert_true(log_spy_contains("--ctty needs a value (tty), ignored"));
}

static void test_unreadable_config(void **state)
{
    (void)state;
    const char *const argv[] = {"init", "-v", NULL};
    scratch_directory("/d");
    assert_true(configure(scratch_path("/d"), 2, argv).verbose);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    assert_true(log_spy_contains("Is a directory; going on without it"));
    scratch_link("loop", "/loop");
    assert_true(configure(scratch_path("/loop"), 2, argv).verbose);
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
    scratch_file("/big", "-v\n");
    assert_int_equal(truncate(scratch_path("/big"), 5 << 20), 0);
    assert_false(configure(scratch_path("/big"), 1, argv).verbose);
    assert_true(log_spy_contains("File too large; going on without it"));
    assert_int_equal(log_spy_count(LOG_DEBUG), 1);
}

static void test_configure_without_memory(void **state)
{
    (void)state;
    const char *const argv[] = {"init", "-t", "-v", "-cx", NULL};
    scratch_file("/c", "-v\n-t\n");
    fail_copy = 2;
    struct options options = configure(scratch_path("/c"), 1, argv);
    assert_true(options.verbose);
    assert_false(options.print_timing);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
    fail_add = 2;
    options = configure(scratch_path("/absent"), 4, argv);
    assert_true(options.print_timing);
    assert_false(options.verbose);
    assert_null(options.ctty.text);
    assert_int_equal(log_spy_count(LOG_ERROR), 1);
}

/* Nothing that a file can hold stops the parser, and each word gets one line at most. */
/* Each kind of rubbish, 300000 bytes of it: fifty lines and one, and what is known still counts. */
static void test_flood_of_unknown_options(void **state)
{
    (void)state;
    static const char *const rubbish[] = {"-Z ", "--frobnicate ", "--re "};
    static char content[300100];
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        size_t length = strlen(rubbish[i]);
        for (size_t at = 0; at + length <= 300000; at += length)
            memcpy(content + at, rubbish[i], length);
        memcpy(content + 300000 / length * length, "-v --uid 7", sizeof "-v --uid 7");
        struct options options = options_of(content);
        assert_int_equal(log_spy_count(LOG_WARNING), 51);
        assert_non_null(strstr(log_spy_last(), "too many unknown options"));
        assert_true(options.verbose);
        assert_string_equal(options.uid.text, "7");
    }
}

static void test_any_bytes(void **state)
{
    (void)state;
    unsigned int seed = 1;
    for (int round = 0; round < 300; round++) {
        char content[512];
        for (size_t i = 0; i < sizeof content; i++) {
            seed = seed * 1103515245 + 12345;
            unsigned int pick = seed >> 16;
            content[i] = pick % 3 == 0 ? "-- \n=\"#;:tvce"[pick / 3 % 13] : (char)(pick >> 4);
        }
        struct words words = {0};
        struct options options;
        options_defaults(&options);
        assert_int_equal(words_from_config("f", content, sizeof content, &words), 0);
        options_parse(&words, &options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_clusters_and_attached_values),
        cmocka_unit_test(test_long_forms),
        cmocka_unit_test(test_words_that_are_no_options),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_our_options_give_way),
        cmocka_unit_test(test_ambiguous),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_missing_value),
        cmocka_unit_test(test_flag_values),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_last_one_wins),
        cmocka_unit_test(test_empty_is_not_given),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_300_options),
        cmocka_unit_test(test_official_configs),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test_setup_teardown(test_configure, scratch_make, scratch_remove),
        cmocka_unit_test(test_flood_of_unknown_options),
        cmocka_unit_test_setup_teardown(test_sources_are_apart, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_unreadable_config, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_configure_without_memory, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
