#!/usr/bin/env python3
"""An endpoint with canned thread dumps and CPU profiles, for tests of `porthole threads` and `porthole cpu`.

    fake_stacks.py tcp | local    as fake_endpoint.py; prints "PID PORT"
    fake_stacks.py profile KIND   writes a profile to stdout and ends

/debug/threads is a bank with a deadlock; /threads/KIND are others, honest and hostile. /debug/pprof/profile and /debug/pprof/wall take as
long as asked for; when their client goes away meanwhile, $REQUESTS gets a line "gone PATH". /busy is a server that profiles already.
"""

import gzip
import json
import os
import select
import sys
import time

from fake_endpoint import Handler, SocketServer, TcpServer, field, packed

LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
MS = 10**6


# ---- threads ------------------------------------------------------------------------------------------------------


def frame(function, module, offset, file=None, line=None):
    out = {"address": hex(0x7f0000000000 + offset), "module": module, "offset": hex(offset)}
    if function:
        out["function"] = function
    if file:
        out.update(file=file, line=line)
    return out


def thread(tid, name, state, stack, cpu_ms=1, wait=None, **more):
    out = {"tid": tid, "name": name, "state": state, "cpu_ns": cpu_ms * MS, "labels": {}, "stack": stack}
    if wait:
        out["wait"] = wait
    out.update(more)
    return out


MAIN = frame("main", "/opt/bank/bankd", 0x1300, "src/main.c", 12)


def transfer(tid, name, owner, mutex):
    return thread(tid, name, "sleeping", [frame("__lll_lock_wait", LIBC, 0x3333), frame("transfer", "/opt/bank/bankd", 0x1600)],
                  wait={"call": "futex", "mutex": mutex, "owner_tid": owner, "since_ns": 12300 * MS})


def idle(tid, since_ms=None, **more):
    wait = {"call": "futex"} if since_ms is None else {"call": "futex", "since_ns": since_ms * MS}
    return thread(tid, f"idle-{tid - 4720}", "sleeping",
                  [frame("pthread_cond_wait", LIBC, 0x4444), frame("work", "/opt/bank/bankd", 0x1700)], wait=wait, **more)


def bank(threads=None, deadlocks=None, **more):
    return {"pid": 4711, "process": "bankd", "taken_at": "2026-07-25T17:20:00.123Z", "duration_ns": 3120000,
            "interrupted_threads": 1, "deadlocks": [] if deadlocks is None else deadlocks, **more,
            "threads": threads if threads is not None else []}


def full_bank():
    return bank([
        thread(4711, "bankd", "sleeping", [frame("epoll_wait", LIBC, 0x108e26),
                                           frame("serve", "/opt/bank/bankd", 0x1234, "src/serve.c", 120), MAIN],
               1250, {"call": "epoll_wait", "fd": 8, "socket": "epoll", "since_ns": 3200 * MS}),
        thread(4712, "teller", "running", [frame("_ZN4bank7Account7balanceERKSt6vectorIiSaIiEE", "/opt/bank/bankd", 0x1500),
                                           {"address": "0x99"}],
               98000, labels={"request": "GET /balance"}, truncated="the copy of the stack ends here"),
        thread(4713, "reader", "sleeping", [frame("recv", LIBC, 0x2222), frame(None, "/opt/bank/plugin.so", 0xaa)], 20,
               {"call": "recv", "fd": 12, "socket": "tcp 127.0.0.1:80", "peer": "127.0.0.1:50122", "since_ns": 95000 * MS}),
        transfer(4714, "mover-a", 4715, "0x55d0c0de1000"),
        transfer(4715, "mover-b", 4714, "0x55d0c0de1040"),
        thread(4716, "stuck", "unanswered", [], truncated="it did not answer in 2 s"),
        idle(4721, 1500), idle(4722, 200), idle(4723), idle(4725, 7000),
    ], [[4714, 4715]])


def family():
    return bank([idle(4721 + i, 1000 * i, pid=4711 + i // 2) for i in range(6)],
                [[4723, 4724]], comments=["porthole 0.1.0", "process 4799 (bankd) did not answer in 2 s"])


THREADS = {
    "family": lambda: json.dumps(family()),
    "idle": lambda: json.dumps(bank([idle(4721 + i) for i in range(40)])),
    "none": lambda: json.dumps(bank([])),
    "html": lambda: "<!DOCTYPE html><p>not here",
    "empty": lambda: "",
    "array": lambda: "[1, 2]",
    "other": lambda: '{"threads": 7}',
    "words": lambda: '{"threads": ["main"]}',
    "cut": lambda: json.dumps(full_bank())[:400],
    "deep": lambda: '{"threads":' + "[" * 100000,
    "large": lambda: '{"threads": [{"tid": 123456789012345678901234567890}]}',
    # Everything of another type than it should be.
    "types": lambda: json.dumps({"pid": "x", "process": 7, "taken_at": [], "duration_ns": "soon", "interrupted_threads": {},
                                 "deadlocks": [7, [], ["a", None, -1], {"tids": [9, 9]}, {}], "comments": {"a": 1}, "threads": [
                                     {}, {"tid": "7", "name": 7, "state": [], "cpu_ns": -1, "wait": 7, "labels": 7, "stack": "x"},
                                     {"tid": -9, "wait": {"call": [], "fd": -2, "mutex": "zz", "since_ns": -1}, "labels": {"a": []},
                                      "stack": [7, None, {}, {"address": "junk", "module": 5, "line": -3, "file": "f.c", "function": "g"}]},
                                 ]}),
    "escape": lambda: json.dumps(bank([thread(1, "evil\x1b]0;t\x07", "sleep\x1b[2J", [frame("f\x1b[31m", "/m\x1b[1m", 1)],
                                              truncated="\x1b[3J")])),
}


# ---- profiles -----------------------------------------------------------------------------------------------------


def time_profile(kind, samples, duration_s=10, comments=()):
    """samples: [(["leaf", ..., "main"], count, {label: text or number})], at 100 Hz"""
    strings, functions, out = [""], [], b""

    def string(text):
        if text not in strings:
            strings.append(text)
        return strings.index(text)

    for name, unit in ("samples", "count"), (kind, "nanoseconds"):
        out += field(1, field(1, string(name)) + field(2, string(unit)))
    for stack, count, labels in samples:
        functions += [name for name in stack if name not in functions]
        packed_labels = b"".join(
            field(3, field(1, string(key)) + (field(2, string(value)) if isinstance(value, str) else field(3, value)))
            for key, value in labels.items())
        out += field(2, packed(1, [functions.index(n) + 1 for n in stack]) + packed(2, [count, count * 10 * MS]) + packed_labels)
    out += field(3, field(1, 1) + field(2, 0x400000) + field(3, 0x500000) + field(5, string("/opt/bank/bankd")))
    for i, name in enumerate(functions, 1):
        line = field(1, i) + field(2, 10 * i)
        out += field(4, field(1, i) + field(2, 1) + field(3, 0x400000 + i) + field(4, line))
        out += field(5, field(1, i) + field(2, string(name)) + field(3, string(name)) + field(4, string("src/bank.cc")))
    out += field(9, 1785000000 * 10**9) + field(10, duration_s * 10**9)
    out += field(11, field(1, string(kind)) + field(2, string("nanoseconds"))) + field(12, 10 * MS)
    out += packed(13, [string(comment) for comment in comments]) if comments else b""
    for text in strings:
        out += field(6, text.encode())
    return out


def busy_samples(pid=None):
    of = {"pid": str(pid)} if pid else {}
    return [
        (["_ZN4bank7Account7balanceERKSt6vectorIiSaIiEE", "serve", "main"], 600, {"thread": "teller", "tid": 4712, **of}),
        (["deflate", "serve", "main"], 200, {"thread": "teller", "tid": 4712, **of}),
        (["hash", "audit", "start_thread"], 42, {"thread": "audit", "tid": 4713, **of}),
    ]


def many_samples():
    return [([f"f{i}_{depth}" for depth in range(i % 20, -1, -1)] + ["main"], 1 + i * 7 % 40, {"thread": f"t{i % 5}", "tid": 100 + i % 5})
            for i in range(200)]


HOSTILE = ["a<b>&\"c'", "]]><script>alert(1)</script>", "x\x1b[31m\x01", "\ufffe\uffff", "<!--", "</g></svg>", "\u202eabc", "é" * 400, ""]

PROFILES = {
    "cpu": lambda: time_profile("cpu", busy_samples(), comments=["porthole 0.1.0", "process 4711, started 1784000000000000000",
                                                                 "lost: 12 samples, as the ring was full"]),
    "family": lambda: time_profile("cpu", busy_samples(4711) + busy_samples(4712)[:1], comments=[
        f"process {pid}, started 1784000000000000000" for pid in (4711, 4712, 4713)]),
    "wall": lambda: time_profile("wall", [(["epoll_wait", "main"], 7000, {"thread": "bankd", "tid": 4711, "state": "sleeping"})]),
    "idle": lambda: time_profile("cpu", []),
    "few": lambda: time_profile("cpu", [(["parse", "main"], 5, {})]),
    "many": lambda: time_profile("cpu", many_samples()),
    "hostile": lambda: time_profile("cpu", [([name, "main"], 50, {"thread": "\x1b[2J"}) for name in HOSTILE]),
}


# ---- the endpoint -------------------------------------------------------------------------------------------------


def query_number(query, name, otherwise):
    for word in query.split("&"):
        if word.startswith(name + "="):
            return int(word[len(name) + 1:])
    return otherwise


class StackHandler(Handler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/debug/threads":
            self.log()
            self.reply(200, json.dumps(full_bank()).encode(), "application/json")
        elif path.startswith("/threads/"):
            self.reply(200, THREADS[path[9:]]().encode(), "application/json")
        elif path in ("/debug/pprof/profile", "/debug/pprof/wall"):
            self.log()
            self.take(query_number(query, "seconds", 30), "wall" if path.endswith("wall") else "cpu")
        elif path.startswith("/cpu/"):
            self.reply(200, gzip.compress(PROFILES[path[5:]]()), "application/octet-stream")
        elif path == "/problem":
            self.reply(404, b'{"type":"about:blank","title":"Not Found","status":404,"detail":"no process 7 in\\u001b[2J this"}\n',
                       "application/problem+json")
        elif path == "/busy":
            self.reply(409, b"another profile runs since 3.0 s and lasts 7.0 s more; one at a time\n")
        else:
            super().do_GET()

    def log(self, what=""):
        if "REQUESTS" in os.environ:
            with open(os.environ["REQUESTS"], "a", encoding="utf-8") as log:
                log.write(f"{what}{self.path}\n")

    def take(self, seconds, kind):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.connection], [], [], 0.05)[0]:
                self.log("gone ")
                self.close_connection = True
                return
        self.reply(200, gzip.compress(PROFILES[kind]()), "application/octet-stream")


def main(arguments):
    if arguments[0] == "profile":
        sys.stdout.buffer.write(PROFILES[arguments[1]]())
        return
    if arguments[0] == "tcp":
        server = TcpServer(("127.0.0.1", 0), StackHandler)
    else:
        server = SocketServer(f"\0porthole/{os.getpid()}", StackHandler)
    print(os.getpid(), server.server_address[1] if arguments[0] == "tcp" else 0, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
