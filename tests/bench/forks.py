"""Servers that fork: what fork() costs them, what a worker pays as it wakes and while it idles, how long a takeover lasts."""

import http.client
import os
import shutil
import signal
import statistics
import subprocess
import time

from host import Host, free_port, wait_until
from measure import Row, Table, interleave
from variants import AGAIN, JEMALLOC, NONE, PORTHOLE, PORTHOLE_CLOSED, all_variants

FORK_RATIO_TARGET = 1.10  # of the time of fork(), against no preload
MEMBER_TARGET_BYTES = 300e3  # private memory of an idle member
TAKEOVER_TARGET_NS = 1e9
NGINX_HEAP_BYTES = 4000000  # what a master of nginx with some hundred lines of configuration holds


def libraries_of(program):
    """The libraries that @program needs, but for libc: what is mapped, fork() has to copy."""
    told = subprocess.run(["ldd", shutil.which(program)], text=True, stdout=subprocess.PIPE, check=True).stdout
    return [line.split()[2] for line in told.splitlines() if "=> /" in line and "/libc.so" not in line]


class ForkHost(Host):
    """tests/bench/fork_loop.c under a variant, with the libraries of nginx."""

    def __init__(self, settings, variant, heap_bytes=NGINX_HEAP_BYTES, children=0):
        program = os.path.join(settings.build, "tests/bench/fork_loop")
        self.port, self.endpoint = free_port(), free_port()
        preload = " ".join([variant.environment.get("LD_PRELOAD", ""), *libraries_of("nginx")]).strip()
        super().__init__([program, str(self.port), str(heap_bytes), str(children)],
                         {**variant.environment, "PORTHOLE_LISTEN": f"127.0.0.1:{self.endpoint}",
                          "LD_PRELOAD": preload},
                         log=os.path.join(settings.work, "errors"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("fork_loop did not start")
        self.wait_ready(*([self.endpoint] if variant.has_endpoint else []))

    def ask(self, command):
        """The median of the figures it answers."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return statistics.median(int(word) for word in self.process.stdout.readline().split())

    def stop(self):
        """The children too; they outlive their parent."""
        children = self.children() if self.process.poll() is None else []
        super().stop()
        for pid in children:
            kill(pid)

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]


def loop_table(settings, title, what, heap_bytes, ratio_target=None):
    """One host a variant, all alive at once, asked in turn."""
    variants = all_variants(settings.build, settings.work)
    names = (NONE, AGAIN, JEMALLOC, PORTHOLE_CLOSED, PORTHOLE)
    count = settings.pick(200, 20)
    hosts = {}
    try:
        for name in names:
            hosts[name] = ForkHost(settings, variants[name], heap_bytes)
        figures = interleave(settings.rounds, {name: lambda name=name: hosts[name].ask(f"{what} {count}")
                                               for name in names},
                             lambda number: settings.note(f"{title}, round {number + 1} of {settings.rounds}"))
    finally:
        for host in hosts.values():
            host.stop()
    return Table(title, [
        Row("Porthole : no preload", "us", figures[PORTHOLE], figures[NONE], ratio_target=ratio_target),
        Row("Porthole : jemalloc", "us", figures[PORTHOLE], figures[JEMALLOC]),
        Row("Porthole, no endpoint : no preload", "us", figures[PORTHOLE_CLOSED], figures[NONE]),
        Row("jemalloc : no preload", "us", figures[JEMALLOC], figures[NONE]),
        Row("no preload, again : no preload", "us", figures[AGAIN], figures[NONE]),
    ])


def get(host, path, timeout=5):
    connection = http.client.HTTPConnection("127.0.0.1", host.endpoint, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def private_bytes(pids):
    """Of each: pages that it shares with no other process."""
    found = []
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as file:
            found.append(sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_")))
    return found


def switches(pids):
    """Context switches of all threads."""
    total = 0
    for pid in pids:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8", errors="replace") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


def has_window(pid):
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
        return f"@porthole/{pid}\n" in file.read()


def idle_figures(settings, variant, count, seconds):
    """Median private bytes of a child, and the switches of all of them while nobody asks."""
    settings.note(f"{count} idle members, {variant.name}")
    with ForkHost(settings, variant, children=count) as host:
        pids = host.children()
        if variant.has_endpoint:
            wait_until(lambda: has_window(pids[-1]) and has_window(pids[0]), "the children to wake", 60)
        time.sleep(settings.pick(5, 2))
        memory, before = private_bytes(pids), switches(pids)
        time.sleep(seconds)
        return statistics.median(memory), switches(pids) - before, len(pids)


def idle_table(settings):
    count, seconds = settings.pick(500, 20), settings.pick(5, 1)
    variants = all_variants(settings.build, settings.work)
    plain = idle_figures(settings, variants[JEMALLOC], count, seconds)
    ours = idle_figures(settings, variants[PORTHOLE], count, seconds)
    if ours[2] != count:
        raise RuntimeError(f"{ours[2]} of {count} children live")
    return [
        Table(f"private memory of one of {count} idle members",
              [Row("Porthole : jemalloc", "bytes", [ours[0]], [plain[0]], more_target=MEMBER_TARGET_BYTES)]),
        Table(f"context switches of {count} idle members in {seconds} s",
              [Row("all threads of all", "count", [ours[1]], [plain[1]], more_target=0)]),
    ]


def takeover_ns(host):
    """From the end of the front to the first answer, and a request before; a refused one would raise."""
    wait_until(lambda: all(has_window(pid) for pid in host.children()), "the children to wake", 60)
    start_ns = time.monotonic_ns()
    get(host, "/debug/pprof/")
    usual_ns = time.monotonic_ns() - start_ns
    start_ns = time.monotonic_ns()
    os.kill(host.pid, signal.SIGKILL)
    get(host, "/debug/pprof/", 10)
    return time.monotonic_ns() - start_ns, usual_ns


def takeover_table(settings):
    variant = all_variants(settings.build, settings.work)[PORTHOLE]
    figures = []
    for number in range(settings.rounds):
        settings.note(f"takeover, round {number + 1} of {settings.rounds}")
        with ForkHost(settings, variant, children=8) as host:
            children = host.children()
            try:
                figures.append(takeover_ns(host))
            finally:
                for pid in children:
                    kill(pid)
    return Table("the front is killed: until the next answers (peer: a request as usual)", [
        Row("takeover : a request", "ms", [taken for taken, _ in figures], [usual for _, usual in figures],
            more_target=TAKEOVER_TARGET_NS)])


def kill(pid):
    """A child of a host that may be gone: only if it is still that program."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read() == "fork_loop\n":
                os.kill(pid, signal.SIGKILL)
    except OSError:
        pass


def tables(settings):
    yield loop_table(settings, f"fork() of a process with the libraries of nginx and {NGINX_HEAP_BYTES / 1e6:g} MB of heap", "fork",
                     NGINX_HEAP_BYTES, FORK_RATIO_TARGET)
    yield loop_table(settings, "the same with 100 MB of heap", "fork", 100000000)
    yield loop_table(settings, "waking: the first call of a worker that can wait", "wake", NGINX_HEAP_BYTES)
    yield from idle_table(settings)
    yield takeover_table(settings)
