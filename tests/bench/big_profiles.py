"""Large heap profiles that nobody has to wait for: pprof's protobuf and jemalloc's text, the same every time."""

import gzip
import math
import random

RATE_BYTES = 524288
START_NS = 1785000000 * 10**9
STEP_NS = 10 * 10**9
LEAKS = 10
CODE_START = 0x555555554000
CODE_BYTES = 0x4000000


class Heap:
    """Stacks with what each holds. Paths share their outer part, as those of a program do; 10 of them leak."""

    def __init__(self, stacks, seed=7):
        self.chance = random.Random(seed)
        self.functions = max(2000, stacks // 10)
        self.places = 2 * self.functions
        self.paths = self.make_paths(stacks)
        self.sizes = [self.chance.choice((48, 64, 96, 512, 4096, 65536)) for _ in self.paths]
        self.live = [1 + int(self.chance.expovariate(0.5)) for _ in self.paths]  # sampled objects
        self.all = [2 * count for count in self.live]

    def make_paths(self, stacks):
        paths = []
        while len(paths) < stacks:
            outer = self.new_places(20)
            if paths and self.chance.random() < 0.9:
                outer = self.chance.choice(paths)[-self.chance.randrange(5, 25):]
            paths.append(self.new_places(self.chance.randrange(4, 14)) + outer)
        return paths

    def new_places(self, count):
        return [self.chance.randrange(1, self.places + 1) for _ in range(count)]

    def go_on(self):
        """Until the next profile: a third of the stacks change a little."""
        for stack in range(len(self.paths)):
            if stack < LEAKS:
                self.live[stack] += 20
                self.all[stack] += 20
            elif self.chance.random() < 0.3:
                self.live[stack] = max(0, self.live[stack] + self.chance.choice((-1, 0, 1)))
                self.all[stack] += 1


# ---- pprof: proto/profile.proto of google/pprof -------------------------------------------------------------------

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


class Pprof:
    """Writes a Heap; what all its profiles share is encoded once."""

    def __init__(self, heap):
        self.heap, self.texts, self.taken = heap, [""], 0
        self.packed = [b"".join(map(varint, path)) for path in heap.paths]
        count, size, space = self.text("count"), self.text("bytes"), self.text("space")
        types = zip(("alloc_objects", "alloc_space", "inuse_objects", "inuse_space"), (count, size, count, size))
        self.head = b"".join(block(1, number(1, self.text(name)) + number(2, unit)) for name, unit in types)
        self.head += block(11, number(1, space) + number(2, size)) + number(12, RATE_BYTES)
        self.tables = self.make_tables()
        self.tables += b"".join(block(6, text.encode()) for text in self.texts)

    def text(self, text):
        self.texts.append(text)
        return len(self.texts) - 1

    def make_tables(self):
        out = bytearray(block(3, number(1, 1) + number(2, CODE_START) + number(3, CODE_START + CODE_BYTES)
                              + number(5, self.text("/usr/bin/server")) + number(6, self.text("ab" * 20))
                              + number(7, 1)))
        source = self.text("server.cc")
        for place in range(1, self.heap.functions + 1):
            name = self.text(f"server::module_{place % 97}::Class{place % 1009}::function_{place}(std::string const&)")
            out += block(5, number(1, place) + number(2, name) + number(3, name) + number(4, source))
        for place in range(1, self.heap.places + 1):
            line = number(1, (place + 1) // 2) + number(2, place % 500 + 1)
            out += block(4, number(1, place) + number(2, 1) + number(3, CODE_START + place * 64) + block(4, line))
        return bytes(out)

    def write(self, path):
        heap, out = self.heap, bytearray(self.head)
        out += number(9, START_NS + self.taken * STEP_NS)
        self.taken += 1
        for stack, packed in enumerate(self.packed):
            size = heap.sizes[stack]
            factor = 1 / -math.expm1(-size / RATE_BYTES)
            every, live = round(heap.all[stack] * factor), round(heap.live[stack] * factor)
            values = b"".join(map(varint, (every, every * size, live, live * size)))
            out += block(2, block(1, packed) + block(2, values))
        out += self.tables
        with gzip.open(path, "wb", compresslevel=6) as file:
            file.write(out)


# ---- jemalloc: "heap_v2" --------------------------------------------------------------------------------------------

def write_jemalloc(heap, path, program):
    """@program: the file that the addresses are said to be in."""
    def counts(live, every):
        return f"{live[0]}: {live[1]} [{every[0]}: {every[1]}]"

    def total(values):
        return sum(values), sum(value * size for value, size in zip(values, heap.sizes))

    with open(path, "w", encoding="ascii") as file:
        file.write(f"heap_v2/{RATE_BYTES}\n  t*: {counts(total(heap.live), total(heap.all))}\n")
        for stack, places in enumerate(heap.paths):
            size, live, every = heap.sizes[stack], heap.live[stack], heap.all[stack]
            file.write("@ " + " ".join(f"{CODE_START + place * 64:#x}" for place in places))
            file.write(f"\n  t*: {counts((live, live * size), (every, every * size))}\n")
        file.write("\nMAPPED_LIBRARIES:\n"
                   f"{CODE_START:x}-{CODE_START + CODE_BYTES:x} r-xp 00000000 08:01 1 {program}\n")
