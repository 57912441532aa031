// chart.js - the total and the sites that grew, over time. Onsets are marked with their interval; a cursor, moved by
// pointer or arrow keys, puts the values of one profile into the legend.
'use strict';

const CHART = {left: 78, right: 26, top: 36, panel: 170, gap: 48, bottom: 28};
const DASHES = ['', '9 4', '3 3', '12 4 3 4', '1 4'];
const chart = {sites: data.sites.filter(hasGrown).slice(0, 5), width: 900, selected: data.profiles.length - 1};

function chartX(seconds) {
    return CHART.left + (chart.width - CHART.left - CHART.right) * timeShare(seconds);
}

// Round steps: of bytes powers of two, of objects 1, 2, 5.
function niceStep(most, count) {
    const rough = most / count;
    if (data.unit === 'bytes')
        return 2 ** Math.ceil(Math.log2(Math.max(1, rough)));
    const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
    return power * [1, 2, 5, 10].find(step => step * power >= rough);
}

// A panel: where it starts, and how a value becomes a height. Its axis begins at 0, unless all that happens would be
// a flat line at the top then.
function panelOf(top, values) {
    const most = Math.max(1, ...values), least = Math.max(0, Math.min(most, ...values));
    const isCut = least > most / 2 && most - least > most / 200;
    const step = niceStep(Math.max(1, isCut ? most - least : most), 4);
    const begin = isCut ? Math.floor(least / step) * step : 0;
    const end = Math.max(begin + step, Math.ceil(most / step) * step);
    const y = value => top + CHART.panel * (1 - (Math.max(begin, value) - begin) / (end - begin));
    return {top, step, begin, end, y};
}

// With as many digits as tell the steps apart.
function axisAmount(value, step) {
    if (data.unit !== 'bytes' || value === 0)
        return amount(value);
    const unit = bytes(value).split(' ')[1], power = 1024 ** UNITS.indexOf(unit);
    const digits = [0, 1, 2].find(count => Number.isInteger(step / power * 10 ** count)) ?? 3;
    return (value / power).toFixed(digits) + ' ' + unit;
}

function drawAxis(panel, title) {
    const from = panel.begin ? ', from ' + axisAmount(panel.begin, panel.step) : '';
    const parts = [drawing('text', {class: 'title', x: 12, y: panel.top - 16}, title + from)];
    for (let value = panel.begin; value <= panel.end; value += panel.step) {
        const y = panel.y(value);
        parts.push(drawing('line', {class: 'grid', x1: CHART.left, x2: chart.width - CHART.right, y1: y, y2: y}),
            drawing('text', {x: CHART.left - 8, y: y + 4, 'text-anchor': 'end'}, axisAmount(value, panel.step)));
    }
    return parts;
}

function drawTimes(y) {
    const count = Math.max(2, Math.min(data.profiles.length, Math.floor(chart.width / 130)));
    const last = data.profiles.length - 1;
    return Array.from({length: count}, (_, i) => Math.round(i * last / (count - 1))).map(i =>
        drawing('text', {x: chartX(data.profiles[i].seconds), y,
            'text-anchor': i === 0 ? 'start' : i === last ? 'end' : 'middle'}, data.profiles[i].time));
}

function drawBreaks(bottom) {
    return data.profiles.filter(profile => profile.isBreak).map(profile => {
        const x = chartX(profile.seconds);
        return drawing('g', {}, drawing('title', {}, 'another process from here on'),
            drawing('line', {class: 'break', x1: x, x2: x, y1: CHART.top, y2: bottom}));
    });
}

function drawTotal(panel) {
    const known = data.profiles.filter(profile => profile.total !== null);
    const points = known.map(profile => chartX(profile.seconds) + ',' + panel.y(profile.total));
    if (points.length === 0)
        return [];
    const ends = [known[known.length - 1], known[0]].map(profile => chartX(profile.seconds) + ',' + panel.y(0));
    const area = drawing('polygon', {class: 'total-area', points: points.concat(ends).join(' ')});
    return [...panel.begin ? [] : [area], drawing('polyline', {class: 'total', points: points.join(' ')})];
}

function drawOnset(site, number, panel) {
    const x = chartX(site.onset), low = chartX(Math.max(0, site.onsetLow));
    const width = Math.max(2, Math.min(chartX(site.onsetHigh), chart.width - CHART.right) - low);
    return drawing('g', {class: 'line-' + number},
        drawing('title', {}, `${siteName(site)}: since ${site.since}`),
        drawing('rect', {class: 'interval', x: low, width, y: panel.top, height: CHART.panel}),
        drawing('line', {class: 'onset', x1: x, x2: x, y1: panel.top, y2: panel.top + CHART.panel}));
}

function drawNumber(number, x, y) {
    return drawing('g', {class: 'line-' + number}, drawing('circle', {class: 'dot', cx: x, cy: y, r: 9}),
        drawing('text', {class: 'badge', x, y: y + 4}, number));
}

// How far down the number of an onset stands: below those of other onsets about the same time.
function onsetRow(site) {
    const before = chart.sites.slice(0, chart.sites.indexOf(site));
    const isNear = other => Math.abs(chartX(other.onset) - chartX(site.onset)) < 18;
    return before.filter(other => other.onset !== undefined && isNear(other)).length;
}

// The numbers come last: no line crosses them.
function drawOnsets(panel) {
    const known = chart.sites.map((site, i) => [site, i + 1]).filter(([site]) => site.onset !== undefined);
    const numbers = known.map(([site, number]) =>
        drawNumber(number, chartX(site.onset), panel.top + 10 + 19 * onsetRow(site)));
    return [...known.map(([site, number]) => drawOnset(site, number, panel)), ...numbers];
}

// Numbers at line ends that would cover one another are moved apart, upwards; they keep their order.
function endHeights(panel) {
    const ends = chart.sites.map((site, i) => ({i, y: panel.y(site.values[site.values.length - 1])}));
    ends.sort((a, b) => b.y - a.y);
    ends.forEach((end, i) => { end.y = Math.min(end.y, (i ? ends[i - 1].y : panel.top + CHART.panel + 9) - 18); });
    return ends.sort((a, b) => a.i - b.i).map(end => end.y);
}

function curvePoints(site, panel) {
    return site.values.map((value, i) => chartX(data.profiles[i].seconds) + ',' + panel.y(value)).join(' ');
}

function drawCurves(panel) {
    const heights = endHeights(panel);
    return chart.sites.flatMap((site, i) => [
        drawing('g', {class: 'line-' + (i + 1)},
            drawing('polyline', {class: 'curve', 'stroke-dasharray': DASHES[i], points: curvePoints(site, panel)})),
        drawNumber(i + 1, chart.width - CHART.right + 13, heights[i])]);
}

function drawChart() {
    const total = panelOf(CHART.top, data.profiles.map(profile => profile.total || 0));
    const sites = panelOf(CHART.top + CHART.panel + CHART.gap, [0, ...chart.sites.flatMap(site => site.values)]);
    const bottom = (chart.sites.length ? sites : total).top + CHART.panel, height = bottom + CHART.bottom;
    chart.cursor = drawing('line', {class: 'cursor', y1: CHART.top, y2: bottom});
    chart.svg.setAttribute('viewBox', `0 0 ${chart.width} ${height}`);
    chart.svg.setAttribute('height', height);
    chart.svg.replaceChildren(...drawAxis(total, data.metric + ', total'), ...drawTotal(total));
    if (chart.sites.length)
        chart.svg.append(...drawAxis(sites, 'Call sites that grew'), ...drawCurves(sites), ...drawOnsets(sites));
    chart.svg.append(...drawBreaks(bottom), ...drawTimes(bottom + 18), chart.cursor);
    selectProfile(chart.selected);
}

// ---- cursor and legend ----

function legendRow(number, head, value, since) {
    const swatch = drawing('svg', {viewBox: '0 0 48 16', class: 'line-' + number, 'aria-hidden': true},
        drawing('line', {class: 'curve', x1: 0, x2: 28, y1: 8, y2: 8, 'stroke-dasharray': DASHES[number - 1]}));
    if (number)
        swatch.append(drawing('circle', {class: 'dot', cx: 38, cy: 8, r: 8}),
            drawing('text', {class: 'badge', x: 38, y: 12}, number));
    return element('tr', {}, element('td', {}, swatch), element('td', {}, head),
        element('td', {class: 'number'}, value), element('td', {class: 'soft'}, since));
}

function profileWords(i) {
    const profile = data.profiles[i];
    return (data.hasTimes ? profile.time + ', ' : '') + `profile ${i + 1} of ${data.profiles.length}`;
}

function legendRows(i) {
    const rows = chart.sites.map((site, k) => legendRow(k + 1, siteElement(site), amount(site.values[i]),
        site.since ? `${site.words} since ${site.since}` : site.words));
    return [legendRow(0, 'total', amount(data.profiles[i].total), profileWords(i)), ...rows];
}

function selectProfile(i) {
    chart.selected = Math.max(0, Math.min(data.profiles.length - 1, i));
    const x = chartX(data.profiles[chart.selected].seconds);
    chart.cursor.setAttribute('x1', x);
    chart.cursor.setAttribute('x2', x);
    chart.legend.replaceChildren(...legendRows(chart.selected));
    const values = chart.sites.map(site => `${siteName(site)} ${amount(site.values[chart.selected])}`);
    chart.svg.setAttribute('aria-valuenow', chart.selected + 1);
    chart.svg.setAttribute('aria-valuetext',
        [profileWords(chart.selected), 'total ' + amount(data.profiles[chart.selected].total), ...values].join('; '));
}

function nearestProfile(event) {
    const box = chart.svg.getBoundingClientRect(), x = (event.clientX - box.left) * chart.width / box.width;
    const distances = data.profiles.map(profile => Math.abs(chartX(profile.seconds) - x));
    return distances.indexOf(Math.min(...distances));
}

function chartKey(event) {
    const last = data.profiles.length - 1;
    const target = {ArrowLeft: chart.selected - 1, ArrowRight: chart.selected + 1, Home: 0, End: last}[event.key];
    if (target === undefined)
        return;
    event.preventDefault();
    selectProfile(target);
}

function startChart() {
    const place = byId('chart');
    chart.svg = drawing('svg', {tabindex: 0, role: 'slider',
        'aria-label': 'Values of one profile: arrow keys choose it',
        'aria-valuemin': 1, 'aria-valuemax': data.profiles.length});
    chart.legend = element('tbody', {});
    place.append(chart.svg,
        element('table', {class: 'legend', 'aria-label': 'Values at the chosen profile'}, chart.legend));
    chart.svg.addEventListener('pointermove', event => selectProfile(nearestProfile(event)));
    chart.svg.addEventListener('pointerdown', event => selectProfile(nearestProfile(event)));
    chart.svg.addEventListener('keydown', chartKey);
    new ResizeObserver(() => {
        chart.width = Math.max(320, place.clientWidth);
        drawChart();
    }).observe(place);
    drawChart();
}
