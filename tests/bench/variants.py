"""What a host may be run under: nothing, Porthole, and its peers. Rows, not branches."""

import os

LIBRARY_FOLDER = "/usr/lib/x86_64-linux-gnu"


class Variant:
    """name; the environment it needs; a command in front of the host's; whether Porthole's endpoint opens."""

    def __init__(self, name, environment=None, wrapper=(), has_endpoint=False):
        self.name, self.environment = name, dict(environment or {})
        self.wrapper, self.has_endpoint = list(wrapper), has_endpoint


NONE, AGAIN = "no preload", "no preload, again"
PORTHOLE, PORTHOLE_OFF, PORTHOLE_CLOSED = "Porthole", "Porthole, sampling off", "Porthole, no endpoint"
JEMALLOC, TCMALLOC, HEAPTRACK = "jemalloc", "tcmalloc, sampling", "heaptrack"

# In the order of the tables. The first is the noise of the measurement: two equal hosts.
PEERS = (AGAIN, JEMALLOC, PORTHOLE_OFF, PORTHOLE_CLOSED, TCMALLOC, HEAPTRACK)


def all_variants(build, work):
    """{name: Variant}; heaptrack's recordings go to folder @work."""
    probe = os.path.join(build, "lib/.libs/libporthole.so")
    porthole = {"LD_PRELOAD": probe, "PORTHOLE_LOG": "quiet"}
    tcmalloc = {"LD_PRELOAD": f"{LIBRARY_FOLDER}/libtcmalloc.so.4", "TCMALLOC_SAMPLE_PARAMETER": str(1 << 19)}
    rows = [
        Variant(NONE),
        Variant(AGAIN),
        Variant(JEMALLOC, {"LD_PRELOAD": f"{LIBRARY_FOLDER}/libjemalloc.so.2"}),
        Variant(PORTHOLE_OFF, {**porthole, "PORTHOLE_HEAP_SAMPLE": "off"}, has_endpoint=True),
        Variant(PORTHOLE_CLOSED, {**porthole, "PORTHOLE_START": "manual"}),
        Variant(PORTHOLE, porthole, has_endpoint=True),
        Variant(TCMALLOC, tcmalloc),
        # --raw: without the interpreter, which would work for seconds on the client's core.
        Variant(HEAPTRACK, wrapper=["heaptrack", "--raw", "-o", os.path.join(work, "heaptrack")]),
    ]
    return {variant.name: variant for variant in rows}
