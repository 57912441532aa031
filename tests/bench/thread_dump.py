"""A dump of all threads: against eu-stack and gdb, which stop the process for as long as they take."""

import json
import subprocess
import time

from host import CLIENT_CORE, clean_environment, on_core
from heap_request import StacksHost
from measure import Row, Table

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


def measure(settings, threads):
    with ThreadsHost(settings, threads) as host:
        host.wait_stacks()
        answer = json.loads(host.get("/debug/threads")[0])
        blocked = [thread for thread in answer["threads"] if thread["state"] != "running"]
        frames = sum(len(thread["stack"]) for thread in blocked) / len(blocked)
        interrupted = host.interrupted()
        ours = [host.get("/debug/threads")[1] for _ in range(settings.rounds)]
        raw = [host.get("/debug/pprof/threads")[1] for _ in range(settings.rounds)]
        interrupted = host.interrupted() - interrupted
        settings.note(f"eu-stack and gdb on {threads} threads")
        tool_rounds = settings.pick(5, 1)
        stacks = [time_tool(["eu-stack", "-p", str(host.pid)]) for _ in range(tool_rounds)]
        debugger = [time_tool(["gdb", "-q", "-batch", "-p", str(host.pid), "-ex", "thread apply all bt"])
                    for _ in range(tool_rounds)]
    ours_ns, raw_ns = sorted(ours)[len(ours) // 2], sorted(raw)[len(raw) // 2]
    return Table(f"a dump of {len(answer['threads'])} threads, {frames:.0f} frames each", [
        Row("JSON with names : eu-stack", "ms", [ours_ns] * tool_rounds, [taken for taken, _ in stacks],
            ratio_target=RATIO_TARGET if threads >= 1000 else None),
        Row("pprof with names : eu-stack", "ms", [raw_ns] * tool_rounds, [taken for taken, _ in stacks]),
        Row("JSON with names : gdb -batch", "ms", [ours_ns] * tool_rounds, [taken for taken, _ in debugger]),
        Row("frames a thread : eu-stack", "count", [frames], [frames_of_peer(stacks[0][1])]),
        Row("calls that were interrupted", "count", [interrupted], [0], more_target=0),
    ])


def tables(settings):
    for threads in settings.pick((1000, 10000), (200,)):
        settings.note(f"thread dump, {threads} threads")
        yield measure(settings, threads)
