"""What a run of one of CPython's test modules said: a state for each test case, and how the run itself ended."""

import re
import signal
import xml.etree.ElementTree as ElementTree

THE_RUN = "(the run)"  # not a test case: how the process ended, and what it left behind
BAD_STATES = ("failed", "error", "absent")


def case_state(element):
    for child, state in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        if element.find(child) is not None:
            return state
    return element.get("result", "completed")


def read_cases(path):
    """{name of a test case: state}, from what -m test --junit-xml wrote; None if it did not come to write it.

    Cases of which a subtest failed are not in that file (regrtest leaves addSubTest() out): they are absent.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    return {element.get("name", "(unnamed)"): case_state(element) for element in root.iter("testcase")}


def how_it_ended(status):
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def details_of(log, name):
    """The report on one case in the output of -v: from its headline to the next line of =."""
    case, _, rest = name.rpartition(".")[2], None, name
    found = re.search(rf"^(?:ERROR|FAIL): {re.escape(case)} \({re.escape(rest)}\).*?(?=^={{60}}|^Ran |\Z)", log, re.M | re.S)
    return found.group(0).strip() if found else ""


def compare(without, with_it):
    """{case: (state without, state with)} where they differ and Porthole has the worse."""
    differing = {}
    for name in sorted(set(without) | set(with_it)):
        before, after = without.get(name, "absent"), with_it.get(name, "absent")
        if before != after and (after in BAD_STATES or after == "skipped") and name != THE_RUN:
            differing[name] = (before, after)
    return differing
