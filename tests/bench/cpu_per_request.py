"""CPU time of a server per request: nginx and redis, under Porthole and under its peers."""

import contextlib
import os
import re

from host import Host, free_port, run_client
from measure import Row, Table, interleave
from variants import AGAIN, NONE, PEERS, PORTHOLE, all_variants

RATIO_TARGET = 1.02  # of CPU time, against no preload
WARM_REQUESTS = 20000  # for redis: fills it with keys
BURST_REQUESTS = 1000

NGINX_CONF = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


class Nginx:
    title = "nginx: CPU time per request (h2load, HTTP/1.1, keep-alive, a file of 1 KB)"

    def command(self, folder, port):
        with open(os.path.join(folder, "file"), "w", encoding="ascii") as file:
            file.write("x" * 1024)
        conf = os.path.join(folder, f"nginx.{port}.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX_CONF.format(folder=folder, port=port))
        return ["/usr/sbin/nginx", "-e", "stderr", "-c", conf]

    def load(self, port, requests):
        url = f"http://127.0.0.1:{port}/file"
        said = run_client(["h2load", "--h1", "-n", str(requests), "-c", "8", "-t", "1", url])
        if f" {requests} succeeded" not in said:
            raise RuntimeError(f"h2load: {said[-600:]}")


class Redis:
    def __init__(self, value_bytes):
        self.value_bytes = value_bytes
        self.title = f"redis: CPU time per request (redis-benchmark, SET and GET, {value_bytes} bytes, no pipeline)"

    def command(self, folder, port):
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
                "--dir", folder, "--logfile", os.devnull]

    def load(self, port, requests):
        said = run_client(["redis-benchmark", "-p", str(port), "-t", "set,get", "-n", str(requests // 2),
                           "-r", "100000", "-d", str(self.value_bytes), "-c", "20", "-q"])
        if len(re.findall("requests per second", said)) != 2:
            raise RuntimeError(f"redis-benchmark: {said[-600:]}")


def start(workload, variant, folder):
    port, endpoint = free_port(), free_port()
    environment = dict(variant.environment)
    if variant.has_endpoint:
        environment["PORTHOLE_LISTEN"] = f"127.0.0.1:{endpoint}"
    host = Host(workload.command(folder, port), environment, variant.wrapper, os.path.join(folder, "errors"))
    try:
        host.wait_ready(*([port, endpoint] if variant.has_endpoint else [port]))
        if not host.has_mapped(variant.library):
            raise RuntimeError(f"{host.command[0]} runs without {variant.library}")
    except BaseException:
        host.stop()
        raise
    return host, port


def one_burst(workload, host, port):
    before_ns = host.cpu_ns()
    workload.load(port, BURST_REQUESTS)
    return (host.cpu_ns() - before_ns) / BURST_REQUESTS


def one_round(workload, variants, folder, bursts):
    """{variant: [nanoseconds a request, a figure a burst]}: fresh processes, all alive at once, loaded in turn.

    Bursts are short and many: what disturbs the machine lasts longer than one, so neighbours meet the same.
    """
    with contextlib.ExitStack() as stack:
        running = {}
        for variant in variants:
            host, port = start(workload, variant, folder)
            stack.callback(host.stop)
            running[variant.name] = (host, port)
            workload.load(port, WARM_REQUESTS)
        return interleave(bursts, {
            name: lambda host=host, port=port: one_burst(workload, host, port)
            for name, (host, port) in running.items()})


def table_of(workload, rounds):
    """Ours is Porthole; first against each peer, then what the peers cost themselves."""
    def column(name):
        return [figures[name] for figures in rounds]

    rows = [Row("Porthole : no preload", "us", column(PORTHOLE), column(NONE), ratio_target=RATIO_TARGET)]
    rows += [Row(f"Porthole : {peer}", "us", column(PORTHOLE), column(peer)) for peer in PEERS if peer != AGAIN]
    rows += [Row(f"{peer} : no preload", "us", column(peer), column(NONE)) for peer in PEERS]
    return Table(workload.title, rows)


def tables(settings):
    workloads = [Nginx(), Redis(64), Redis(1024)]
    variants = list(all_variants(settings.build, settings.work).values())
    for workload in workloads:
        done = []
        for number in range(settings.rounds):
            settings.note(f"{workload.title.split(' (')[0]}, round {number + 1} of {settings.rounds}")
            done.append(one_round(workload, variants, settings.work, settings.pick(30, 3)))
        yield table_of(workload, done)
