"""What it costs a server to be profiled: a thread that does nothing but count, and nginx under load."""

import contextlib
import os
import subprocess

from cpu_per_request import Nginx, WARM_REQUESTS, one_burst
from host import CLIENT_CORE, Host, clean_environment, free_port, on_core
from measure import Row, Table, interleave

RATIO_TARGET = 1.01
NOBODY, AGAIN = "nobody looks", "nobody looks, again"
PROFILES = {  # who looks: what is asked for. The second is the noise of the measurement
    NOBODY: "",
    AGAIN: "",
    "CPU, 100 Hz": "/debug/pprof/profile?hz=100&seconds=",
    "CPU, 1,000 Hz": "/debug/pprof/profile?hz=1000&seconds=",
    "wall, 100 Hz": "/debug/pprof/wall?hz=100&seconds=",
}
SECONDS = 600  # longer than a round; ended with it
SHARE_REQUESTS = 10000


@contextlib.contextmanager
def profiled(endpoint, path):
    """Someone who asks for a profile as long as the context lasts."""
    if not path:
        yield
        return
    url = f"http://127.0.0.1:{endpoint}{path}{SECONDS}"
    client = subprocess.Popen(on_core(CLIENT_CORE, ["curl", "-s", "-o", os.devnull, url]), env=clean_environment())
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"no profile: curl ended with {client.wait(0.5)}")
        yield
    finally:
        client.kill()
        client.wait()


def environment_of(settings, endpoint):
    return {"LD_PRELOAD": os.path.join(settings.build, "lib/.libs/libporthole.so"), "PORTHOLE_LOG": "quiet",
            "PORTHOLE_LISTEN": f"127.0.0.1:{endpoint}"}


class Burner:
    title = "a thread that counts: its CPU time for the same loop"

    def start(self, settings):
        port, endpoint = free_port(), free_port()
        host = Host([os.path.join(settings.build, "tests/bench/burn_loop"), str(port)],
                    environment_of(settings, endpoint), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        host.wait_ready(port, endpoint)
        return host, port, endpoint

    def measure(self, host, _port):
        host.process.stdin.write("again\n")
        host.process.stdin.flush()
        return int(host.process.stdout.readline())


class Server:
    title = "nginx: CPU time of the whole process per request (h2load)"

    def __init__(self):
        self.nginx = Nginx()

    def start(self, settings):
        port, endpoint = free_port(), free_port()
        host = Host(self.nginx.command(settings.work, port), environment_of(settings, endpoint))
        host.wait_ready(port, endpoint)
        self.nginx.load(port, WARM_REQUESTS)
        return host, port, endpoint

    def measure(self, host, port):
        return one_burst(self.nginx, host, port)


def own_share(settings, path, rounds):
    """CPU time of Porthole's threads, and of the whole process: [nanoseconds], a burst of requests each."""
    own, whole = [], []
    with contextlib.ExitStack() as stack:
        server = Server()
        host, port, endpoint = server.start(settings)
        stack.callback(host.stop)
        stack.enter_context(profiled(endpoint, path))
        for _ in range(rounds):
            before = host.threads_cpu_ns("porthole/"), host.cpu_ns()
            server.nginx.load(port, SHARE_REQUESTS)
            own.append(host.threads_cpu_ns("porthole/") - before[0])
            whole.append(host.cpu_ns() - before[1])
    return own, whole


def share_table(settings):
    rows = []
    for name, path in PROFILES.items():
        if path:
            settings.note(f"threads of Porthole, {name}")
            own, whole = own_share(settings, path, settings.pick(10, 2))
            rows.append(Row(f"{name}: threads of Porthole : the process", "ms", own, whole))
    return Table(f"nginx: CPU time of {SHARE_REQUESTS} requests while it is profiled", rows)


def one_round(workload, settings, bursts):
    """{who looks: [nanoseconds, a figure a burst]}: fresh processes, all alive at once, in turn."""
    with contextlib.ExitStack() as stack:
        running = {}
        for name, path in PROFILES.items():
            host, port, endpoint = workload.start(settings)
            stack.callback(host.stop)
            stack.enter_context(profiled(endpoint, path))
            running[name] = (host, port)
        return interleave(bursts, {name: lambda host=host, port=port: workload.measure(host, port)
                                   for name, (host, port) in running.items()})


def tables(settings):
    yield share_table(settings)
    for workload in (Burner(), Server()):
        rounds = []
        for number in range(settings.rounds):
            settings.note(f"{workload.title.split(':')[0]}, round {number + 1} of {settings.rounds}")
            rounds.append(one_round(workload, settings, settings.pick(30, 3)))
        yield Table(workload.title, [
            Row(f"{name} : {NOBODY}", "us", [figures[name] for figures in rounds],
                [figures[NOBODY] for figures in rounds],
                ratio_target=RATIO_TARGET if name == "CPU, 100 Hz" else None)
            for name in PROFILES if name != NOBODY])
