"""What a host may be run under: nothing, Porthole, and its peers. Rows, not branches."""

import os

LIBRARY_FOLDER = "/usr/lib/x86_64-linux-gnu"


class Variant:
    """name; the library it preloads; more environment; a command in front of the host's; does an endpoint open?"""

    def __init__(self, name, library="", environment=None, wrapper=(), has_endpoint=False):
        self.name, self.library, self.environment = name, library, dict(environment or {})
        self.wrapper, self.has_endpoint = list(wrapper), has_endpoint
        if library and not wrapper:
            self.environment["LD_PRELOAD"] = library


NONE, AGAIN = "no preload", "no preload, again"
PORTHOLE, PORTHOLE_OFF, PORTHOLE_CLOSED = "Porthole", "Porthole, sampling off", "Porthole, no endpoint"
JEMALLOC, TCMALLOC, HEAPTRACK = "jemalloc", "tcmalloc, sampling", "heaptrack"

# In the order of the tables. The first is the noise of the measurement: two equal hosts.
PEERS = (AGAIN, JEMALLOC, PORTHOLE_OFF, PORTHOLE_CLOSED, TCMALLOC, HEAPTRACK)


def all_variants(build, work):
    """{name: Variant}; heaptrack's recordings go to folder @work."""
    probe = os.path.join(build, "lib/.libs/libporthole.so")
    quiet = {"PORTHOLE_LOG": "quiet"}
    rows = [
        Variant(NONE),
        Variant(AGAIN),
        Variant(JEMALLOC, f"{LIBRARY_FOLDER}/libjemalloc.so.2"),
        Variant(PORTHOLE_OFF, probe, {**quiet, "PORTHOLE_HEAP_SAMPLE": "off"}, has_endpoint=True),
        Variant(PORTHOLE_CLOSED, probe, {**quiet, "PORTHOLE_START": "manual"}),
        Variant(PORTHOLE, probe, quiet, has_endpoint=True),
        Variant(TCMALLOC, f"{LIBRARY_FOLDER}/libtcmalloc.so.4", {"TCMALLOC_SAMPLE_PARAMETER": str(1 << 19)}),
        # --raw: without the interpreter, a second process that would work for seconds.
        Variant(HEAPTRACK, "libheaptrack_preload.so",
                wrapper=["heaptrack", "--raw", "-o", os.path.join(work, "heaptrack")]),
    ]
    return {variant.name: variant for variant in rows}
