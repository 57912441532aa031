"""What a frame costs: ours, from a copied stack; libunwind over the same copy; libgcc where the stack is."""

import os

from host import run_client
from measure import Row, Table

FRAME_TARGET_NS = 60
FIRST_TARGET_NS = 2e6


def tables(settings):
    rounds = settings.pick(50, 3)
    settings.note(f"unwinding, {rounds} rounds")
    program = os.path.join(settings.build, "tests/bench/unwind_frames")
    if not os.path.exists(program):
        return  # built without libunwind
    said = run_client([program, str(rounds)])
    ours, libunwind, libgcc, first = zip(*([float(word) for word in line.split()] for line in said.splitlines()))
    none = [0.0] * rounds
    yield Table(f"unwinding a stack of 41 frames: CPU time of a frame, {rounds} rounds", [
        Row("Porthole : nothing", "ns", ours, none, more_target=FRAME_TARGET_NS),
        Row("Porthole : libunwind, over the same copy", "ns", ours, libunwind),
        Row("Porthole : libgcc, where the stack is", "ns", ours, libgcc),
    ])
    yield Table("the first stack of all: the maps and tables are read for it", [
        Row("Porthole : nothing", "us", [1e3 * us for us in first], none, more_target=FIRST_TARGET_NS),
    ])
