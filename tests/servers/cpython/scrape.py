"""Clients that ask processes, again and again, while these are busy with other things."""

import collections
import http.client
import json
import socket
import threading
import time

PORTS = 20  # the probe takes the next free one of so many: programs that the tests start have windows of their own
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 5


class AbstractConnection(http.client.HTTPConnection):
    """To @porthole/PID, where any one process answers for itself."""

    def __init__(self, pid):
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self.pid = pid

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(f"\0porthole/{self.pid}")


def windows():
    """The pids of all processes here that listen at @porthole/PID."""
    names = {line.split()[-1] for line in open("/proc/net/unix")}
    return {int(name[10:]) for name in names if name.startswith("@porthole/") and name[10:].isdigit()}


class Client(threading.Thread):
    """Asks until it is told to stop; `counts` is by what came back."""

    def __init__(self):
        super().__init__(daemon=True)
        self.counts = collections.Counter()
        self.stopping = threading.Event()

    def stop(self):
        self.stopping.set()
        self.join()
        return self.counts

    def ask(self, kind, connection, path):
        """The body, if the answer was 200; processes end when they like, so that nobody is there is no failure."""
        started = time.monotonic()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError:
            self.counts[f"{kind}: no answer in {PATIENCE_SECONDS} s"] += 1
            return None
        except (OSError, http.client.HTTPException):
            if time.monotonic() - started > PATIENCE_SECONDS:
                self.counts[f"{kind}: ended after more than {PATIENCE_SECONDS} s"] += 1
            return None
        finally:
            connection.close()
        self.counts[f"{kind}: {answer.status}"] += 1
        return body if answer.status == 200 else None


class Scraper(Client):
    """Asks a family of processes for its heap."""

    def __init__(self, port, is_ours):
        super().__init__()
        self.port, self.is_ours = port, is_ours

    def run(self):
        while not self.stopping.is_set():
            for port in range(self.port, self.port + PORTS):
                self.ask_family(port)
            for pid in windows():
                if self.is_ours(pid):
                    self.ask("heap of one process", AbstractConnection(pid), "/debug/pprof/heap")
            self.stopping.wait(PAUSE_SECONDS)

    def connection(self, port):
        return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def ask_family(self, port):
        body = self.ask("processes", self.connection(port), "/debug/processes?format=json")
        if body is None:
            return
        self.ask("heap", self.connection(port), "/debug/pprof/heap")
        pids = [process["pid"] for process in json.loads(body)["processes"]]
        for pid in pids if len(pids) > 1 else []:
            self.ask("heap?pid=", self.connection(port), f"/debug/pprof/heap?pid={pid}")
