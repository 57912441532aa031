"""The heap of a family of 8 workers, merged, against that of one of them (pid=): on two processors."""

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import time

from cpu_per_request import NGINX_CONF
from host import CORES, Host, clean_environment, free_port, run_client, wait_until
from measure import Row, Table, interleave
from variants import PORTHOLE, all_variants

WORKERS = 8
RATIO_TARGET = 2
ASKED = 10  # requests a round; the median counts

# As gunicorn's sync workers: the application is loaded before the fork, each worker then serves and keeps something.
PREFORK = """
import os, signal, socket, sys
import asyncio, decimal, email, http.server, json, sqlite3, ssl, unittest, xml.dom.minidom
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for number in range(int(sys.argv[2])):
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kept = []
        while True:
            connection, _ = listener.accept()
            kept.append([str(i) for i in range(20000)])
            connection.close()
signal.pause()
"""


class Family(Host):
    """A parent and its workers, with Porthole and one endpoint, on the first two processors."""

    def __init__(self, settings, command):
        self.command, self.wrapper, self.endpoint = command, [], free_port()
        porthole = all_variants(settings.build, settings.work)[PORTHOLE].environment
        with open(os.path.join(settings.work, "errors"), "ab") as errors:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", ",".join(map(str, CORES[:2])), *command],
                env=clean_environment({**porthole, "PORTHOLE_LISTEN": f"127.0.0.1:{self.endpoint}"}),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, text=True)
        self.pid = self.process.pid

    def stop(self):
        workers = self.workers()
        super().stop()
        for pid in workers:  # those of the prefork server outlive it
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass

    def workers(self):
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                return [int(pid) for pid in file.read().split()]
        except OSError:
            return []

    def is_whole(self):
        return len(re.findall(r'"pid"', self.get("/debug/processes")[0].decode())) > WORKERS

    def get(self, path):
        """The body, and nanoseconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoint, timeout=60)
        start_ns = time.monotonic_ns()
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        duration_ns = time.monotonic_ns() - start_ns
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body[:300]!r}")
        return body, duration_ns

    def heap_ns(self, query=""):
        return statistics.median(self.get(f"/debug/pprof/heap{query}")[1] for _ in range(ASKED))


def nginx(settings, port):
    """A master and its workers, and what loads them."""
    conf = os.path.join(settings.work, f"nginx.{port}.conf")
    with open(os.path.join(settings.work, "file"), "w", encoding="ascii") as file:
        file.write("x" * 1024)
    with open(conf, "w", encoding="ascii") as file:
        file.write(NGINX_CONF.replace("master_process off;", f"worker_processes {WORKERS};").format(
            folder=settings.work, port=port))

    def load():
        run_client(["h2load", "--h1", "-n", "2000", "-c", "64", "-t", "1", f"http://127.0.0.1:{port}/file"])

    return ["/usr/sbin/nginx", "-e", "stderr", "-c", conf], load


def prefork(_, port):
    def load():
        for _ in range(8 * WORKERS):
            socket.create_connection(("127.0.0.1", port), timeout=20).close()

    return [sys.executable, "-c", PREFORK, str(port), str(WORKERS)], load


def measure(settings, name, make):
    port = free_port()
    command, load = make(settings, port)
    with Family(settings, command) as family:
        family.wait_ready(port, family.endpoint)
        load()
        wait_until(family.is_whole, f"all workers of {name}")
        worker = family.workers()[0]
        figures = interleave(settings.rounds, {
            "all": family.heap_ns, "one": lambda: family.heap_ns(f"?pid={worker}")})
    return Row(f"{name}: time, heap of all : of one worker", "ms", figures["all"], figures["one"],
               ratio_target=RATIO_TARGET)


def tables(settings):
    if len(CORES) < 2:
        return
    rows = []
    for name, make in (("nginx", nginx), ("python, forked after its imports", prefork)):
        settings.note(f"heap of a family: {name}")
        rows.append(measure(settings, name, make))
    yield Table(f"heap of a family of {WORKERS} workers and their parent, on two processors", rows)
