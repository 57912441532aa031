"""Paired, interleaved rounds, and the tables made of them."""

import operator
import statistics

UNITS = {  # unit: (divisor, shown as, decimals)
    "ns": (1, "ns", 1),
    "us": (1e3, "µs", 2),
    "ms": (1e6, "ms", 2),
    "bytes": (1e6, "MB", 2),
    "count": (1, "", 0),
}


class Row:
    """One line of a table: our figures and the peer's, of every round.

    A round is one figure, or a list of them (bursts of load on the same processes); ours and the peer's were taken
    in turn and are compared pair by pair. ratio_target: the most that ours / peer may be; more_target: the most
    that ours - peer may be, in units of the figures (nanoseconds, bytes). A row with a more_target shows
    differences where others show ratios.
    """

    def __init__(self, name, unit, ours, peer, ratio_target=None, more_target=None):
        if len(ours) != len(peer) or not ours:
            raise ValueError(f"{name}: {len(ours)} figures of ours, {len(peer)} of the peer's")
        self.name, self.unit = name, unit
        self.ours, self.peer = [as_list(round_of) for round_of in ours], [as_list(round_of) for round_of in peer]
        self.ratio_target, self.more_target = ratio_target, more_target

    def compared(self):
        """Per round: the median of ours / peer, or of ours - peer."""
        compare = operator.sub if self.more_target is not None else operator.truediv
        return [statistics.median(map(compare, ours, peer)) for ours, peer in zip(self.ours, self.peer)]

    def is_met(self):
        """None if the row has no target."""
        target = self.more_target if self.more_target is not None else self.ratio_target
        return None if target is None else statistics.median(self.compared()) <= target

    def cells(self, judged):
        compared = self.compared()
        show = self.show_difference if self.more_target is not None else "{:.3f}".format
        target = ""
        if self.is_met() is not None:
            limit = show(self.more_target) if self.more_target is not None else f"{self.ratio_target:g}"
            target = f"≤ {limit}"
            if judged:
                target += " met" if self.is_met() else " MISSED"
        between = f"{show(min(compared))} – {show(max(compared))}" if len(compared) > 1 else ""
        return [self.name, show_figure(self.ours, self.unit), show_figure(self.peer, self.unit),
                show(statistics.median(compared)), between, target]

    def show_difference(self, value):
        divisor, suffix, decimals = UNITS[self.unit]
        return f"{value / divisor:+.{decimals}f} {suffix}".rstrip()

    def as_json(self):
        return {"name": self.name, "unit": self.unit, "ours": self.ours, "peer": self.peer,
                "median": statistics.median(self.compared()), "is_difference": self.more_target is not None,
                "met": self.is_met()}


class Table:
    def __init__(self, title, rows):
        self.title, self.rows = title, rows

    def text(self, judged=True):
        lines = [["", "ours", "peer", "ratio", "min – max", "target"]] + [row.cells(judged) for row in self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        shown = [self.title]
        for line in lines:
            cells = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:5], widths[1:5])]
            shown.append(("  " + "  ".join(cells) + "  " + line[5]).rstrip())
        return "\n".join(shown)

    def as_json(self):
        return {"title": self.title, "rows": [row.as_json() for row in self.rows]}


def as_list(figures):
    return figures if isinstance(figures, list) else [figures]


def show_figure(rounds, unit):
    divisor, suffix, decimals = UNITS[unit]
    figure = statistics.median(map(statistics.median, rounds))
    return f"{figure / divisor:.{decimals}f} {suffix}".rstrip()


def interleave(rounds, measures, note=lambda round_number: None):
    """Run every measure once a round; {name: [a figure a round]}.

    Every second round runs backwards (A B C, C B A), so that what drifts falls on all alike.
    """
    figures = {name: [] for name in measures}
    for number in range(rounds):
        note(number)
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            figures[name].append(measures[name]())
    return figures
