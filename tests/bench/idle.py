"""What the agent costs a host that does nothing: memory, and wake-ups."""

import time

from heap_request import StacksHost
from measure import Row, Table

MORE_TARGET_BYTES = 6e6  # of RSS, against the probe alone


def memory_without(settings):
    """The probe alone, and no preload at all."""
    found = []
    for environment in ({"PORTHOLE_START": "manual"}, {"LD_PRELOAD": ""}):
        with StacksHost(settings, 0, environment) as host:
            host.wait_stacks(has_endpoint=False)
            time.sleep(0.3)
            found.append(host.memory())
    return found


def memory_with(settings):
    """The endpoint open and asked once; then after one heap request."""
    with StacksHost(settings, 0) as host:
        host.wait_stacks()
        host.get("/debug/")
        time.sleep(0.3)
        asked = host.memory()
        host.get("/debug/pprof/heap")
        time.sleep(0.3)
        return asked, host.memory()


def memory_table(settings):
    figures = {"none": [], "probe": [], "agent": [], "heap": []}
    for number in range(settings.pick(5, 1)):
        settings.note(f"memory of an idle host, round {number + 1}")
        probe, none = memory_without(settings)
        agent, heap = memory_with(settings)
        for name, figure in (("none", none), ("probe", probe), ("agent", agent), ("heap", heap)):
            figures[name].append(figure)

    def row(name, ours, peer, kind, target=None):
        return Row(name, "bytes", [figure[kind] for figure in figures[ours]],
                   [figure[kind] for figure in figures[peer]], more_target=target)

    return Table("memory of an idle host", [
        row("RSS: endpoint, asked once : probe alone", "agent", "probe", "rss", MORE_TARGET_BYTES),
        row("private: the same", "agent", "probe", "private"),
        row("RSS: after a heap request : probe alone", "heap", "probe", "rss"),
        row("private: the same", "heap", "probe", "private"),
        row("RSS: probe alone : no preload", "probe", "none", "rss"),
        row("private: the same", "probe", "none", "private"),
    ])


def wakeups_table(settings):
    seconds = settings.pick(5, 1)
    with StacksHost(settings, 0) as host:
        host.wait_stacks()
        host.get("/debug/pprof/heap")
        time.sleep(0.5)
        settings.note(f"wake-ups in {seconds} idle seconds")
        before, threads = host.switches("porthole/")
        before_all, threads_all = host.switches("")
        time.sleep(seconds)
        woken, woken_all = host.switches("porthole/")[0] - before, host.switches("")[0] - before_all
    if threads == 0:
        raise RuntimeError("no thread is named porthole/…: nothing was measured")
    return Table(f"context switches of an idle host in {seconds} s", [
        Row(f"threads of Porthole ({threads})", "count", [woken], [0], more_target=0),
        Row(f"all threads ({threads_all})", "count", [woken_all], [0], more_target=0),
    ])


def tables(settings):
    yield memory_table(settings)
    yield wakeups_table(settings)
