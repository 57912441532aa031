#!/usr/bin/env python3
"""Looks at a flame graph as a person does: flame_look.py FILE PICTURES. Prints "WHAT: yes" or "WHAT: no, …", a line each.

PICTURES gets light.png, dark.png, zoomed.png and found.png.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from browser import Browser  # noqa: E402

FRAMES = "[].slice.call(document.querySelectorAll('.f'))"


def say(what, is_so, otherwise=""):
    print(f"{what}: {'yes' if is_so else 'no, ' + str(otherwise)}")


def middle(browser, name):
    return browser.run(f"(() => {{ const box = {FRAMES}.find(f => f.name === {name!r}).children[1].getBoundingClientRect();"
                       " return [box.x + box.width / 2, box.y + box.height / 2]; })()")


def shown(browser):
    return browser.run(f"{FRAMES}.filter(f => getComputedStyle(f).display !== 'none').map(f => f.name)")


def width(browser, name):
    return browser.run(f"+{FRAMES}.find(f => f.name === {name!r}).children[1].getAttribute('width')")


def label(browser, name):
    return browser.run(f"{FRAMES}.find(f => f.name === {name!r}).children[2].textContent")


def colour(browser, what):
    return browser.run(f"getComputedStyle(document.querySelector({what!r})).fill")


def look(browser, url, pictures):
    browser.show(1220, 400)
    browser.open(url)
    browser.screenshot(pictures / "light.png")
    everything, light = shown(browser), colour(browser, ".bg")
    say("it draws every function", {"all", "main", "serve", "deflate", "audit", "hash"} <= set(everything), everything)

    browser.move(*middle(browser, "deflate"))
    detail = browser.run("document.getElementById('detail').textContent")
    say("pointing at a box tells its time and samples", detail == "deflate (2.00s, 200 samples, 23.75%)", detail)

    browser.click(*middle(browser, "deflate"))
    browser.frame()
    browser.screenshot(pictures / "zoomed.png")
    say("a click makes a box as wide as the graph", width(browser, "deflate") > 1179, width(browser, "deflate"))
    say("and hides what does not call it", "hash" not in shown(browser) and "serve" in shown(browser), shown(browser))
    browser.press("Escape")
    say("Escape shows all again", shown(browser) == everything, shown(browser))
    say("with the names in the boxes", label(browser, "deflate") == "deflate", label(browser, "deflate"))

    browser.run("window.prompt = () => 'deflate|hash'")
    browser.run("[].slice.call(document.querySelectorAll('.key')).find(k => k.textContent === 'Search')"
                ".dispatchEvent(new MouseEvent('click'))")
    browser.screenshot(pictures / "found.png")
    found = browser.run("document.getElementById('found').textContent")
    say("a search tells the share of what it finds", found == "matched 28.7%", found)
    say("and marks it", browser.run("document.querySelectorAll('.f.m').length") == 2)
    browser.press("Escape")
    say("Escape takes the marks away", browser.run("document.querySelectorAll('.f.m').length") == 0)

    browser.show(1220, 400, "dark")
    browser.open(url)
    browser.screenshot(pictures / "dark.png")
    say("who likes it dark gets it dark", colour(browser, ".bg") != light and colour(browser, ".head") != "rgb(17, 17, 17)",
        colour(browser, ".bg"))

    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    texts = browser.run("[].slice.call(document.querySelectorAll('.f text')).map(t => t.textContent)")
    say("without script the names are there, too", "deflate" in texts, texts)
    say("and no key that does nothing", browser.run("document.querySelectorAll('.key').length") == 0)
    say("the browser has nothing to complain about", not browser.complaints(), browser.complaints())


def main(svg, pictures):
    folder = pathlib.Path(pictures)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, Browser(profile) as browser:
        look(browser, pathlib.Path(svg).resolve().as_uri(), folder)


main(*sys.argv[1:])
