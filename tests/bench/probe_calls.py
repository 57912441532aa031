"""What a sample of a CPU profile and a label cost the thread, nothing else."""

import os

from host import run_client
from measure import Row, Table

HANDLER_TARGET_NS = 3000


def tables(settings):
    rounds = settings.pick(30, 3)
    settings.note(f"samples and labels, {rounds} rounds")
    said = run_client([os.path.join(settings.build, "tests/bench/probe_calls"), str(rounds)])
    sample, empty, label, scope, copied, specific = zip(*([float(word) for word in line.split()]
                                                          for line in said.splitlines()))
    yield Table(f"a sample with 8 KiB of stack: CPU time, {rounds} rounds", [
        Row("the signal with our handler : with one that does nothing", "ns", sample, empty,
            more_target=HANDLER_TARGET_NS),
        Row("the same (ratio)", "ns", sample, empty),
    ])
    yield Table(f"a label of a thread, set and cleared: CPU time, {rounds} rounds", [
        Row("porthole_label_set() and _clear() : strcpy() of both texts", "ns", label, copied),
        Row("PORTHOLE_LABEL() : strcpy() of both texts", "ns", scope, copied),
        Row("porthole_label_set() and _clear() : pthread_setspecific(), twice", "ns", label, specific),
    ])
