# SPDX-License-Identifier: MIT
"""A QEMU machine as an object: what it prints, what one types, how it ended.

Nothing here sleeps: one thread reads the machine's channels, and whoever waits is woken by what
arrives, or by the deadline.
"""
import atexit
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

QEMU = "qemu-system-x86_64"
KERNEL_WORDS = (
    "console=ttyS0 panic=-1 ignore_loglevel "
    # Emulation: no calibration, no self-tests, no search for ports that are not there.
    "tsc=reliable no_timer_check cryptomgr.notests 8250.nr_uarts=2 mitigations=off nowatchdog")
_alive = set()


class VmError(AssertionError):
    """The machine did not do what was waited for; carries the end of its console."""


def _reap_all():
    for machine in list(_alive):
        machine.stop()


atexit.register(_reap_all)


class Vm:
    """One run of QEMU, from its start to its end."""

    def __init__(self, kernel, cmdline="", initrd=None, disks=(), bus="nvme", memory_mib=256, cpus=1,
                 rtc="base=1970-01-01", extra=(), base_words=KERNEL_WORDS):
        self.started = time.monotonic()
        self._changed = threading.Condition()
        self._data = {"console": bytearray(), "report": bytearray(), "qmp": bytearray()}
        self.events = []      # QMP events
        self.ended = None     # reason of the SHUTDOWN event
        self._eof = False
        near, far = {}, {}
        for name in self._data:
            near[name], far[name] = socket.socketpair()
            far[name].set_inheritable(True)
        words = [QEMU, "-accel", "tcg", "-cpu", "max", "-machine", "q35", "-smp", str(cpus),
                 "-m", str(memory_mib), "-nodefaults", "-display", "none", "-no-reboot",
                 "-rtc", rtc, "-kernel", str(kernel), "-append", f"{base_words} {cmdline}".strip()]
        if initrd:
            words += ["-initrd", str(initrd)]
        for name in self._data:
            words += ["-chardev", f"socket,id={name},fd={far[name].fileno()}"]
        words += ["-serial", "chardev:console", "-serial", "chardev:report",
                  "-mon", "chardev=qmp,mode=control"]
        for number, disk in enumerate(disks):
            # A Path is an image; a str is what -drive is told about something else.
            what = disk if isinstance(disk, str) else f"file={disk},format=raw,discard=unmap"
            words += ["-drive", f"{what},if=none,id=disk{number}",
                      "-device", DEVICES[bus].format(number=number)]
        words += [str(word) for word in extra]
        if shutil.which("setpriv"):  # QEMU dies with us, even when we are killed
            words = ["setpriv", "--pdeathsig", "KILL", *words]
        self.words = words
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True, pass_fds=[end.fileno() for end in far.values()])
        _alive.add(self)
        for end in far.values():
            end.close()
        self._near = near
        near["qmp"].sendall(b'{"execute": "qmp_capabilities"}\n')
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # --- the reading thread ---

    def _read(self):
        chooser = selectors.DefaultSelector()
        for name, end in self._near.items():
            chooser.register(end, selectors.EVENT_READ, name)
        while chooser.get_map():
            for key, _ in chooser.select():
                try:
                    data = key.fileobj.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    chooser.unregister(key.fileobj)
                    continue
                with self._changed:
                    self._data[key.data] += data
                    if key.data == "qmp":
                        self._take_events()
                    self._changed.notify_all()
        chooser.close()
        with self._changed:
            self._eof = True
            self._changed.notify_all()

    def _take_events(self):
        *lines, rest = bytes(self._data["qmp"]).split(b"\n")
        self._data["qmp"][:] = rest
        for line in lines:
            if not line.strip():
                continue
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
                if message["event"] == "SHUTDOWN":
                    self.ended = message["data"]["reason"]

    # --- waiting ---

    def _wait(self, ready, timeout, what):
        """Wait until READY() is not None, in at most TIMEOUT seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while (result := ready()) is None:
                left = deadline - time.monotonic()
                if self._eof or left <= 0:
                    why = "machine ended" if self._eof else f"not within {timeout} s"
                    raise VmError(f"{what}: {why}\n{self.tail()}")
                self._changed.wait(left)
            return result

    def wait_for(self, regex, timeout=30, after=0):
        """The match of REGEX (bytes) on the console; AFTER: position from which to look."""
        pattern = re.compile(regex, re.M)
        return self._wait(lambda: pattern.search(self.kmsg, after), timeout,
                          f"waiting for {regex!r} on the console")

    def wait_report(self, regex, timeout=30):
        """The match of REGEX (bytes) in what came over the second serial port."""
        pattern = re.compile(regex, re.M)
        return self._wait(lambda: pattern.search(self._report()), timeout,
                          f"waiting for {regex!r} in the report")

    def wait_end(self, timeout=30):
        """How it ended: reboot, poweroff, halt or panic."""
        def ready():
            if re.search(rb"^.*Kernel panic - not syncing", self.kmsg, re.M) and \
                    (self.ended or self._eof):
                return "panic"
            if re.search(rb"^.*reboot: System halted", self.kmsg, re.M):
                return "halt"
            return {"guest-reset": "reboot", "guest-shutdown": "poweroff"}.get(self.ended)
        how = self._wait(ready, timeout, "waiting for the end")
        self.stop(how == "halt")
        return how

    # --- looking ---

    @property
    def kmsg(self):
        """Everything on the console so far: the kernel's log and what programs wrote."""
        return bytes(self._data["console"]).replace(b"\r\n", b"\n")

    def _report(self):
        return bytes(self._data["report"]).replace(b"\r\n", b"\n")

    @property
    def report(self):
        """Everything that the guest sent over the second serial port so far."""
        with self._changed:
            return self._report()

    @property
    def position(self):
        """A position for wait_for(after=...): the console's end as of now."""
        with self._changed:
            return len(self.kmsg)

    def log_lines(self, tag=b"erlinit: "):
        """What TAG's program said in the kernel log, without time stamp and tag."""
        return re.findall(rb"^\[ *[0-9.]+\] " + re.escape(tag) + rb"(.*)$", self.kmsg, re.M)

    def time_of(self, regex):
        """The kernel's time stamp, in seconds, of the first log line matching REGEX."""
        found = re.search(rb"^\[ *([0-9.]+)\] .*" + regex, self.kmsg, re.M)
        if not found:
            raise VmError(f"no log line {regex!r}\n{self.tail()}")
        return float(found[1])

    def cpu_s(self):
        """Processor time that the running QEMU has used, in seconds."""
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def tail(self, lines=60):
        text = self.kmsg.decode(errors="replace").splitlines()
        return "\n".join(["--- console ---", *text[-lines:]])

    # --- acting ---

    def send(self, data):
        """Type on the console."""
        self._near["console"].sendall(data)

    def qmp(self, command, **arguments):
        """Give QEMU a command; its answer is not waited for."""
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        self._near["qmp"].sendall(json.dumps(message).encode() + b"\n")

    def press_ctrl_alt_del(self):
        keys = [{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")]
        self.qmp("send-key", keys=keys)

    def stop(self, kill=True):
        """The end of QEMU; KILL: as if the power went away."""
        if self not in _alive:
            return
        try:
            if kill:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        except ProcessLookupError:
            self._process.wait()
        self._reader.join(10)
        words = self._process.stderr.read().decode(errors="replace")
        if words.strip():
            with self._changed:
                self._data["console"] += f"\n--- QEMU: {words}".encode()
        self._process.stderr.close()
        for end in self._near.values():
            end.close()
        _alive.discard(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


DEVICES = {"nvme": "nvme,drive=disk{number},serial=disk{number}",
           "virtio": "virtio-blk-pci,drive=disk{number},serial=disk{number}"}
