#!/usr/bin/env python3
"""An endpoint that says what a test wants to hear: canned profiles, errors, silence.

    fake_endpoint.py tcp                  http://127.0.0.1:PORT
    fake_endpoint.py unix PATH            unix:PATH
    fake_endpoint.py local                @porthole/PID, as a process with Porthole has
    fake_endpoint.py local hang|refuse|junk|stranger|broken
    fake_endpoint.py local family N NAME  the front of a family with N forked workers, each at @porthole/PID
    fake_endpoint.py profile KIND         writes a profile to stdout and ends

With $SERIES, a file with the words "MODE PROGRAM PID", read at each request, the heap is that of a program that leaks, and
it behaves: ok, hang, fail, hangup, cpu (another kind of profile).

Prints "PID PORT" once it listens (PORT is 0 for sockets), and behind it the pids of the workers. The file $REQUESTS gets a line for each request: path, Host
and Authorization; of a family also the process that was asked.
"""

import ctypes
import gzip
import http.server
import json
import os
import signal
import socket
import socketserver
import sys
import time

MIB = 1 << 20


# ---- pprof's protobuf (proto/profile.proto in google/pprof), just enough of it ------------------------------------


def varint(number):
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(number, values):
    return field(number, b"".join(varint(v) for v in values))


def profile(samples, types=("alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"),
            program="/usr/bin/leaky", rate=512 * 1024, time_ns=1785000000 * 10**9, duration_ns=0, comments=()):
    """samples: [(["leaf", ..., "main"], [values])], or with labels: (stack, values, {"pid": "7"})"""
    strings = [""]

    def string(text):
        if text not in strings:
            strings.append(text)
        return strings.index(text)

    out = b""
    for name in types:
        kind, unit = name.split("/")
        out += field(1, field(1, string(kind)) + field(2, string(unit)))
    functions = []
    for stack, values, *rest in samples:
        for name in stack:
            if name not in functions:
                functions.append(name)
        labels = b"".join(field(3, field(1, string(key)) + field(2, string(text)))
                          for some in rest for key, text in some.items())
        out += field(2, packed(1, [functions.index(n) + 1 for n in stack]) + packed(2, values) + labels)
    out += field(3, field(1, 1) + field(2, 0x400000) + field(3, 0x500000) + field(5, string(program)))
    for i, name in enumerate(functions, 1):
        out += field(4, field(1, i) + field(2, 1) + field(3, 0x400000 + i) + field(4, field(1, i)))
        out += field(5, field(1, i) + field(2, string(name)) + field(3, string(name)))
    out += field(9, time_ns) + (field(10, duration_ns) if duration_ns else b"")
    out += field(11, field(1, string("space")) + field(2, string("bytes"))) + field(12, rate)
    out += packed(13, [string(comment) for comment in comments]) if comments else b""
    out += field(14, string(types[-1].split("/")[0]))
    for text in strings:
        out += field(6, text if isinstance(text, bytes) else text.encode())
    return out


def heap_profile():
    return profile([
        (["_Z10fill_cacheRSt6vectorIiSaIiEE", "serve", "main"], [600, 600 * MIB, 150, 150 * MIB]),
        (["parse", "serve", "main"], [80, 80 * MIB, 50, 50 * MIB]),
        (["freed", "main"], [9, 9 * MIB, 0, 0]),
    ])


def started(pid):
    return f"process {pid}, started {1784000000 * 10**9 + pid}"


def family_profile(pids, silent=()):
    """A front with 100 MiB before the first fork, and workers that hold 8 MiB each; the last one leaks."""
    front, workers = pids[0], pids[1:]
    samples = [(["load_config", "main"], [100, 100 * MIB, 100, 100 * MIB], {"pid": str(front)})]
    for pid in workers:
        size = 64 if pid == workers[-1] else 8
        samples.append((["parse", "serve", "main"], [80, 80 * MIB, size, size * MIB], {"pid": str(pid)}))
    if workers:
        samples.append((["load_cache", "main"], [5, 5 * MIB, 5, 5 * MIB],
                        {"pid": str(workers[0]), "origin": "inherited"}))
    return profile(samples, comments=["porthole 0.1.0"] + [started(pid) for pid in pids] +
                   [f"process {pid} (leaky) did not answer in 2 s" for pid in silent])


def worker_profile(pid, is_leaky):
    size = 64 if is_leaky else 8
    return profile([(["parse", "serve", "main"], [80, 80 * MIB, size, size * MIB]),
                    (["load_config", "main"], [100, 100 * MIB, 100, 100 * MIB], {"origin": "inherited"})],
                   comments=["porthole 0.1.0", started(pid)])


def busy_family(workers, size, minute):
    """A front and workers that all hold as much, at the same stack."""
    return profile([(["parse", "serve", "main"], [80 + size, (80 + size) * MIB, size, size * MIB], {"pid": str(pid)})
                    for pid in [100] + workers],
                   comments=["porthole 0.1.0"] + [started(pid) for pid in [100] + workers],
                   time_ns=(1785000000 + 60 * minute) * 10**9)


PROFILES = {
    "family-before": lambda: busy_family([101, 102], 10, 0),
    "family-after": lambda: busy_family([103, 104], 30, 1),
    "family": lambda: family_profile([100, 101, 102, 103]),
    "family-silent": lambda: family_profile([100, 101], silent=[102]),
    "worker": lambda: worker_profile(103, True),
    "heap": heap_profile,
    "few": lambda: profile([(["parse", "main"], [4, 4 * MIB, 4, 4 * MIB])]),
    "none": lambda: profile([(["parse", "main"], [4, 4 * MIB, 0, 0])]),
    "delta": lambda: profile([(["parse", "main"], [4, 4 * MIB, -30, -30 * MIB])], duration_ns=2 * 10**9),
    "many": lambda: profile([([f"function_{i:03}", "main"], [i, i * MIB, i, i * MIB]) for i in range(1, 51)]),
    "long": lambda: profile([(["x" * 300, "main"], [99, 99 * MIB, 99, 99 * MIB])]),
    "escape": lambda: profile([(["evil\x1b]0;title\x07", "main"], [99, 99 * MIB, 99, 99 * MIB])], program="/a\x1bb"),
    "cpu": lambda: profile([(["parse", "main"], [4, 4])], types=("samples/count", "cpu/nanoseconds")),
}


# ---- the endpoint -----------------------------------------------------------------------------------------------


def processes(pid):
    return json.dumps({
        "url": "http://127.0.0.1:6060",
        "processes": [
            {"pid": pid + 1, "command": "a relative", "uptime_seconds": 1, "rss_bytes": 1},
            {"pid": pid, "ppid": 1, "role": "front", "name": "leaky", "command": "leaky --port 80", "state": "S",
             "uptime_seconds": 3725.5, "rss_bytes": 48 * MIB + 512 * 1024},
        ],
    })


class Family:
    """Processes that were forked from the first; each answers for all of them."""

    pids = []
    name = "leaky"

    @staticmethod
    def processes():
        return json.dumps({"url": "http://127.0.0.1:6060", "processes": [
            {"pid": pid, "ppid": Family.pids[0] if i else 1, "role": "member" if i else "front", "name": Family.name,
             "command": f"{Family.name}: worker {i}" if i else f"{Family.name}: master process", "state": "sleeping",
             "uptime_seconds": 600 - i, "rss_bytes": MIB} for i, pid in enumerate(Family.pids)]})

    @staticmethod
    def heap(query):
        wanted = [int(word[4:]) for word in query.split("&") if word.startswith("pid=")]
        if wanted and wanted[0] not in Family.pids:
            return None
        pid = wanted[0] if wanted else os.getpid()
        if pid == Family.pids[0]:
            return family_profile(Family.pids[:1] if wanted else Family.pids)
        return worker_profile(pid, pid == Family.pids[-1])


class Series:
    """A program that leaks a MiB from one profile to the next."""

    count = 0
    start = time.time()

    def __init__(self):
        with open(os.environ["SERIES"], encoding="utf-8") as file:
            self.mode, self.program, self.pid = file.read().split()

    def profile(self):
        Series.count += 1
        n = Series.count
        return profile([(["leak", "serve", "main"], [64 * n, n * MIB, 64 * n, n * MIB]),
                        (["parse", "serve", "main"], [5000 + n, (50 + n) * MIB, 5000, 50 * MIB])],
                       program="/usr/bin/" + self.program, rate=16 * 1024, time_ns=time.time_ns())

    def processes(self):
        return json.dumps({"url": "", "processes": [
            {"pid": int(self.pid), "role": "front", "uptime_seconds": time.time() - Series.start, "rss_bytes": MIB}]})


class Handler(http.server.BaseHTTPRequestHandler):
    mode = ""

    def address_string(self):
        return "local"

    def log_message(self, *args):
        pass

    def reply(self, status, body, kind="text/plain; charset=utf-8", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if "REQUESTS" in os.environ:
            with open(os.environ["REQUESTS"], "a", encoding="utf-8") as log:
                asked = f" {os.getpid()}" if Family.pids else ""
                log.write(f"{self.path} {self.headers['Host']} {self.headers['Authorization']}{asked}\n")
        path, _, query = self.path.partition("?")
        if "SERIES" in os.environ:
            self.answer_series(path)
        elif Family.pids:
            self.answer_family(path, query)
        elif path == "/debug/processes":
            body = {"junk": "not json", "stranger": processes(1)}.get(self.mode, processes(os.getpid()))
            if self.mode == "broken":
                self.reply(500, b"out of order\x1b[2J\nsecond line")
            else:
                self.reply(200, body.encode(), "application/json")
        elif path == "/debug/pprof/heap":
            self.reply(200, gzip.compress(heap_profile()), "application/octet-stream")
        elif path.startswith("/profile/"):
            self.reply(200, gzip.compress(PROFILES[path[9:]]()), "application/octet-stream")
        elif path == "/secret":
            if self.headers["Authorization"] == "Bearer s3cret":
                self.reply(200, gzip.compress(heap_profile()), "application/octet-stream")
            else:
                self.reply(401, b"token needed\n")
        elif path == "/html":
            self.reply(200, b"<!DOCTYPE html><title>Not here</title>", "text/html")
        elif path == "/redirect":
            self.reply(302, b"", Location="/debug/pprof/heap")
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"\x1f\x8b")
        elif path == "/hangup":
            self.close_connection = True
        else:
            self.reply(404, b"Unknown profile\n")

    def answer_family(self, path, query):
        heap = Family.heap(query)
        if path == "/debug/processes":
            self.reply(200, Family.processes().encode(), "application/json")
        elif path == "/debug/pprof/heap" and heap:
            self.reply(200, gzip.compress(heap), "application/octet-stream")
        else:
            self.reply(404, b"no such process in this family\n")

    def answer_series(self, path):
        series = Series()
        if series.mode == "hang":
            time.sleep(600)
        elif series.mode == "hangup":
            self.close_connection = True
        elif series.mode == "fail":
            self.reply(500, b"out of order\n")
        elif path == "/debug/processes":
            self.reply(200, series.processes().encode(), "application/json")
        elif path == "/debug/pprof/heap" and series.mode == "ok":
            self.reply(200, gzip.compress(series.profile()), "application/octet-stream")
        elif path == "/debug/pprof/heap":
            self.reply(200, gzip.compress(PROFILES[series.mode]()), "application/octet-stream")
        else:
            self.reply(404, b"Unknown profile\n")


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def serve_worker(everybody, ready):
    server = SocketServer(f"\0porthole/{os.getpid()}", Handler)
    os.write(ready, b"x")
    Family.pids = json.loads(everybody.readline())
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    server.serve_forever()


def start_workers(count):
    """Fork them; when all listen, tell each of all."""
    pids, pipes = [os.getpid()], []
    ready_out, ready_in = os.pipe()
    for _ in range(count):
        out, into = os.pipe()
        pid = os.fork()
        if pid == 0:
            with os.fdopen(out, encoding="ascii") as everybody:
                serve_worker(everybody, ready_in)
        pids.append(pid)
        pipes.append(into)
    for _ in range(count):
        os.read(ready_out, 1)
    Family.pids = pids
    for pipe in pipes:
        os.write(pipe, (json.dumps(pids) + "\n").encode())


def main(arguments):
    kind, rest = arguments[0], arguments[1:]
    if kind == "profile":
        sys.stdout.buffer.write(PROFILES[rest[0]]())
        return
    if kind == "tcp":
        server = TcpServer(("127.0.0.1", 0), Handler)
    elif kind == "unix":
        server = SocketServer(rest[0], Handler)
    else:
        if rest[:1] == ["family"]:
            Family.name = rest[2]
            start_workers(int(rest[1]))
        server = SocketServer(f"\0porthole/{os.getpid()}", Handler)
        Handler.mode = rest[0] if rest else ""
    print(os.getpid(), server.server_address[1] if kind == "tcp" else 0, *Family.pids[1:], flush=True)
    if Handler.mode == "hang":
        time.sleep(600)
    elif Handler.mode == "refuse":
        while True:
            server.socket.accept()[0].close()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
