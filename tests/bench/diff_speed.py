"""porthole diff on large profiles: against go tool pprof and jeprof, and on long series."""

import os
import subprocess

import big_profiles
from host import SERVER_CORE, clean_environment, on_core
from measure import Row, Table, interleave

PPROF_TIME_TARGET = 1 / 10
PPROF_MEMORY_TARGET = 1 / 3
JEPROF_TIME_TARGET = 1 / 20
SERIES_TARGET_NS = 5e9
SERIES_PROFILES = 60
TIMEOUT_S = 300
ANALYSED = (0, 3)  # exit status of porthole diff: nothing grew, something did


def run(settings, command, expected=(0,)):
    """On one core: nanoseconds of CPU time, peak bytes."""
    run_once = os.path.join(settings.build, "tests/bench/run_once")
    done = subprocess.run(on_core(SERVER_CORE, [run_once, *command]), env=clean_environment(), timeout=TIMEOUT_S,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    cpu_ns, peak_bytes, status = map(int, done.stdout.split())
    if status not in expected:
        raise RuntimeError(f"{command[:4]} ended with {status}")
    return cpu_ns, peak_bytes


def compare(settings, title, commands):
    """{name: (command, expected)}: {name: [nanoseconds]}, {name: [bytes]}"""
    figures = interleave(settings.pick(min(settings.rounds, 5), 1),
                         {name: lambda name=name: run(settings, *commands[name]) for name in commands},
                         lambda number: settings.note(f"{title}, round {number + 1}"))
    return tuple({name: [figure[which] for figure in figures[name]] for name in figures} for which in (0, 1))


def write_pprof(settings, stacks, count):
    folder = os.path.join(settings.work, f"diff-{stacks}-{count}")
    os.makedirs(folder)
    settings.note(f"{count} profiles of {stacks} stacks")
    heap = big_profiles.Heap(stacks)
    writer = big_profiles.Pprof(heap)
    paths = [os.path.join(folder, f"heap{number:03}.pb.gz") for number in range(count)]
    for path in paths:
        writer.write(path)
        heap.go_on()
    return paths


def write_jemalloc(settings, stacks, program):
    heap = big_profiles.Heap(stacks)
    paths = [os.path.join(settings.work, f"jemalloc-{stacks}.{number}.heap") for number in range(2)]
    for path in paths:
        big_profiles.write_jemalloc(heap, path, program)
        heap.go_on()
    return paths


def diff(settings, paths):
    return [os.path.join(settings.build, "tools/porthole"), "diff", *paths], ANALYSED


def pair_table(settings):
    stacks = settings.pick(100000, 2000)
    title = f"two profiles of {stacks:,} stacks: CPU time, on one core"
    old, new = write_pprof(settings, stacks, 2)
    times, memory = compare(settings, title, {
        "ours": diff(settings, [old, new]),
        "pprof": (["go", "tool", "pprof", "-diff_base", old, "-top", new], (0,)),
    })
    program = "/usr/bin/true"
    old, new = write_jemalloc(settings, stacks, program)
    text_times, text_memory = compare(settings, f"{title}, as jemalloc's text", {
        "ours": diff(settings, [old, new]),
        "jeprof": (["jeprof", "--text", f"--base={old}", program, new], (0,)),
    })
    return Table(title, [
        Row("pprof's format, porthole diff : go tool pprof -diff_base", "ms", times["ours"], times["pprof"],
            ratio_target=PPROF_TIME_TARGET),
        Row("the same, peak memory", "bytes", memory["ours"], memory["pprof"], ratio_target=PPROF_MEMORY_TARGET),
        Row("jemalloc's text, porthole diff : jeprof --base", "ms", text_times["ours"], text_times["jeprof"],
            ratio_target=JEPROF_TIME_TARGET),
        Row("the same, peak memory", "bytes", text_memory["ours"], text_memory["jeprof"]),
    ])


def series_table(settings):
    stacks, count = settings.pick(20000, 1000), settings.pick(SERIES_PROFILES, 4)
    title = f"{count} profiles of {stacks:,} stacks: CPU time, on one core"
    paths = write_pprof(settings, stacks, count)
    times, memory = compare(settings, title, {
        "series": diff(settings, paths),
        "pair": diff(settings, paths[:2]),
    })
    return Table(title, [
        Row("porthole diff : nothing", "ms", times["series"], [0] * len(times["series"]),
            more_target=SERIES_TARGET_NS),
        Row(f"{count} profiles : 2 profiles", "ms", times["series"], times["pair"]),
        Row(f"{count} profiles : 2 profiles, peak memory", "bytes", memory["series"], memory["pair"],
            ratio_target=count / 4),
    ])


def tables(settings):
    yield pair_table(settings)
    yield series_table(settings)
