#!/usr/bin/env python3
"""The figures of Porthole against its peers; doc/performance.md tells how to read them.

    bench.py [--build DIR] [--rounds N] [--short] [--json FILE] [SECTION...]

BENCH_ROUNDS, BENCH_SHORT and BENCH_JSON, as `make bench BENCH_SHORT=1` sets them, are the options' defaults.
Everything it starts ends with it; everything it writes is below one temporary folder.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

import cpu_per_request
import diff_speed
import family_heap
import forks
import heap_request
import idle
import probe_calls
import profiling
import small_costs
import thread_dump
import unwinding

SECTIONS = {  # in the order of the output
    "cpu": cpu_per_request.tables,
    "heap": heap_request.tables,
    "family": family_heap.tables,
    "threads": thread_dump.tables,
    "forks": forks.tables,
    "small": small_costs.tables,
    "idle": idle.tables,
    "diff": diff_speed.tables,
    "unwind": unwinding.tables,
    "calls": probe_calls.tables,
    "profile": profiling.tables,
}
TOOLS = {  # program: Debian package
    "nginx": "nginx", "h2load": "nghttp2-client", "redis-server": "redis-server", "redis-benchmark": "redis-tools",
    "heaptrack": "heaptrack", "jeprof": "libjemalloc-dev", "taskset": "util-linux", "setpriv": "util-linux",
    "go": "golang-go", "eu-stack": "elfutils", "gdb": "gdb", "curl": "curl",
}
LIBRARIES = {"libjemalloc.so.2": "libjemalloc2", "libtcmalloc.so.4": "libgoogle-perftools4"}


class Settings:
    def __init__(self, options, work):
        self.build, self.work = os.path.abspath(options.build), work
        self.short = options.short
        self.rounds = options.rounds or self.pick(15, 2)

    def pick(self, full, short):
        """The value for a full run, or for a short one, which only proves that everything runs."""
        return short if self.short else full

    @staticmethod
    def note(text):
        """What is being measured now; tables go to standard output."""
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def missing_packages():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = {package for tool, package in TOOLS.items() if not shutil.which(tool)}
    return sorted(missing | {package for library, package in LIBRARIES.items()
                             if not os.path.exists(f"/usr/lib/x86_64-linux-gnu/{library}")})


def given(name):
    return os.environ.get(f"BENCH_{name}", "")


def parse_options():
    parser = argparse.ArgumentParser(description="The figures of Porthole against its peers.")
    parser.add_argument("--build", default=".", help="the build tree (default: the current folder)")
    parser.add_argument("--rounds", type=int, default=int(given("ROUNDS") or 0),
                        help="rounds of each comparison (default: 15)")
    parser.add_argument("--short", action="store_true", default=given("SHORT") not in ("", "0"),
                        help="prove that everything runs; the figures mean little")
    parser.add_argument("--json", metavar="FILE", default=given("JSON"), help="write every round's figures")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)} (default: all)")
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}")
    return options


def run(options, work):
    settings = Settings(options, work)
    done = []
    for name in options.sections or SECTIONS:
        for table in SECTIONS[name](settings):
            settings.note("")
            print(table.text(judged=not settings.short), end="\n\n", flush=True)
            done.append(table)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rounds": settings.rounds, "short": settings.short,
                       "tables": [table.as_json() for table in done]}, file, indent=1)
    return done


def main():
    options = parse_options()
    missing = missing_packages()
    if missing:
        sys.exit(f"bench: peers and drivers are missing: apt-get install {' '.join(missing)}")
    # A terminated benchmark ends its hosts on its way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="porthole-bench.") as work:
        os.chmod(work, 0o755)  # nginx's worker is another user
        tables = run(options, work)
    if options.short:
        print("everything runs; a short run is too short to judge")
        return
    missed = [f"{table.title}: {row.name}" for table in tables for row in table.rows if row.is_met() is False]
    print("all targets met" if not missed else "missed:\n  " + "\n  ".join(missed))


if __name__ == "__main__":
    main()
