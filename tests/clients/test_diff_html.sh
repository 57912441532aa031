#!/bin/bash
# test_diff_html.sh - the html report in a browser: silent, alone, readable, usable with keys, safe with any name.
# PORTHOLE_ARTEFACTS=FOLDER keeps the screenshots there.
artefacts=${PORTHOLE_ARTEFACTS-}
. "$(dirname "$0")/../lib.sh"

command -v chromium >/dev/null || {
    skip "the html report in a browser" "chromium is not installed"
    finish
}
mkdir "$WORK/pages" "$WORK/browser"
[ -n "$artefacts" ] || artefacts=$WORK/artefacts
check "screenshots have a place" mkdir -p "$artefacts"
check "pages are written" "$BUILD/tests/unit/test_diff_html" "$WORK/pages"

HOME=$WORK timeout 200 python3 "$SRC/tests/clients/diff_html_page.py" "$WORK/pages" "$WORK/browser" "$artefacts" \
    >"$WORK/checks" 2>"$WORK/checks.err"
is "the browser is asked everything" "$? $(tail -n 5 "$WORK/checks.err")" "0 "
while IFS=$'\t' read -r result what details; do
    if [ "$result" = ok ]; then pass "$what"; else fail "$what" "$details"; fi
done <"$WORK/checks"
finish
