#!/usr/bin/python3
"""page_look.py PROFILE_FOLDER SHOTS_FOLDER NAME=URL... - are the pages fit to be looked at, on a desk and a phone, light and dark?

Writes a line for each check: ok or not ok, what, details; separated by tabs. The pages are left as pictures in SHOTS_FOLDER.
"""
import os
import sys

from browser import Browser

SCREENS = {"desk": (1280, 900, "light", False), "desk-dark": (1280, 900, "dark", False),
           "phone": (360, 740, "light", True), "phone-dark": (360, 740, "dark", True)}
# What is wider than the window, or than the part of a page that holds it; clamped commands hide their end on purpose.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 80)).join(' | ')"""
TOO_SMALL = """[...document.querySelectorAll('body *')].filter(e => e.children.length == 0 && e.textContent.trim() &&
    parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.outerHTML.slice(0, 80)).join(' | ')"""

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrast.js"), encoding="utf-8") as file:
    CONTRAST = file.read()


def check(what, got, wanted):
    print("ok" if got == wanted else "not ok", what, f"got {got!r}, expected {wanted!r}".replace("\n", " "), sep="\t")


def look(browser, name, url, shots):
    for screen, (width, height, scheme, is_phone) in SCREENS.items():
        what = f"{name} on {screen}"
        browser.show(width, height, scheme, is_phone)
        browser.open(url)
        check(f"{what}: nothing is wider than the window", browser.run(TOO_WIDE), "")
        check(f"{what}: no text is too small", browser.run(TOO_SMALL), "")
        check(f"{what}: all text stands out", browser.run(CONTRAST), "")
        check(f"{what}: the browser has no complaints", browser.complaints(), [])
        browser.screenshot(os.path.join(shots, f"{name}-{screen}.png"), is_alive=False)


profile_folder, shots_folder, *pages = sys.argv[1:]
with Browser(profile_folder) as the_browser:
    for page in pages:
        look(the_browser, *page.split("=", 1), shots_folder)
