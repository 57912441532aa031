#!/usr/bin/env python3
"""Runs a command on a terminal of its own and acts as the person before it.

    pty_run.py COLUMNSxROWS ACTION... -- COMMAND...

    wait=REGEX      until the screen matches (20 s at most)
    keys=TEXT       press keys; Python escapes such as \\x03 count
    size=CxR        make the window larger or smaller
    signal=NAME     send a signal to the command
    stopped         until it is stopped (20 s at most)
    run=COMMAND     run a shell command elsewhere meanwhile
    show            print the screen, without blanks at line ends

An action "after-..." is done when the command has ended. It is waited for, and this prints "status N", then "terminal restored" if modes, cursor, wrapping and screen are as
they were before, else what is not.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

SEQUENCE = re.compile(rb"\x1b\[([?]?)([0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as porthole uses: two screens, homing, erasing, wrapping."""

    def __init__(self, columns, rows):
        self.modes = {25: True, 7: True, 1049: False}
        self.pending = b""
        self.saved = None
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def control(self, private, numbers, letter):
        first = int(numbers.split(b";")[0] or 0) if numbers else 0
        if private and letter in b"hl":
            self.modes[first] = letter == b"h"
            if first == 1049 and letter == b"h":
                self.saved = (self.lines, self.x, self.y)
                self.resize(self.columns, self.rows)
            elif first == 1049 and self.saved:
                self.lines, self.x, self.y = self.saved
        elif letter == b"H":
            self.x = self.y = 0
        elif letter == b"K":
            self.lines[self.y][self.x:] = [" "] * (self.columns - self.x)
        elif letter == b"J":
            self.lines[self.y][self.x:] = [" "] * (self.columns - self.x)
            for y in range(self.y + 1, self.rows):
                self.lines[y] = [" "] * self.columns
        elif letter != b"m":
            raise ValueError(f"unknown sequence {private}{numbers}{letter}")

    def newline(self):
        if self.y + 1 < self.rows:
            self.y += 1
        else:
            self.lines = self.lines[1:] + [[" "] * self.columns]

    def put(self, character):
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.newline()
        elif character >= " ":
            if self.x >= self.columns:
                if self.modes[7]:
                    self.x = 0
                    self.newline()
                else:
                    self.x = self.columns - 1
            self.lines[self.y][self.x] = character
            self.x += 1

    def feed(self, data):
        data = self.pending + data
        self.pending = b""
        while data:
            if data[:1] == b"\x1b":
                match = SEQUENCE.match(data)
                if not match and b"\x1b" in data[1:]:
                    data = data[data.index(b"\x1b", 1):]  # cut short by another one, as terminals have it
                    continue
                if not match:
                    self.pending = data
                    return
                self.x = min(self.x, self.columns - 1)
                self.control(*match.groups())
                data = data[match.end():]
                continue
            plain, escape, rest = data.partition(b"\x1b")
            for character in plain.decode("utf-8", "replace"):
                self.put(character)
            data = escape + rest


class Session:
    def __init__(self, size, command):
        columns, rows = map(int, size.split("x"))
        self.screen = Screen(columns, rows)
        self.fd, self.keyboard = pty.openpty()  # the keyboard's modes outlive the command
        self.set_size(size)
        self.pid = os.fork()
        if self.pid == 0:
            os.environ.setdefault("TERM", "xterm")
            os.close(self.fd)
            os.login_tty(self.keyboard)
            os.execvp(command[0], command)
        self.modes = termios.tcgetattr(self.keyboard)

    def set_size(self, size):
        columns, rows = map(int, size.split("x"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if (columns, rows) != (self.screen.columns, self.screen.rows):
            self.screen.resize(columns, rows)

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if ready:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.screen.feed(data)
        return True

    def wait(self, pattern):
        end = time.monotonic() + 20
        while not re.search(pattern, self.screen.text(), re.M):
            if time.monotonic() > end:
                print(f"timeout: nothing matches {pattern} in:\n{self.screen.text()}")
                return
            self.read(0.1)

    def wait_stopped(self):
        for _ in range(200):
            with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] == "T":
                    return
            self.read(0.1)
        print("timeout: not stopped")

    def act(self, action):
        name, _, value = action.partition("=")
        if name == "wait":
            self.wait(value)
        elif name == "keys":
            os.write(self.fd, codecs.decode(value, "unicode_escape").encode("latin-1"))
        elif name == "size":
            self.set_size(value)
        elif name == "signal":
            os.kill(self.pid, getattr(signal, "SIG" + value))
        elif name == "stopped":
            self.wait_stopped()
        elif name == "run":
            subprocess.run(value, shell=True, check=True)
        elif name == "show":
            print(self.screen.text())
        else:
            raise ValueError(action)

    def end(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self.read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            print("hung")
        self.read(0.2)
        print("status", os.waitstatus_to_exitcode(status))
        wrong = [name for number, name, value in ((25, "cursor", True), (7, "wrapping", True), (1049, "screen", False))
                 if self.screen.modes[number] != value]
        if termios.tcgetattr(self.keyboard) != self.modes:
            wrong.append("modes")
        print("terminal restored" if not wrong else "terminal left with other " + ", ".join(wrong))


def main(arguments):
    size, rest = arguments[0], arguments[1:]
    split = rest.index("--")
    session = Session(size, rest[split + 1:])
    late = []
    for action in rest[:split]:
        if action.startswith("after-"):
            late.append(action[6:])
        else:
            session.act(action)
    session.end()
    for action in late:
        session.act(action)


main(sys.argv[1:])
