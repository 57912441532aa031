"""diff_html_page.py - what test_diff_html.sh asks of the report in a browser.

    diff_html_page.py PAGES SCRATCH ARTEFACTS

PAGES is the folder that tests/unit/test_diff_html wrote. Each check is a line: ok or fail, a tab, what, a tab, details.
"""
import os
import sys

sys.dont_write_bytecode = True
from browser import Browser

PAGES, SCRATCH, ARTEFACTS = sys.argv[1:4]

# All elements with text of their own whose contrast is below that of WCAG 2.2, 1.4.3: 4.5, or 3 for large text.
CONTRAST = """(() => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] / 255 + below[i] * (1 - top[3] / 255)).concat(255);
    const ground = node => {
        const own = rgba(getComputedStyle(node).backgroundColor);
        return own[3] === 255 ? own : over(own, node.parentElement ? ground(node.parentElement) : [255, 255, 255, 255]);
    };
    const light = colour => colour.slice(0, 3).map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
    const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const bad = [];
    for (const node of document.querySelectorAll('body :not(script):not(option):not(button:disabled)')) {
        if (node.closest('svg') || !node.getClientRects().length || ![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
            continue;
        const style = getComputedStyle(node), below = ground(node);
        const got = ratio(light(over(rgba(style.color), below)), light(below));
        const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        if (got < (isLarge ? 3 : 4.5))
            bad.push(`${node.tagName}.${node.className} ${got.toFixed(2)} ${node.textContent.slice(0, 30)}`);
    }
    return [...new Set(bad)].slice(0, 12).join('\\n');
})()"""

FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
FOCUSED_WIDTH = "parseFloat(document.activeElement.style.width)"


def check(what, got, details=""):
    line = f"{'ok' if got else 'fail'}\t{what}\t{str(details)[:1500]}"
    print(line.replace("\n", " | "), flush=True)


def url(page):
    return "file://" + os.path.join(PAGES, page + ".html")


def is_quiet(browser, page):
    check(f"{page}: the console stays silent", not browser.complaints(), browser.complaints())
    asked = [address for address in browser.requests() if not address.startswith("data:")]
    check(f"{page}: nothing is fetched but the file", asked == [url(page)], asked)


def opens(browser, page):
    browser.open(url(page))
    browser.frame()
    check(f"{page}: has one heading that tells what happened", browser.run("document.querySelectorAll('h1').length") == 1)
    # In strict pages an id used twice breaks labels; a label that points nowhere is silent.
    check(f"{page}: ids are unique and labels point to something", browser.run(
        "new Set([...document.querySelectorAll('[id]')].map(n => n.id)).size === document.querySelectorAll('[id]').length &&"
        "[...document.querySelectorAll('[aria-labelledby]')].every(n => document.getElementById(n.getAttribute('aria-labelledby')))"))
    check(f"{page}: nothing is wider than the window", browser.run(
        "document.documentElement.scrollWidth <= innerWidth"), browser.run("document.documentElement.scrollWidth"))
    is_quiet(browser, page)


def looks(browser, page):
    for scheme in ("light", "dark"):
        for name, width in (("wide", 1280), ("phone", 390)):
            browser.show(width, 900, scheme, name == "phone")
            browser.open(url(page))
            browser.frame()
            bad = browser.run(CONTRAST)
            check(f"{page}: text can be read, {scheme}, {name}", bad == "", bad)
            check(f"{page}: fits, {scheme}, {name}", browser.run("document.documentElement.scrollWidth <= innerWidth"))
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
          browser.run("document.querySelectorAll('img, iframe, a[href^=javascript], main script').length") == 0)
    check("names from profiles run no script", browser.run("window.hacked === undefined"))
    for where in ("h1", ".path", "tbody .open", ".stack", ".node", ".warnings", "#undecided ~ ul", "#profiles ~ details"):
        check(f"names from profiles are shown as they are in {where}", browser.run(
            f"[...document.querySelectorAll({where!r})].some(n => n.textContent.includes('</script><img src=x onerror='))"))
    is_quiet(browser, "hostile")


def tab_reaches_everything(browser):
    seen = []
    for _ in range(40):
        browser.press("Tab")
        seen.append(browser.run("(n => n.getAttribute('role') || n.type || n.tagName.toLowerCase())(document.activeElement)"))
        shown = browser.run("getComputedStyle(document.activeElement.matches('fieldset input') ? "
                            "document.activeElement.nextElementSibling : document.activeElement).outlineStyle")
        if shown == "none" and seen[-1] != "body":
            check("whatever has the focus shows it", False, browser.run("document.activeElement.outerHTML.slice(0, 200)"))
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
    check("what has the focus is told", "thumbnail.c:88" in browser.run("document.querySelector('.readout').textContent"))
    browser.press("Backspace")
    check("Backspace zooms out by one", "http_dispatch" in browser.run(FOCUSED), browser.run(FOCUSED))
    browser.press("Escape")
    check("Escape resets", "all stacks" in browser.run(FOCUSED) and browser.run(FOCUSED_WIDTH) == 100)


def flame_graph_obeys_its_controls(browser):
    colour = "getComputedStyle([...document.querySelectorAll('.node')].find(n => n.ariaLabel.includes('%s'))).backgroundColor"
    browser.run("document.querySelector('input[value=now]').click()")
    check("width by the size now shows what shrank, with its sign", browser.run(
        "[...document.querySelectorAll('.node.down')].some(n => n.ariaLabel.includes('▼ buffer_get -42.0 MiB'))"))
    check("what grew and what shrank differ in colour", browser.run(colour % "cache_insert") != browser.run(colour % "buffer_get"))
    browser.run("document.querySelector('input[name=side][value=\"1\"]').click()")
    check("from the allocators' side the line comes first", browser.run(
        "document.querySelectorAll('.node[aria-level=\"2\"]').length > 3 && "
        "[...document.querySelectorAll('.node[aria-level=\"2\"]')].some(n => n.textContent.includes('thumbnail_render'))"))
    browser.run("document.querySelector('input[name=side][value=\"0\"]').click()")
    browser.run("document.querySelector('input[value=growth]').click()")
    browser.run("document.querySelector('#flame input[type=search]').focus()")
    browser.type("UPLOAD_handle")
    check("search marks what it finds", browser.run("document.querySelectorAll('.node.match').length") == 1)
    check("search tells the share, once for nested ones", browser.run("/1 match, \\d+\\.\\d % of the growth/.test("
          "document.querySelector('#flame output').textContent)"), browser.run("document.querySelector('#flame output').textContent"))
    box = browser.run("(r => [r.x + 20, r.y + 8])((document.querySelector('.flame').scrollIntoView(), document.querySelector('.node.match')).getBoundingClientRect())")
    browser.click(*box)
    check("a click zooms", "upload_handle" in browser.run(FOCUSED) and browser.run(FOCUSED_WIDTH) == 100, browser.run(FOCUSED))
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
    box = browser.run("(r => [r.x + r.width / 2, r.y + 60])((document.querySelector('#chart').scrollIntoView(), document.querySelector('#chart svg')).getBoundingClientRect())")
    browser.move(*box)
    check("the pointer chooses a profile", "profile 60 of" not in browser.run(values), browser.run(values))
    check("onsets are marked with their intervals", browser.run(
        "document.querySelectorAll('#chart .onset').length === 5 && document.querySelectorAll('#chart .interval').length === 5"))


def table_obeys(browser):
    first = "document.querySelector('.sites .site .open').textContent"
    check("the table begins with the line that grew most", "thumbnail_render" in browser.run(first))
    browser.run("[...document.querySelectorAll('.sites th button')].find(b => b.textContent === 'Now').focus()")
    browser.press("Enter")
    check("a heading sorts", browser.run("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "descending")
    browser.press("Enter")
    check("and turns the order round", browser.run("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending")
    browser.run("document.querySelector('#table input[type=search]').focus()")
    browser.type("thumbnail_render")
    check("the filter leaves what matches", browser.run("document.querySelectorAll('.sites .site').length") == 1)
    browser.run("document.querySelector('.sites .open').focus()")
    browser.press("Enter")
    check("a row opens its stack", browser.run("document.querySelectorAll('.stack li').length") == 6)
    check("the stack marks the program's own line", "thumbnail_render" in browser.run("document.querySelector('.stack .own').textContent"))
    browser.press("Enter")
    check("and closes it", browser.run("document.querySelectorAll('.stack li').length") == 0)


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
    check("100,000 stacks: what was cut is told", browser.run("/branches below 0.05 % are not in this file/.test(document.body.textContent)"))
    check("100,000 stacks: rows left out are told", browser.run("/more sites, which changed less/.test(document.body.textContent)"))
    for mode in ("growth", "now", "loss"):
        browser.run(f"document.querySelector('input[value={mode}]').click()")
        count = browser.run("document.querySelectorAll('.node').length")
        check(f"100,000 stacks: few enough boxes are drawn, {mode}", 5 < count < 8000, count)
    is_quiet(browser, "huge")


def works_without_script(browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url("series"))
    text = "document.body.innerText"
    check("without script the verdict is there", "session_new has been growing since" in browser.run(text))
    check("without script nothing is wider than the window", browser.run("document.documentElement.scrollWidth <= innerWidth"))
    check("without script the sites are there", browser.run("document.querySelectorAll('noscript tr').length") == 7)
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
