"""Programs under test: started on a core of their own, ended by their own pid; their CPU time and memory."""

import os
import random
import signal
import socket
import subprocess
import time

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]

# What the user has set must not leak into hosts.
FOREIGN = ("LD_PRELOAD", "MALLOC_CONF", "DEBUGINFOD_URLS")


def clean_environment(more=None):
    environment = {name: value for name, value in os.environ.items()
                   if name not in FOREIGN and not name.startswith(("PORTHOLE_", "TCMALLOC_", "HEAPTRACK_"))}
    environment.update(LC_ALL="C", **(more or {}))
    return environment


def on_core(core, command):
    return ["taskset", "-c", str(core), *command]


def run_client(command, timeout_s=120):
    """Run to the end on the client's core; its standard output."""
    done = subprocess.run(on_core(CLIENT_CORE, command), env=clean_environment(), timeout=timeout_s, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


def free_port():
    """A free port on 127.0.0.1, below the range that the kernel hands out itself."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, what, timeout_s=20):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(0.01)


def child_of(parent, name):
    """The pid of the child that runs program @name; 0 if there is none (yet)."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                command, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if command == name and int(rest.split()[1]) == parent:
            return int(entry)
    return 0


class Host:
    """A running program: a context manager, so that nothing outlives the benchmark."""

    def __init__(self, command, environment=None, wrapper=(), log=os.devnull, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL):
        self.command = command
        self.wrapper = list(wrapper)
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *on_core(SERVER_CORE, [*self.wrapper, *command])],
                env=clean_environment(environment), stdin=stdin, stdout=stdout, stderr=errors, text=True)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self, *ports):
        """Until the program listens on all ports. A wrapped program's pid is its own, not the wrapper's."""
        for port in ports:
            wait_until(lambda: self.process.poll() is not None or answers(port),
                       f"{self.command[0]} on port {port}")
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}")
        if self.wrapper:
            self.pid = child_of(self.process.pid, os.path.basename(self.command[0])[:15])
            if not self.pid:
                raise RuntimeError(f"{self.command[0]} is not a child of {self.wrapper[0]}")

    def has_mapped(self, library):
        """ld.so only warns of a preload that it cannot load; the host would be measured without it."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8", errors="replace") as file:
            return os.path.basename(library).removesuffix(".so") in file.read()

    def stop(self):
        for pid, signal_number in ((self.pid, signal.SIGTERM), (self.process.pid, signal.SIGKILL)):
            if self.process.poll() is not None:
                break
            try:
                os.kill(pid, signal_number)
                self.process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def cpu_ns(self):
        """CPU time, user and system, of all threads that live or have lived: clock_getcpuclockid(3)'s clock."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def threads_cpu_ns(self, prefix):
        """CPU time of the living threads whose name begins with @prefix (proc(5), schedstat)."""
        total = 0
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            folder = f"/proc/{self.pid}/task/{tid}"
            with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
                if not file.read().startswith(prefix):
                    continue
            with open(f"{folder}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def status(self, field):
        """A figure of /proc/PID/status, in bytes."""
        return read_kib(f"/proc/{self.pid}/status", field)

    def memory(self):
        """{"rss", "pss", "private"} in bytes."""
        path = f"/proc/{self.pid}/smaps_rollup"
        return {"rss": read_kib(path, "Rss"), "pss": read_kib(path, "Pss"),
                "private": read_kib(path, "Private_Clean") + read_kib(path, "Private_Dirty")}

    def reset_peak(self):
        """VmHWM starts again from what is resident now (proc(5), clear_refs)."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def switches(self, prefix):
        """Context switches of the threads whose name begins with @prefix, and how many such threads there are."""
        total = threads = 0
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            folder = f"/proc/{self.pid}/task/{tid}"
            with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
                if not file.read().startswith(prefix):
                    continue
            threads += 1
            with open(f"{folder}/status", encoding="utf-8", errors="replace") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
        return total, threads


def read_kib(path, field):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise KeyError(f"{path} has no {field}")
