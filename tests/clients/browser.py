"""browser.py - a headless Chromium, driven through DevTools over a pipe (no port, no library).

    with Browser(profile_folder) as browser:
        browser.open("file:///…/report.html")
        browser.run("document.title")

Protocol: https://chromedevtools.github.io/devtools-protocol/ ; --remote-debugging-pipe reads descriptor 3 and writes 4,
messages end in NUL.
"""
import base64
import itertools
import json
import os
import select
import subprocess
import time

# The virtual key codes of keys that are no letters.
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9,
        "Home": 36, "End": 35, "Backspace": 8, " ": 32}


class Browser:
    def __init__(self, profile_folder, patience_seconds=60):
        self.profile_folder = profile_folder
        self.patience_seconds = patience_seconds
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.session = None
        self.events = []

    def __enter__(self):
        commands_out, self.commands = os.pipe()
        self.answers, answers_in = os.pipe()
        # Through a shell, which can put any descriptor on 3 and 4; exec leaves one process to end.
        command = ["bash", "-c", 'exec "${@:3}" 3<&"$1" 4>&"$2"', "-", str(commands_out), str(answers_in), "chromium",
                   "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--user-data-dir=" + self.profile_folder]
        self.process = subprocess.Popen(command, pass_fds=(commands_out, answers_in), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands_out)
        os.close(answers_in)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        return self

    def __exit__(self, *_):
        os.close(self.commands)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.answers)

    def message(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, deadline - time.monotonic()))
            got = os.read(self.answers, 1 << 20) if ready else b""
            if not got:
                raise RuntimeError("the browser gives no answer")
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **params):
        """One command and its result; what happens meanwhile goes to self.events."""
        number = next(self.numbers)
        command = {"id": number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + self.patience_seconds
        while True:
            answer = self.message(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        deadline = time.monotonic() + self.patience_seconds
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message(deadline))

    def open(self, url):
        self.events = []
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(script + ": " + json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key, times=1, shift=False):
        for _ in range(times):
            text = {"Enter": "\r", " ": " "}.get(key, "")
            common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key],
                      "modifiers": 8 if shift else 0}
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def show(self, width, height, scheme="light", is_phone=False):
        """The window, and whether its user likes it dark. Nothing moves by itself: what is asked for is there at once."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])

    def frame(self):
        """Until what was asked for has been drawn."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def screenshot(self, path, is_alive=True):
        """Of the whole page. is_alive: scripts run, so that it can be told when all is drawn."""
        if is_alive:
            self.frame()
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
        image = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def complaints(self):
        """What the console was told, and exceptions nobody caught."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.consoleAPICalled":
                found.append(json.dumps(params["args"]))
            elif event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(params["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded":
                found.append(params["entry"]["text"])
        return found

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
