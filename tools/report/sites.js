// sites.js - the table of call sites: sorted by any column, filtered by words and verdict; each row opens its stack.
'use strict';

const PAGE = 25;
const LABELS = ['growing', 'step', 'plateau', 'shrinking', 'insufficient', 'noise'];
const COLUMNS = [
    {title: 'Verdict', key: site => LABELS.indexOf(site.label), cell: labelElement},
    {title: 'Call site', key: siteName, cell: openButton},
    {title: 'Series', cell: sparkline},
    {title: 'Change', number: true, falls: true, key: site => site.change, cell: changeCell},
    {title: 'Now', named: true, number: true, falls: true, key: site => site.now, cell: site => amount(site.now)},
    {title: 'Since', named: true, key: site => site.onset === undefined ? Infinity : site.onset, cell: sinceCell},
    {title: 'Rate', named: true, number: true, falls: true, key: site => site.rate || 0, cell: rateCell},
];
const table = {column: null, falls: false, words: '', label: '', shown: PAGE};

// Colour and weight are for what is more than noise.
function changeCell(site) {
    const isSure = hasGrown(site) || site.label === 'shrinking';
    const text = change(site.change);
    return element('span', {}, isSure ? element('b', {class: changeClass(site.change)}, text) : text, ' ',
        element('small', {}, '±' + amount(site.half)));
}

function smallNumber(value) {
    return value < 0.001 ? value.toExponential(0) : value.toPrecision(2);
}

function rateCell(site) {
    return site.rateWords || '';
}

function sinceCell(site) {
    const [time, interval] = (site.since || '').split(' ±');
    return element('span', {class: 'tight'}, time, ' ', interval ? element('small', {}, '±' + interval) : '');
}

function openButton(site) {
    const button = element('button', {type: 'button', class: 'open', 'aria-expanded': 'false'}, siteElement(site));
    button.addEventListener('click', () => toggleStack(site, button));
    return button;
}

// ---- the stack below a row ----

function facts(site) {
    const known = [['from', amount(site.base)], ['to', amount(site.now)],
        ['objects', site.objects === null ? null : (site.objects > 0 ? '+' : '') + count(site.objects)],
        ['sampled in the last profile, about', site.sampled === null ? null : count(site.sampled)],
        ['mean age', site.age], ['q', site.q === null ? null : smallNumber(site.q)]];
    const words = known.filter(([, value]) => value).map(([name, value]) => `${name} ${value}`);
    return element('p', {class: 'soft'}, words.join(' · '));
}

function stackRow(site) {
    const frames = site.stack.map((frame, i) =>
        element('li', {class: i === site.own ? 'own' : null}, frameElement(frame)));
    if (site.deeper)
        frames.push(element('li', {class: 'soft'}, `and ${count(site.deeper)} more`));
    return element('tr', {class: 'stack-row'}, element('td', {colspan: COLUMNS.length}, facts(site),
        element('ol', {class: 'stack', 'aria-label': 'Stack, innermost function first'}, ...frames)));
}

function toggleStack(site, button) {
    const row = button.closest('tr'), isOpen = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!isOpen));
    if (isOpen)
        row.nextElementSibling.remove();
    else
        row.after(stackRow(site));
}

// ---- rows ----

function siteRow(site) {
    return element('tr', {class: `site ${site.label}-row`}, ...COLUMNS.map(column => element('td',
        {class: column.number && 'number', 'data-name': column.named && column.title}, column.cell(site))));
}

function siteText(site) {
    site.text = site.text || site.stack.map(frameText).join(' ');
    return site.text;
}

function isWanted(site) {
    return (!table.label || site.label === table.label) && (!table.words || siteText(site).includes(table.words));
}

function compareBy(column, falls) {
    const turn = falls ? -1 : 1;
    return (a, b) => {
        const x = column.key(a), y = column.key(b);
        return x < y ? -turn : x > y ? turn : 0;
    };
}

function drawTable() {
    const wanted = data.sites.filter(isWanted);
    if (table.column)
        wanted.sort(compareBy(table.column, table.falls));
    table.body.replaceChildren(...wanted.slice(0, table.shown).map(siteRow));
    table.more.hidden = wanted.length <= table.shown;
    table.more.textContent = `Show ${Math.min(100, wanted.length - table.shown)} more of ${wanted.length}`;
    table.status.textContent = wanted.length === data.sites.length ? '' : `${wanted.length} of ${data.sites.length}`;
}

function sortBy(column) {
    table.falls = table.column === column ? !table.falls : Boolean(column.falls);
    table.column = column;
    for (const other of COLUMNS)
        other.head.removeAttribute('aria-sort');
    column.head.setAttribute('aria-sort', table.falls ? 'descending' : 'ascending');
    drawTable();
}

function headCell(column) {
    column.head = element('th', {scope: 'col', class: column.number ? 'number' : null});
    if (column.key) {
        const button = element('button', {type: 'button'}, column.title);
        button.addEventListener('click', () => sortBy(column));
        column.head.append(button);
    } else {
        column.head.append(column.title);
    }
    return column.head;
}

function filterControls() {
    const filter = what => {
        Object.assign(table, what, {shown: PAGE});
        drawTable();
    };
    const words = searchField('Filter by function, file or module', 'Filter call sites',
        text => filter({words: text}));
    const first = LABELS.map(label => data.sites.find(site => site.label === label)).filter(Boolean);
    const labels = element('select', {'aria-label': 'Filter by verdict'},
        element('option', {value: ''}, 'every verdict'),
        ...first.map(site => element('option', {value: site.label}, `${SIGNS[site.label]} ${site.words}`)));
    labels.addEventListener('change', () => filter({label: labels.value}));
    return element('div', {class: 'controls'}, words, labels, table.status);
}

function startTable() {
    table.body = element('tbody', {});
    table.more = element('button', {type: 'button', class: 'more'});
    table.more.addEventListener('click', () => { table.shown += 100; drawTable(); });
    table.status = element('output', {class: 'soft'});
    const rest = data.siteCount - data.sites.length;
    const told = `${count(rest)} more sites, which changed less, are in the flame graph only.`;
    byId('table').append(filterControls(),
        element('div', {class: 'wide'}, element('table', {class: 'sites', 'aria-labelledby': 'sites'},
            element('thead', {}, element('tr', {}, ...COLUMNS.map(headCell))), table.body)), table.more,
        rest ? element('p', {class: 'note'}, told) : '');
    drawTable();
}
