#!/usr/bin/env python3
"""CPython's own tests, without Porthole and with it while a client asks for profiles, compared case by case.

    run.py --probe LIBPORTHOLE --out FOLDER --modules FILE [--known FILE] [--jobs N] [--again N] [--limit SECONDS]

The file of modules has one a line: its name, how it is run with Porthole (`scraped`: a client asks for heaps; `profiled`: every
process is profiled, and its threads are dumped; or both, with a comma), options for `python3 -m test`. For each of these runs
a line is printed: module and how, `same`, `differs` or `cannot`, and a summary, separated by tabs; what differs is in
FOLDER/MODULE.HOW.differs. A last line, `clients`, tells what these got.

A case that is worse with Porthole is run again, without and with: what fails without Porthole now and then, too, or
what never fails again, is told and not held against Porthole. A crash is, at once.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import cases
import profiler
import scrape

PYTHON = "/usr/bin/python3"  # the one that libpython3-testsuite belongs to
GRACE_SECONDS = 2
CLIENTS = {"scraped": scrape.Scraper, "profiled": profiler.Profiler}  # with Porthole, by how it is run; else "without"
TOKEN = "CPYTHON_RUN"  # in the environment of all that a run starts: how its processes are known


Facts = collections.namedtuple("Facts", "state session threads")


def facts_of(pid):
    """From /proc/PID/stat; OSError if there is no such process."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return Facts(fields[0], int(fields[3]), int(fields[17]))


def lives(pid):
    """Runs, or is one whose first thread has ended and others have not."""
    try:
        facts = facts_of(pid)
    except OSError:
        return False
    return facts.state not in b"ZX" or facts.threads > 1


class Ports:
    """Ranges of scrape.PORTS free ports, no two runs the same."""

    def __init__(self):
        self.lock, self.taken = threading.Lock(), set()

    @staticmethod
    def is_free(port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return probe.connect_ex(("127.0.0.1", port)) != 0

    def take(self):
        with self.lock:
            while True:
                first = random.randrange(10000, 32000, scrape.PORTS)
                if first not in self.taken and all(map(self.is_free, range(first, first + scrape.PORTS))):
                    self.taken.add(first)
                    return first


class Run:
    """One module, one mode, one process of ours and whatever it starts."""

    def __init__(self, settings, module, mode, number, only=()):
        self.settings, self.module, self.mode = settings, module, mode
        self.token = f"{os.getpid()}-{module.name}-{mode}-{number}"
        self.only = [argument for name in only for argument in ("-m", name)]
        self.stem = settings.out / f"{module.name}.{mode}.{number}"
        self.folder = settings.out / f"tmp.{self.token}"
        self.port = 0 if mode == "without" else settings.ports.take()

    def environment(self):
        plain = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        plain[TOKEN] = self.token
        if self.mode != "without":
            plain |= {"PORTHOLE_START": "now", "PORTHOLE_LISTEN": f"127.0.0.1:{self.port}", "PORTHOLE_LOG": "quiet",
                      "PORTHOLE_HEAP_SAMPLE": "64KiB", "LD_PRELOAD": self.settings.probe}
        return plain

    def is_ours(self, pid):
        """By its environment; by its session, if it has no memory any more but threads, or another environment."""
        try:
            if facts_of(pid).session == self.pid:
                return True
            with open(f"/proc/{pid}/environ", "rb") as file:
                return f"{TOKEN}={self.token}\0".encode() in file.read()
        except OSError:
            return False

    def processes(self):
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if self.is_ours(pid) and lives(pid)]

    def left_behind(self):
        """What outlives the run, in words, and ends now."""
        end = time.monotonic() + GRACE_SECONDS
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.1)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return len(left)

    def start(self, log):
        # A shell's background jobs ignore SIGINT, and python would not raise KeyboardInterrupt.
        command = ["env", "--default-signal=INT,QUIT", "setpriv", "--pdeathsig", "KILL", PYTHON, "-m", "test", "-v",
                   "--fail-env-changed", "--junit-xml", f"{self.stem}.xml", *self.only, *self.module.options,
                   self.module.name]
        return subprocess.Popen(command, env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self, process):
        """Its exit status, "hung" if it took too long: SIGABRT lets faulthandler tell where it was."""
        try:
            return cases.how_it_ended(process.wait(self.settings.limit))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return "hung"

    def execute(self):
        self.folder.mkdir()
        client = CLIENTS[self.mode](self.port, self.is_ours) if self.mode in CLIENTS else None
        started = time.monotonic()
        with open(f"{self.stem}.log", "wb") as log:
            process = self.start(log)
            self.pid = process.pid
            if client:
                client.start()
            self.ended = self.wait(process)
        self.seconds = time.monotonic() - started
        left = self.left_behind()
        self.counts = client.stop() if client else collections.Counter()
        self.cases = cases.read_cases(f"{self.stem}.xml")
        self.crashed = self.cases is None and not self.ended.startswith("status")
        self.state = self.ended + (f", {left} processes left behind" if left else "")
        return self

    def log(self):
        return pathlib.Path(f"{self.stem}.log").read_text(errors="replace")

    def outcome(self, name):
        """The state of a case; of the run itself: "completed" if it ended well, otherwise how."""
        if name == cases.THE_RUN:
            return "completed" if self.state == "status 0" else self.state
        return (self.cases or {}).get(name, "absent")


class Module:
    """A module, and all runs of it."""

    def __init__(self, line):
        self.name, modes, *self.options = line.split()
        self.modes = modes.split(",")
        self.runs = {mode: [] for mode in ["without", *self.modes]}

    def bad_count(self, mode, name):
        return sum(run.outcome(name) != "completed" for run in self.runs[mode])

    def crashed(self, mode):
        return any(run.crashed for run in self.runs[mode])


class Comparison:
    """The runs of a module without Porthole and those of one kind with it."""

    def __init__(self, module, mode):
        self.module, self.mode = module, mode
        self.stem = f"{module.name}.{mode}"

    def first(self):
        return self.module.runs["without"][0], self.module.runs[self.mode][0]

    def differing(self):
        """{case: (state without, state with)} where Porthole has the worse; how the run ended, if no case tells."""
        without, with_it = self.first()
        found = {} if with_it.cases is None else cases.compare(without.cases or {}, with_it.cases)
        if not found and with_it.state not in (without.state, "status 0"):
            found[cases.THE_RUN] = (without.state, with_it.state)
        return found

    def again(self, numbers, known):
        """The runs that tell whether it differs again: of these cases, or of everything if the run itself was worse."""
        names = set(self.differing()) - known
        only = () if any(" " in name for name in names) else tuple(names)
        return [(self.module, mode, f"{self.mode}.{number}", only)
                for number in numbers if names for mode in ("without", self.mode)]

    def is_new(self, name):
        """Fails with Porthole more than once, or by a crash, and never without."""
        crashed = self.module.crashed(self.mode) and not self.module.crashed("without")
        return self.module.bad_count("without", name) == 0 and (self.module.bad_count(self.mode, name) > 1 or crashed)

    def tell(self, name, states):
        counts = [f"{mode} {self.module.bad_count(mode, name)} of {len(self.module.runs[mode])}"
                  for mode in ("without", self.mode)]
        text = f"{name}: {states[0]} without Porthole, {states[1]} {self.mode}; bad runs: {', '.join(counts)}\n"
        for run in self.module.runs[self.mode]:
            found = cases.details_of(run.log(), name)
            if found or run.cases is None:
                return text + (found or run.log()[-3000:]) + "\n"
        return text

    def verdict(self, known, out):
        differing = {name: states for name, states in self.differing().items() if name not in known}
        new = [name for name in differing if self.is_new(name)]
        without, with_it = self.first()
        text = "".join(self.tell(name, differing[name]) for name in new)
        once = "".join(f"now and then: {self.tell(name, differing[name])}" for name in differing if name not in new)
        if not without.cases:
            text = f"does not run without Porthole:\n{without.log()[-3000:]}"
        if text or once:
            (out / f"{self.stem}.differs").write_text(text + once)
        summary = f"{len(without.cases or {})} cases, {without.seconds:.0f} s without and {with_it.seconds:.0f} s with"
        return ("differs" if new else "same" if without.cases else "cannot"), summary


def run_all(settings, jobs):
    """Each of (module, mode, number, names of cases), a few at a time."""
    with concurrent.futures.ThreadPoolExecutor(settings.jobs) as pool:
        runs = list(pool.map(lambda job: Run(settings, *job).execute(), jobs))
    for run in runs:
        run.module.runs[run.mode].append(run)
        settings.counts.update(run.counts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--modules", required=True, type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--again", type=int, default=3)
    parser.add_argument("--limit", type=int, default=120, help="seconds for one module")
    parser.add_argument("--known", type=pathlib.Path)
    settings = parser.parse_args()
    settings.ports, settings.counts = Ports(), collections.Counter()
    known = {line.split()[0] for line in settings.known.read_text().splitlines() if line} if settings.known else set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    modules = [Module(line) for line in settings.modules.read_text().splitlines()]
    comparisons = [Comparison(module, mode) for module in modules for mode in module.modes]
    run_all(settings, [(module, mode, 0) for module in modules for mode in module.runs])
    run_all(settings, [job for comparison in comparisons for job in comparison.again(range(1, settings.again + 1), known)])
    for comparison in comparisons:
        print(comparison.stem, *comparison.verdict(known, settings.out), sep="\t")
    print("clients", *(f"{kind} {count}" for kind, count in sorted(settings.counts.items())), sep="\t")


main()
