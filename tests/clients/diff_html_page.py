"""diff_html_page.py - what test_diff_html.sh asks of the report in a browser.

    diff_html_page.py PAGES SCRATCH ARTEFACTS

PAGES is the folder that tests/unit/test_diff_html wrote. Each check is a line: ok or fail, a tab, what, a tab, details.
"""
import os
import re
import sys

sys.dont_write_bytecode = True
from browser import Browser

PAGES, SCRATCH, ARTEFACTS = sys.argv[1:4]

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrast.js"), encoding="utf-8") as file:
    CONTRAST = file.read()

# How much more red than blue a box has, of 255.
REDNESS = """(() => {
    const box = [...document.querySelectorAll('.node')].find(node => node.ariaLabel.includes('%s'));
    const context = document.createElement('canvas').getContext('2d');
    context.fillStyle = getComputedStyle(box).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    const [red, , blue] = context.getImageData(0, 0, 1, 1).data;
    return red - blue;
})()"""

FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
FOCUSED_WIDTH = "parseFloat(document.activeElement.style.width)"


def check(what, got, details=""):
    line = f"{'ok' if got else 'fail'}\t{what}\t{str(details)[:1500]}"
    print(line.replace("\n", " | "), flush=True)


def url(page):
    return "file://" + os.path.join(PAGES, page + ".html")


def text_of(browser, selector):
    return browser.run(f"document.querySelector({selector!r}).textContent")


def count_of(browser, selector):
    return browser.run(f"document.querySelectorAll({selector!r}).length")


def corner_of(browser, selector):
    """Its place in the window, into which it is scrolled."""
    return browser.run(f"""(node => {{
        node.scrollIntoView({{block: 'center'}});
        const box = node.getBoundingClientRect();
        return [box.x, box.y];
    }})(document.querySelector({selector!r}))""")


def fits(browser):
    return browser.run("document.documentElement.scrollWidth <= innerWidth")


def is_quiet(browser, page):
    check(f"{page}: the console stays silent", not browser.complaints(), browser.complaints())
    asked = [address for address in browser.requests() if not address.startswith("data:")]
    check(f"{page}: nothing is fetched but the file", asked == [url(page)], asked)


def opens(browser, page):
    browser.open(url(page))
    browser.frame()
    check(f"{page}: has one heading that tells what happened", count_of(browser, "h1") == 1)
    check(f"{page}: ids are unique", browser.run(
        "(all => all.length === new Set(all).size)([...document.querySelectorAll('[id]')].map(node => node.id))"))
    check(f"{page}: labels point to something", browser.run(
        "[...document.querySelectorAll('[aria-labelledby]')].every("
        "node => document.getElementById(node.getAttribute('aria-labelledby')))"))
    check(f"{page}: nothing is wider than the window", fits(browser))
    is_quiet(browser, page)


def looks(browser, page):
    for scheme in ("light", "dark"):
        for name, width in (("wide", 1280), ("phone", 390)):
            browser.show(width, 900, scheme, name == "phone")
            browser.open(url(page))
            browser.frame()
            bad = browser.run(CONTRAST)
            check(f"{page}: text can be read, {scheme}, {name}", bad == "", bad)
            check(f"{page}: fits, {scheme}, {name}", fits(browser))
            path = os.path.join(ARTEFACTS, f"report-{page}-{scheme}-{name}.png")
            browser.screenshot(path)
            check(f"{page}: a screenshot is there, {scheme}, {name}", os.path.getsize(path) > 20000)


def hostile_names_stay_text(browser):
    browser.open(url("hostile"))
    browser.run("document.querySelectorAll('.open').forEach(button => button.click())")
    browser.run("document.querySelector('details').open = true")
    browser.run("document.querySelectorAll('input[value=\"1\"]')[0].click()")
    browser.frame()
    check("names from profiles make no elements",
          count_of(browser, "img, iframe, a[href^=javascript], main script") == 0)
    check("names from profiles run no script", browser.run("window.hacked === undefined"))
    for where in ("h1", ".path", ".open", ".stack", ".node", ".warnings", "#undecided ~ ul", "#profiles ~ details"):
        check(f"names from profiles are shown as they are in {where}", browser.run(
            f"[...document.querySelectorAll({where!r})].some("
            "node => node.textContent.includes('</script><img src=x onerror='))"))
    is_quiet(browser, "hostile")


def tab_reaches_everything(browser):
    seen = []
    for _ in range(40):
        browser.press("Tab")
        seen.append(browser.run("(node => node.getAttribute('role') || node.type || node.tagName.toLowerCase())"
                                "(document.activeElement)"))
        shown = browser.run("getComputedStyle(document.activeElement.matches('fieldset input') ? "
                            "document.activeElement.nextElementSibling : document.activeElement).outlineStyle")
        if shown == "none" and seen[-1] != "body":
            check("whatever has the focus shows it", False, browser.run("document.activeElement.outerHTML"))
    for what in ("button", "slider", "radio", "search", "treeitem", "select-one", "region"):
        check(f"Tab reaches the {what}", what in seen, seen)
    check("the flame graph is one stop for Tab", seen.count("treeitem") == 1, seen)


def flame_graph_obeys_keys(browser):
    browser.run("document.querySelector('.node[tabindex=\"0\"]').focus()")
    check("the flame graph begins at the root", "all stacks" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("ArrowDown", 5)
    check("down goes to what grew most", "upload_handle +202.0 MiB" in browser.run(FOCUSED), browser.run(FOCUSED))
    check("a place where growth concentrates says so", "growth concentrates here" in browser.run(FOCUSED))
    check("the change has a sign", browser.run(FOCUSED).startswith("▲"))
    before = browser.run(FOCUSED_WIDTH)
    browser.press("ArrowRight")
    check("right goes to the neighbour", "upload_handle" not in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("ArrowLeft")
    check("left comes back", "upload_handle" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("Enter")
    check("Enter zooms", before < 95 and browser.run(FOCUSED_WIDTH) == 100, before)
    check("Enter keeps the focus", "upload_handle" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("ArrowDown")
    check("below it is the line", "thumbnail_render" in browser.run(FOCUSED), browser.run(FOCUSED))
    check("what has the focus is told", "thumbnail.c:88" in text_of(browser, ".readout"))
    browser.press("Backspace")
    check("Backspace zooms out by one", "http_dispatch" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("Escape")
    check("Escape resets", "all stacks" in browser.run(FOCUSED) and browser.run(FOCUSED_WIDTH) == 100)


def flame_graph_obeys_its_controls(browser):
    browser.run("document.querySelector('input[value=now]').click()")
    check("width by the size now shows what shrank, with its sign", browser.run(
        "[...document.querySelectorAll('.node.down')].some(n => n.ariaLabel.includes('▼ buffer_get -42.0 MiB'))"))
    check("what grew is red", browser.run(REDNESS % "cache_insert") > 30, browser.run(REDNESS % "cache_insert"))
    check("what shrank is blue", browser.run(REDNESS % "buffer_get") < -30, browser.run(REDNESS % "buffer_get"))
    browser.run("document.querySelector('input[name=side][value=\"1\"]').click()")
    check("from the allocators' side the line comes first", browser.run(
        "document.querySelectorAll('.node[aria-level=\"2\"]').length > 3 && "
        "document.querySelector('.node[aria-level=\"2\"].guilty').textContent.includes('thumbnail_render')"))
    browser.run("document.querySelector('input[name=side][value=\"0\"]').click()")
    browser.run("document.querySelector('input[value=growth]').click()")
    browser.run("document.querySelector('#flame input[type=search]').focus()")
    browser.type("imaged")
    found = text_of(browser, "#flame output")
    check("search counts once what is in several matches", "match, 100.0 % of the growth" in found, found)
    browser.run("document.querySelector('#flame input[type=search]').select()")
    browser.type("UPLOAD_handle")
    check("search marks what it finds", count_of(browser, ".node.match") == 1)
    found = text_of(browser, "#flame output")
    check("search tells the share", re.fullmatch(r"1 match, \d+\.\d % of the growth", found), found)
    x, y = corner_of(browser, ".node.match")
    browser.click(x + 20, y + 8)
    focused = browser.run(FOCUSED)
    check("a click zooms", "upload_handle" in focused and browser.run(FOCUSED_WIDTH) == 100, focused)
    browser.press("Escape")
    browser.run("document.querySelector('[data-place=\"1\"]').click()")
    check("a place leads to its box", "index_load" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("Escape")


def chart_obeys_keys(browser):
    values = "document.querySelector('#chart svg').getAttribute('aria-valuetext')"
    browser.run("document.querySelector('#chart svg').focus()")
    browser.press("Home")
    first = browser.run(values)
    check("Home shows the first profile", "profile 1 of 60" in first and "thumbnail_render 24.0 MiB" in first, first)
    browser.press("ArrowRight", 3)
    check("arrows step through the profiles", "profile 4 of 60" in browser.run(values), browser.run(values))
    browser.press("End")
    check("End shows the last", "thumbnail_render 205.0 MiB" in browser.run(values), browser.run(values))
    x, y = corner_of(browser, "#chart svg")
    browser.move(x + 500, y + 60)
    check("the pointer chooses a profile", "profile 60 of" not in browser.run(values), browser.run(values))
    check("onsets are marked", count_of(browser, "#chart .onset") == 5)
    check("onsets have their intervals", count_of(browser, "#chart .interval") == 5)


def table_obeys(browser):
    order = "document.querySelector('th[aria-sort]').getAttribute('aria-sort')"
    check("the table begins with the line that grew most", "thumbnail_render" in text_of(browser, ".sites .open"))
    browser.run("[...document.querySelectorAll('.sites th button')].find(b => b.textContent === 'Now').focus()")
    browser.press("Enter")
    check("a heading sorts", browser.run(order) == "descending")
    browser.press("Enter")
    check("and turns the order round", browser.run(order) == "ascending")
    browser.run("document.querySelector('#table input[type=search]').focus()")
    browser.type("thumbnail_render")
    check("the filter leaves what matches", count_of(browser, ".sites .site") == 1)
    browser.run("document.querySelector('.sites .open').focus()")
    browser.press("Enter")
    check("a row opens its stack", count_of(browser, ".stack li") == 6)
    check("the stack marks the program's own line", "thumbnail_render" in text_of(browser, ".stack .own"))
    browser.press("Enter")
    check("and closes it", count_of(browser, ".stack li") == 0)


def theme_turns(browser):
    browser.show(1280, 900, "light")
    browser.open(url("series"))
    ground = "getComputedStyle(document.body).backgroundColor"
    before = browser.run(ground)
    browser.run("document.getElementById('theme').focus()")
    browser.press("Enter")
    check("the toggle turns light to dark", browser.run(ground) != before)
    browser.press("Enter")
    check("and back", browser.run(ground) == before)


def many_stacks_stay_usable(browser):
    browser.open(url("huge"))
    browser.frame()
    check("100,000 stacks: the file is small", os.path.getsize(os.path.join(PAGES, "huge.html")) < 4 << 20)
    check("100,000 stacks: what was cut is told",
          re.search("Below 0.05 %: [0-9,]+ branches left out", text_of(browser, "#flame")))
    check("100,000 stacks: rows left out are told", "more sites, which changed less" in text_of(browser, "#table"))
    for mode in ("growth", "now", "loss"):
        browser.run(f"document.querySelector('input[value={mode}]').click()")
        count = count_of(browser, ".node")
        check(f"100,000 stacks: few enough boxes are drawn, {mode}", 5 < count < 8000, count)
    is_quiet(browser, "huge")


def works_without_script(browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url("series"))
    text = "document.body.innerText"
    check("without script the verdict is there", "session_new has been growing since" in browser.run(text))
    check("without script nothing is wider than the window", fits(browser))
    check("without script the sites are there", count_of(browser, "noscript tr") == 7)
    check("without script no heading stands above nothing", "OVER TIME" not in browser.run(text).upper())
    browser.screenshot(os.path.join(ARTEFACTS, "report-series-noscript.png"), is_alive=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


with Browser(SCRATCH) as browser:
    browser.show(1280, 900)
    for page in ("series", "pair", "nothing", "many"):
        opens(browser, page)
    hostile_names_stay_text(browser)
    browser.open(url("many"))
    tab_reaches_everything(browser)
    flame_graph_obeys_keys(browser)
    flame_graph_obeys_its_controls(browser)
    chart_obeys_keys(browser)
    table_obeys(browser)
    is_quiet(browser, "many")
    theme_turns(browser)
    many_stacks_stay_usable(browser)
    for page in ("many", "series", "pair", "nothing"):
        looks(browser, page)
    works_without_script(browser)
