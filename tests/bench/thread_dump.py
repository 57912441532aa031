"""A dump of all threads: against eu-stack and gdb, which stop the process for as long as they take."""

import json
import statistics
import subprocess
import time

from host import CLIENT_CORE, clean_environment, on_core
from heap_request import StacksHost
from measure import Row, Table, interleave

FRAMES = 25
RATIO_TARGET = 0.05  # of time, against eu-stack


class ThreadsHost(StacksHost):
    """tests/bench/host_threads.c with Porthole and its endpoint."""
    program_name = "host_threads"

    def __init__(self, settings, threads):
        super().__init__(settings, threads, arguments=[str(FRAMES)])

    def interrupted(self):
        return int(self.ask("interrupted"))


def time_tool(command):
    """Wall nanoseconds of a program that prints the stacks, and what it printed."""
    start_ns = time.monotonic_ns()
    done = subprocess.run(on_core(CLIENT_CORE, command), env=clean_environment(), stdin=subprocess.DEVNULL, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return time.monotonic_ns() - start_ns, done.stdout


def frames_of_peer(output):
    """Frames a thread, of eu-stack and gdb alike: lines that begin with a number sign."""
    threads = sum(line.startswith(("TID ", "Thread ")) for line in output.splitlines())
    return sum(line.startswith("#") for line in output.splitlines()) / max(threads, 1)


def one_dump(host, path):
    """Wall nanoseconds: the median of three."""
    return statistics.median(host.get(path)[1] for _ in range(3))


def measure(settings, threads):
    outputs = {}

    def tool(name, command):
        taken_ns, outputs[name] = time_tool(command)
        return taken_ns

    with ThreadsHost(settings, threads) as host:
        host.wait_stacks()
        answer = json.loads(host.get("/debug/threads")[0])
        blocked = [thread for thread in answer["threads"] if thread["state"] != "running"]
        frames = sum(len(thread["stack"]) for thread in blocked) / len(blocked)
        interrupted = host.interrupted()
        for path in ("/debug/threads", "/debug/pprof/threads"):
            one_dump(host, path)
        interrupted = host.interrupted() - interrupted  # later the debuggers stop the threads, too
        figures = interleave(settings.pick(5, 1), {
            "json": lambda: one_dump(host, "/debug/threads"),
            "raw": lambda: one_dump(host, "/debug/pprof/threads"),
            "eu-stack": lambda: tool("eu-stack", ["eu-stack", "-p", str(host.pid)]),
            "gdb": lambda: tool("gdb", ["gdb", "-q", "-batch", "-p", str(host.pid), "-ex", "thread apply all bt"]),
        }, lambda number: settings.note(f"eu-stack and gdb on {threads} threads, round {number + 1}"))
    return Table(f"a dump of {len(answer['threads'])} threads, {frames:.0f} frames each", [
        Row("JSON with names : eu-stack", "ms", figures["json"], figures["eu-stack"],
            ratio_target=RATIO_TARGET if threads >= 1000 else None),
        Row("pprof with names : eu-stack", "ms", figures["raw"], figures["eu-stack"]),
        Row("JSON with names : gdb -batch", "ms", figures["json"], figures["gdb"]),
        Row("JSON : pprof", "ms", figures["json"], figures["raw"]),
        Row("frames a thread : eu-stack", "count", [frames], [frames_of_peer(outputs["eu-stack"])]),
        Row("calls that were interrupted", "count", [interrupted], [0], more_target=0),
    ])


def tables(settings):
    for threads in settings.pick((1000, 10000), (200,)):
        settings.note(f"thread dump, {threads} threads")
        yield measure(settings, threads)
