"""A client that has every process of a test profiled, from its first moment on, and asks for dumps of its threads meanwhile."""

import gzip
import threading

import scrape

RATE_HZ = 1000
LOOK_SECONDS = 0.02  # how soon a new process is found
PROFILES = (("cpu", f"/debug/pprof/profile?seconds=2&hz={RATE_HZ}"), ("wall", f"/debug/pprof/wall?seconds=1&hz={RATE_HZ}"))
THREADS = "/debug/threads?format=json"


def sample_count(profile):
    """The samples in a pprof file: fields number 2 of its message, all of which have a length."""
    data, at, count = gzip.decompress(profile), 0, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        count += tag >> 3 == 2
        length = varint()
        if tag & 7 == 2:
            at += length
    return count


class Profiler(scrape.Client):
    """Two threads for each process: one profile after the other, and one dump after the other."""

    def __init__(self, port, is_ours):
        super().__init__()
        self.is_ours = is_ours
        self.threads = {}  # by pid

    def run(self):
        while not self.stopping.is_set():
            for pid in scrape.windows():
                if not any(thread.is_alive() for thread in self.threads.get(pid, ())) and self.is_ours(pid):
                    self.threads[pid] = [threading.Thread(target=work, args=(pid,), daemon=True)
                                         for work in (self.profile_on, self.dump_on)]
                    for thread in self.threads[pid]:
                        thread.start()
            self.stopping.wait(LOOK_SECONDS)

    def stop(self):
        super().stop()
        for threads in self.threads.values():
            for thread in threads:
                thread.join()
        return self.counts

    def is_wanted(self, pid):
        return not self.stopping.is_set() and pid in scrape.windows()

    # Every other process begins with its wall time: many do not live for a second profile.
    def profile_on(self, pid):
        turn = pid
        while self.is_wanted(pid):
            kind, path = PROFILES[turn % 2]
            body = self.ask(kind, scrape.AbstractConnection(pid), path)
            if body is None:
                self.stopping.wait(LOOK_SECONDS)
                continue
            self.counts[f"{kind} samples"] += sample_count(body)
            turn += 1

    def dump_on(self, pid):
        while self.is_wanted(pid):
            self.ask("threads", scrape.AbstractConnection(pid), THREADS)
            self.stopping.wait(LOOK_SECONDS)
