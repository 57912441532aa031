// sparkline.js - a series in the size of a word, with the place where it began to grow.
'use strict';

function timeShare(seconds) {
    const first = data.profiles[0].seconds, last = data.profiles[data.profiles.length - 1].seconds;
    return last > first ? (seconds - first) / (last - first) : 0;
}

function sparkline(site) {
    const most = Math.max(1e-9, ...site.values), width = 200, height = 40;
    const x = seconds => (width * timeShare(seconds)).toFixed(1);
    const y = value => (height - 3 - (height - 6) * value / most).toFixed(1);
    const points = site.values.map((value, i) => x(data.profiles[i].seconds) + ',' + y(value));
    const onset = site.onset === undefined ? null : x(site.onset);
    return drawing('svg', {viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img',
        class: site.label, 'aria-label': `from ${amount(site.base)} to ${amount(site.now)}, at most ${amount(most)}`},
        drawing('polygon', {class: 'sparkfill', points: `0,${height} ${points.join(' ')} ${width},${height}`}),
        onset === null ? null : drawing('line', {class: 'sparkonset', x1: onset, x2: onset, y1: 0, y2: height}),
        drawing('polyline', {class: 'sparkline', points: points.join(' ')}));
}

function drawSparks() {
    for (const place of document.querySelectorAll('.spark'))
        if (data.sites[place.dataset.site])
            place.append(sparkline(data.sites[place.dataset.site]));
}
