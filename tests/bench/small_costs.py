"""What a program pays that never serves: its start, its allocations, its threads."""

import os
import subprocess

from host import SERVER_CORE, clean_environment, on_core, run_client
from measure import Row, Table, interleave
from variants import AGAIN, HEAPTRACK, JEMALLOC, NONE, PEERS, PORTHOLE, PORTHOLE_CLOSED, PORTHOLE_OFF, all_variants

MORE_TARGET_NS = 1.5e6  # of a start, against no preload


def startup_table(settings):
    variants = all_variants(settings.build, settings.work)
    names = (NONE, AGAIN, JEMALLOC, PORTHOLE)
    rounds = settings.pick(500, 50)
    settings.note(f"start of /bin/true, {rounds} rounds")
    preloads = [variants[name].environment.get("LD_PRELOAD", "-") for name in names]
    loop = os.path.join(settings.build, "tests/bench/spawn_loop")
    said = run_client([loop, str(rounds), "/bin/true", *preloads])
    figures = dict(zip(names, zip(*([int(word) for word in line.split()] for line in said.splitlines()))))
    return Table(f"start and end of /bin/true, {rounds} rounds", [
        Row("Porthole : no preload", "ms", figures[PORTHOLE], figures[NONE], more_target=MORE_TARGET_NS),
        Row("Porthole : no preload (ratio)", "ms", figures[PORTHOLE], figures[NONE]),
        Row("Porthole : jemalloc", "ms", figures[PORTHOLE], figures[JEMALLOC]),
        Row("jemalloc : no preload", "ms", figures[JEMALLOC], figures[NONE]),
        Row("no preload, again : no preload", "ms", figures[AGAIN], figures[NONE]),
    ])


def run_loop(settings, variant, what, count):
    """Nanoseconds of CPU time for one."""
    command = [*variant.wrapper, os.path.join(settings.build, "tests/bench/alloc_loop"), what, str(count)]
    done = subprocess.run(on_core(SERVER_CORE, command), env=clean_environment(variant.environment), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=True)
    # heaptrack writes lines of its own around the program's.
    return next(float(line) for line in done.stdout.splitlines() if line.replace(".", "", 1).isdigit())


def loop_table(settings, title, unit, what, counts):
    """counts: how many, by variant; heaptrack gets fewer, as it records every one."""
    variants = all_variants(settings.build, settings.work)
    peers = [name for name in PEERS if name != PORTHOLE_CLOSED]  # nothing listens here: it is always closed
    measures = {name: lambda name=name: run_loop(settings, variants[name], what, counts.get(name, counts[None]))
                for name in (NONE, PORTHOLE, *peers)}
    figures = interleave(settings.rounds, measures,
                         lambda number: settings.note(f"{title}, round {number + 1} of {settings.rounds}"))
    rows = [Row(f"Porthole : {name}", unit, figures[PORTHOLE], figures[name])
            for name in (NONE, *peers) if name != AGAIN]
    rows += [Row(f"{name} : no preload", unit, figures[name], figures[NONE])
             for name in (AGAIN, JEMALLOC, PORTHOLE_OFF)]
    return Table(title, rows)


def tables(settings):
    yield startup_table(settings)
    yield loop_table(settings, "malloc and free: CPU time of a pair", "ns", "malloc",
                     {None: settings.pick(3000000, 300000), HEAPTRACK: settings.pick(300000, 30000)})
    yield loop_table(settings, "pthread_create and pthread_join: CPU time of a pair, the thread allocates once",
                     "us", "thread", {None: settings.pick(5000, 500)})
