# SPDX-License-Identifier: MIT
"""Which release, which version, which run-time system is started."""
from complaints import NAMED, complaints
from machine import Machine

BASE = "/srv/erlang"
SCRIPT = "report_args args \"$0\" \"$@\"; report_env; exit 0"
ERLEXEC = "#!/bin/sh\n. /lib/guest.sh\n" + SCRIPT + "\n"
LONG_ERTS = "15.2.7.1-a-build-with-a-name-of-more-than-32-characters"
LONG_VERSION = "1.0.0-rc.1+20251204.a-commit-of-the-application.0123456789abcdef"
STANDARD = "/usr/lib/erlang"


def version(base, name, boot="start", **more):
    """The files of one version; MORE: name without its dot -> content, None leaves it out."""
    files = {f"{boot}.boot": "boot\n", "sys.config": "[].\n", "vm.args": "\n", **more}
    return {f"{base}/releases/{name}/{file}": text for file, text in files.items()
            if text is not None}


def erts(place, name):
    return {f"{place}/erts-{name}/bin/erlexec": ERLEXEC}


def run(release, config="", **more):
    """Boot a device with this release alone: (arguments, environment, complaints)."""
    tree = {"/lib/guest.sh": Machine(files=NAMED).base["/lib/guest.sh"], **release}
    with Machine(config=config, release=tree, files=NAMED, **more).boot() as vm:
        args = [word.decode() for word in vm.reported("args")]
        env = vm.reported("env")
        assert vm.wait_end() == "reboot"
        return args, env, complaints(vm)


def value(args, name):
    return args[args.index(name) + 1]


def fatal(release, config=""):
    """Boot a device that can't start a VM: its complaints."""
    machine = Machine(config=f"{config}--poweroff-on-fatal\n", release=release, files=NAMED)
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert b"args " not in vm.report
        return complaints(vm)


def test_one_directory_down():
    """Its name is the release's and its boot file's; hidden directories and files are none."""
    base = f"{BASE}/beta"
    args, env, told = run({
        **version(base, "0.1.0", boot="beta", **{"aaa.boot": "boot\n"}),
        **version(base, "0.2.0", boot="beta"), **version(f"{BASE}/gamma", "9.9.9"),
        **version(f"{BASE}/.alpha", "0.9.0"), f"{base}/releases/start_erl.data": "14.0 0.1.0",
        **erts(base, "14.0"), **erts(STANDARD, "13.0"), **erts(STANDARD, "15.0"),
        f"{BASE}/aaa/file": "no release\n"}, config="-r /nowhere:/srv/erlang/\n")
    assert args[0] == f"{base}/erts-14.0/bin/erlexec"
    assert value(args, "-boot") == f"{base}/releases/0.1.0/beta"
    assert value(args, "RELEASE_LIB") == f"{base}/lib"
    assert "ERTS_LIB_DIR" not in args  # there is no /usr/lib/erlang/lib
    assert (env["ROOTDIR"], env["BINDIR"]) == (base, f"{base}/erts-14.0/bin")
    assert env["RELEASE_SYS_CONFIG"] == f"{base}/releases/0.1.0/sys"
    assert told == []


def test_two_versions_and_long_names():
    """The older one, named by words that the old program would have cut."""
    args, _, told = run({
        **version(BASE, LONG_VERSION), **version(BASE, LONG_VERSION[:32]), **version(BASE, "2.0.0"),
        f"{BASE}/releases/start_erl.data": f"\n {LONG_ERTS}\t{LONG_VERSION} \n",
        **erts(STANDARD, LONG_ERTS), **erts(STANDARD, LONG_ERTS[:32])})
    assert args[0] == f"{STANDARD}/erts-{LONG_ERTS}/bin/erlexec"
    assert value(args, "-boot") == f"{BASE}/releases/{LONG_VERSION}/start"
    assert told == []


def test_what_start_erl_names_is_missing():
    args, _, told = run({
        **version(BASE, "1.9"), **version(BASE, "1.10"), **version(BASE, ".2.0"),
        f"{BASE}/releases/3.0": "a file\n", f"{BASE}/releases/start_erl.data": "13.5 1.11\n",
        **erts(STANDARD, "13.0")})
    assert args[0] == f"{STANDARD}/erts-13.0/bin/erlexec"
    assert value(args, "-config") == f"{BASE}/releases/1.9/sys.config"
    assert len(told) == 2
    assert "1.11" in told[0] and "isn't there" in told[0]
    assert "ERTS 13.5" in told[1]


def test_only_real_boot_files_and_libraries_count():
    """Point 18: hidden names, copies that editors leave, links."""
    linked = {"/opt/protocols/consolidated/x.beam": "beam\n",
              f"{BASE}/lib/linked": ("symlink", "/opt/protocols")}
    args, _, told = run({
        **version(BASE, "0.1.0", boot="real", **{
            "sys.config": None, "vm.args": None, "a.boot.bak": "old\n", ".b.boot": "hidden\n",
            "c.boot~": "old\n", "d.boot/file": "a directory\n"}),
        **linked, f"{BASE}/lib/.x/consolidated/x.beam": "hidden\n",
        f"{BASE}/lib/aaa/consolidated": "a file\n",
        f"{BASE}/releases/0.1.0/consolidated": "a file\n",
        **erts(BASE, "15.0"), **erts(STANDARD, "13.0")}, config="--release-include-erts\n")
    assert args[0] == f"{BASE}/erts-15.0/bin/erlexec"
    assert args[1:] == ["-pa", f"{BASE}/lib/linked/consolidated",
                        "-boot", f"{BASE}/releases/0.1.0/real",
                        "-boot_var", "RELEASE_LIB", f"{BASE}/lib"]
    assert told == [f"no file {BASE}/releases/0.1.0/{name}, the VM starts without it"
                    for name in ("sys.config", "vm.args")]


def test_libraries_of_a_release_with_protocols_of_its_own_are_not_searched():
    """Where today's mix puts them; the boot file knows."""
    args, _, told = run({
        **version(BASE, "0.1.0"), f"{BASE}/releases/0.1.0/consolidated/x.beam": "x\n",
        f"{BASE}/lib/one/consolidated/x.beam": "x\n", f"{STANDARD}/lib/x": "x\n", **erts(STANDARD, "13.0")})
    assert "-pa" not in args and value(args, "-boot_var")
    assert told == []


def test_several_to_choose_from():
    release = {**version(BASE, "0.1.0", boot="zebra", **{"ant.boot": "boot\n"}),
               **version("/opt/app", "0.3.0", **{"special.boot": "boot\n"}),
               f"{BASE}/lib/one/consolidated/x.beam": "x\n",
               f"{BASE}/lib/two/consolidated/x.beam": "x\n", f"{STANDARD}/lib/x": "x\n",
               **erts(STANDARD, "13.0")}
    args, _, told = run(release, config="--boot missing\n")
    assert value(args, "-boot") == f"{BASE}/releases/0.1.0/ant"
    assert value(args, "-pa") == f"{BASE}/lib/one/consolidated"
    assert value(args, "ERTS_LIB_DIR") == f"{STANDARD}/lib"
    assert len(told) == 3
    for line, words in zip(told, ("\"missing\"", "ant.boot", "of one")):
        assert words in line
    args, _, told = run(release, config="-r /opt/app:/srv/erlang\n-b special.boot\n")
    assert value(args, "-boot") == "/opt/app/releases/0.3.0/special"
    assert told == []


def test_no_release_at_all():
    """The plain VM comes up; somebody may be there to repair the device."""
    args, env, told = run({**erts(STANDARD, "13.0"), f"{BASE}/empty/file": "x\n"})
    assert args == [f"{STANDARD}/erts-13.0/bin/erlexec", "-boot_var", "RELEASE_LIB",
                    f"{STANDARD}/lib"]
    assert env["ROOTDIR"] == STANDARD
    assert "RELEASE_ROOT" not in env
    assert told == ["no release found in /srv/erlang, starting the VM without"]


def test_no_boot_file_is_fatal():
    told = fatal({**version(BASE, "0.1.0", **{"start.boot": None, "x.boot.bak": "boot\n"}),
                  **erts(STANDARD, "13.0")})
    assert told[0] == f"no .boot file in {BASE}/releases/0.1.0: build the release again, or name " \
        "one with --boot"
    assert told[1:] == ["Step release of the boot has failed", "erlinit can't continue"]


def test_two_run_time_systems_are_fatal():
    told = fatal({**version(BASE, "0.1.0"), **erts(STANDARD, "13.0"), **erts(STANDARD, "15.0")})
    assert told[0] == f"several Erlang run-time systems in {STANDARD}, from erts-13.0 to " \
        "erts-15.0: leave one, or name one in releases/start_erl.data"


def test_no_run_time_system_is_fatal():
    told = fatal({**version(BASE, "0.1.0"), **erts(STANDARD, "13.0")},
                 config="--release-include-erts\n")
    assert told[0].startswith(f"no Erlang run-time system (erts-*) in {BASE}: ")
    assert "--release-include-erts" in told[0]
