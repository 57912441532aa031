"""One heap request at many stacks: against jemalloc's own dump in the same process, and against jeprof."""

import http.client
import os
import subprocess
import time

from host import CLIENT_CORE, Host, clean_environment, free_port, on_core
from measure import Row, Table, interleave
from variants import PORTHOLE, all_variants

RATIO_TARGET = 1.5  # of time, against jemalloc's dump
TARGET_STACKS = 100000


class StacksHost(Host):
    """tests/bench/host_stacks.c with Porthole and its endpoint."""

    program_name = "host_stacks"

    def __init__(self, settings, stacks, environment=None, arguments=()):
        self.program = os.path.join(settings.build, "tests/bench", self.program_name)
        self.endpoint = free_port()
        porthole = all_variants(settings.build, settings.work)[PORTHOLE].environment
        super().__init__([self.program, str(stacks), *arguments], {
            **porthole, "PORTHOLE_LISTEN": f"127.0.0.1:{self.endpoint}", **(environment or {})},
            log=os.path.join(settings.work, "errors"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_stacks(self, has_endpoint=True):
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.program_name} did not start")
        self.wait_ready(*([self.endpoint] if has_endpoint else []))

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def get(self, path):
        """The body; wall and CPU nanoseconds."""
        cpu_ns, wall_ns = self.cpu_ns(), time.monotonic_ns()
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoint, timeout=120)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        wall_ns, cpu_ns = time.monotonic_ns() - wall_ns, self.cpu_ns() - cpu_ns
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body[:300]!r}")
        return body, wall_ns, cpu_ns


def dump(host, path):
    """jemalloc's own dump; wall and CPU nanoseconds."""
    told = host.ask(f"dump {path}").split()
    if len(told) != 2:
        raise RuntimeError("prof.dump failed")
    return int(told[0]), int(told[1])


def first_request(host):
    """Of a process's first request: peak bytes above what was resident before, bytes kept, size of the answer."""
    before = host.status("VmRSS")
    host.reset_peak()
    body, _, _ = host.get("/debug/pprof/heap")
    return host.status("VmHWM") - before, host.status("VmRSS") - before, len(body)


def run_tool(command):
    """A program that reads the dump, finds the names and sums. (peak bytes of the largest process, wall ns)."""
    start_ns = time.monotonic_ns()
    process = subprocess.Popen(on_core(CLIENT_CORE, command), env=clean_environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_maxrss * 1024, time.monotonic_ns() - start_ns


def count_stacks(dump_path):
    with open(dump_path, encoding="utf-8", errors="replace") as file:
        return sum(line.startswith("@") for line in file)


def measure(settings, stacks, dump_path):
    with StacksHost(settings, stacks, {"PORTHOLE_HEAP_SAMPLE": "1KiB"}) as host:
        host.wait_stacks()
        peak, kept, answer_bytes = first_request(host)
        dump(host, dump_path)  # warm
        figures = interleave(settings.rounds, {
            "request": lambda: host.get("/debug/pprof/heap")[1:],
            "dump": lambda: dump(host, dump_path)})
        found = count_stacks(dump_path)
        dump_bytes = os.path.getsize(dump_path)
        settings.note(f"jeprof and porthole heap on {found} stacks")
        jeprof_peak, jeprof_ns = run_tool(["jeprof", "--text", host.program, dump_path])
        tool_peak, tool_ns = run_tool([os.path.join(settings.build, "tools/porthole"), "heap", dump_path])

    def column(name, place):
        return [figure[place] for figure in figures[name]]

    target = RATIO_TARGET if stacks >= TARGET_STACKS else None
    request_ns = sorted(column("request", 0))[settings.rounds // 2]
    return Table(f"one heap request, {found} stacks of 20 to 25 frames", [
        Row("time : jemalloc's dump", "ms", column("request", 0), column("dump", 0), ratio_target=target),
        Row("CPU time : jemalloc's dump", "ms", column("request", 1), column("dump", 1)),
        Row("time : jeprof --text", "ms", [request_ns], [jeprof_ns]),
        Row("peak memory : jeprof --text", "bytes", [peak], [jeprof_peak]),
        Row("memory kept after it : its peak", "bytes", [kept], [peak]),
        Row("answer, gzipped : jemalloc's dump", "bytes", [answer_bytes], [dump_bytes]),
        Row("time, porthole heap DUMP : jeprof", "ms", [tool_ns], [jeprof_ns]),
        Row("peak memory, porthole heap DUMP : jeprof", "bytes", [tool_peak], [jeprof_peak]),
    ])


def tables(settings):
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else settings.work  # tmpfs: the disk is not the subject
    dump_path = os.path.join(folder, f"porthole-bench.{os.getpid()}.heap")
    for stacks in settings.pick((10000, 100000), (2000,)):
        settings.note(f"heap request, {stacks} stacks")
        try:
            yield measure(settings, stacks, dump_path)
        finally:
            if os.path.exists(dump_path):
                os.unlink(dump_path)
