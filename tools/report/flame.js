// flame.js - the flame graph: boxes are elements, placed in per cent, so that the browser fits them to any width.
'use strict';

const ROW_PIXELS = 22, LEAST_PIXELS = 2;
const flame = {
    trees: data.trees.map(completeTree), side: 0, mode: 'growth', top: 0, focus: 0, words: '', boxes: new Map(),
};

function flameTree() {
    return flame.trees[flame.side];
}

function weight() {
    return WEIGHTS[flame.mode];
}

function nodeName(node) {
    const frame = flameTree().frame[node];
    return frame < 0 ? (flame.side ? 'all allocations' : 'all stacks') : frameName(frame);
}

// "▲ handle_request +53.0 MiB": the sign and the words say what the colour says.
function nodeText(node) {
    const value = flameTree().change[node];
    return `${sign(value)} ${nodeName(node)} ${change(value)}`;
}

// Places where growth concentrates, and the lines that still grow.
function isMarked(node) {
    return flame.marks[flame.side].has(node);
}

function isGuilty(node) {
    return flame.guilty[flame.side].has(node);
}

// ---- drawing ----

// How deep the colour is: the change as a share of all growth, or of all shrinkage if that is more; never too pale to
// see.
function heat(node) {
    const tree = flameTree(), most = Math.max(tree.growth[0], tree.growth[0] - tree.change[0]);
    const share = most > 0 ? Math.min(1, Math.abs(tree.change[node]) / most) : 0;
    return share < 0.0005 ? 0 : 12 + 88 * Math.sqrt(share);
}

function boxClasses(node, isAbove, isThin) {
    const value = flameTree().change[node];
    const classes = {up: value > 0, down: value < 0, above: isAbove, thin: isThin, here: isMarked(node)};
    classes.guilty = isGuilty(node);
    return ['node', ...Object.keys(classes).filter(name => classes[name])].join(' ');
}

function boxElement(box, row, isAbove) {
    const tree = flameTree(), value = tree.change[box.node], pixels = box.width * flame.pixels;
    const here = isMarked(box.node) ? ', growth concentrates here' : '';
    const node = element('div', {role: 'treeitem', tabindex: -1, class: boxClasses(box.node, isAbove, pixels < 12),
        'data-node': box.node, 'aria-level': tree.depth[box.node] + 1, 'aria-label': nodeText(box.node) + here});
    node.style.left = 100 * box.left + '%';
    node.style.width = 100 * box.width + '%';
    node.style.top = row * ROW_PIXELS + 'px';
    node.style.setProperty('--heat', heat(box.node) + '%');
    if (pixels >= 24)
        node.append(here && '◆ ', `${sign(value)} ${nodeName(box.node)} `,
            element('b', {}, value ? change(value) : ''));
    return node;
}

function drawFlame() {
    const tree = flameTree(), above = ancestorsOf(tree, flame.top);
    flame.pixels = Math.max(200, flame.levels.clientWidth);
    const {boxes, hidden} = layOut(tree, flame.top, weight(), LEAST_PIXELS / flame.pixels);
    const nodes = above.map(node => boxElement({node, left: 0, width: 1}, tree.depth[node], true));
    nodes.push(...boxes.map(box => boxElement(box, tree.depth[box.node], false)));
    flame.boxes = new Map(nodes.map(node => [Number(node.dataset.node), node]));
    const levels = Math.max(1, ...nodes.map(node => node.getAttribute('aria-level')));
    flame.levels.style.height = ROW_PIXELS * levels + 'px';
    flame.levels.replaceChildren(...nodes);
    flame.empty.hidden = boxes.length > 0;
    flame.empty.textContent = `Nothing to draw: no ${weight().text} here.`;
    flame.reset.disabled = flame.top === 0;
    drawNote(hidden);
    markMatches();
    moveTo(flame.boxes.has(flame.focus) ? flame.focus : flame.top, false);
}

function shareText(share) {
    return Number((100 * share).toPrecision(2)) + ' %';
}

function drawNote(hidden) {
    const tree = flameTree(), parts = [];
    if (hidden)
        parts.push(plural(hidden, 'branch is', 'branches are') + ' too narrow to be drawn: zoom in.');
    if (tree.cutCount)
        parts.push(`Below ${shareText(tree.cutShare)}: ${plural(tree.cutCount, 'branch', 'branches')} left out of this `
            + 'file.');
    if (tree.deepCount)
        parts.push(plural(tree.deepCount, 'stack is', 'stacks are') + ' deeper than drawn.');
    flame.note.textContent = parts.join(' ');
}

// ---- focus, zoom, search ----

function moveTo(node, withFocus) {
    const before = flame.boxes.get(flame.focus), box = flame.boxes.get(node);
    if (before)
        before.tabIndex = -1;
    if (!box)
        return;
    flame.focus = node;
    box.tabIndex = 0;
    if (withFocus)
        box.focus({preventScroll: false});
    describe(node);
}

function describe(node) {
    const tree = flameTree(), value = tree.change[node], frame = tree.frame[node], now = tree.now[node];
    flame.readout.replaceChildren(
        element('div', {}, frame < 0 ? nodeName(node) : frameElement(frame),
            frame < 0 ? '' : element('span', {class: 'place'}, ' ', frameHome(frame))),
        element('div', {}, element('b', {class: changeClass(value)}, `${sign(value)} ${change(value)}`),
            ` from ${amount(now - value)} to ${amount(now)}; `,
            `${percent(tree.growth[node], tree.growth[0])} of all growth, `,
            `${percent(now, tree.now[0])} of the size now`, isMarked(node) ? '. ◆ Growth concentrates here' : '',
            isGuilty(node) ? '. This call site keeps growing' : ''));
}

function zoomTo(node) {
    flame.top = node;
    flame.focus = node;
    const hadFocus = flame.levels.contains(document.activeElement);
    drawFlame();
    if (hadFocus)
        moveTo(node, true);
}

function markMatches() {
    const nothing = {matches: new Set(), found: 0};
    const {matches, found} = flame.words ? searchTree(flameTree(), weight(), flame.words) : nothing;
    flame.levels.classList.toggle('searching', flame.words !== '');
    for (const [node, box] of flame.boxes)
        box.classList.toggle('match', matches.has(node));
    flame.found.textContent = !flame.words ? '' : matches.size === 0 ? 'no match'
        : `${count(matches.size)} match, ${percent(found, weight().of(flameTree(), 0))} of the ${weight().text}`;
}

// ---- keys ----

// The neighbour in the same row: boxes of a row are in order, whoever their parents are.
function neighbour(step) {
    const level = flame.boxes.get(flame.focus).getAttribute('aria-level');
    const row = [...flame.boxes.values()].filter(box => box.getAttribute('aria-level') === level)
        .sort((a, b) => parseFloat(a.style.left) - parseFloat(b.style.left));
    const next = row[row.indexOf(flame.boxes.get(flame.focus)) + step];
    return next ? Number(next.dataset.node) : flame.focus;
}

function firstChild() {
    return childrenOf(flameTree(), flame.focus).find(child => flame.boxes.has(child)) || flame.focus;
}

const FLAME_KEYS = {
    ArrowUp: () => moveTo(Math.max(0, flameTree().parent[flame.focus]), true),
    ArrowDown: () => moveTo(firstChild(), true),
    ArrowLeft: () => moveTo(neighbour(-1), true),
    ArrowRight: () => moveTo(neighbour(1), true),
    Home: () => moveTo(flame.boxes.has(0) ? 0 : flame.top, true),
    Enter: () => zoomTo(flame.focus),
    ' ': () => zoomTo(flame.focus),
    Backspace: () => zoomTo(Math.max(0, flameTree().parent[flame.top])),
    Escape: () => zoomTo(0),
};

function flameKey(event) {
    const act = FLAME_KEYS[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey)
        return;
    event.preventDefault();
    act();
}

// ---- setting up ----

function onBox(event, act) {
    const box = event.target.closest('.node');
    if (box)
        act(Number(box.dataset.node));
}

function show(what) {
    Object.assign(flame, what);
    zoomTo(0);
}

function flameControls() {
    const modes = Object.entries(WEIGHTS).map(([value, {text}]) => [value, text]);
    const search = searchField('Search functions', 'Search the flame graph', words => {
        flame.words = words;
        markMatches();
    });
    flame.reset = element('button', {type: 'button'}, 'Reset zoom');
    flame.reset.addEventListener('click', () => zoomTo(0));
    flame.found = element('output', {class: 'soft'});
    return element('div', {class: 'controls'},
        choice('mode', 'Width:', modes, flame.mode, value => show({mode: value})),
        choice('side', 'From:', [['0', 'callers'], ['1', 'allocators']], '0', value => show({side: Number(value)})),
        search, flame.found, flame.reset);
}

function swatch(kind, text) {
    return element('span', {}, element('span', {class: 'swatch ' + kind}), text);
}

function flameKeyLine() {
    const key = text => element('kbd', {}, text);
    return element('p', {class: 'key'},
        swatch('up', '▲ grew'), swatch('down', '▼ shrank'), swatch('', '= unchanged'),
        swatch('guilty', '▲ call site that keeps growing'), swatch('here', '◆ growth concentrates here'),
        element('span', {}, 'The deeper the colour, the larger the share of the change.'),
        element('span', {}, key('←↑↓→'), ' move, ', key('Enter'), ' zooms, ', key('Esc'), ' resets'));
}

function listenTo(levels) {
    levels.addEventListener('click', event => onBox(event, node => { flame.boxes.get(node).focus(); zoomTo(node); }));
    levels.addEventListener('pointerover', event => onBox(event, describe));
    levels.addEventListener('pointerleave', () => describe(flame.focus));
    levels.addEventListener('focusin', event => onBox(event, node => moveTo(node, false)));
    levels.addEventListener('keydown', flameKey);
}

function showPlace(number) {
    const {side, path} = data.inflections[number], node = nodeAtPath(flame.trees[side], path);
    flame.side = side;
    flame.mode = 'growth';
    document.querySelector(`input[name=side][value="${side}"]`).checked = true;
    document.querySelector('input[name=mode][value=growth]').checked = true;
    zoomTo(Math.max(0, node));
    moveTo(flame.focus, true);
    byId('tree').scrollIntoView();
}

function nodesAt(side, paths) {
    return new Set(paths.map(path => nodeAtPath(flame.trees[side], path)).filter(node => node > 0));
}

function guiltyPath(site, side) {
    return side ? site.stack.slice(0, site.own + 1) : site.stack.slice(site.own).reverse();
}

// Its height changes with every drawing, which is no reason for another.
function redrawAtNewWidth() {
    if (flame.pixels !== Math.max(200, flame.levels.clientWidth))
        drawFlame();
}

function startFlame() {
    const growing = data.sites.filter(site => site.label === 'growing');
    const placesOf = side => data.inflections.filter(place => place.side === side).map(place => place.path);
    flame.marks = [0, 1].map(side => nodesAt(side, placesOf(side)));
    flame.guilty = [0, 1].map(side => nodesAt(side, growing.map(site => guiltyPath(site, side))));
    flame.mode = flame.trees[0].growth[0] > 0 ? 'growth' : 'now';
    flame.levels = element('div', {class: 'levels', role: 'tree', 'aria-label': 'Flame graph of the change'});
    flame.empty = element('p', {class: 'soft'});
    flame.note = element('p', {class: 'note'});
    flame.readout = element('div', {class: 'readout', 'aria-live': 'polite'});
    byId('flame').append(flameControls(), element('div', {class: 'flame'}, flame.empty, flame.levels), flame.readout,
        flameKeyLine(), flame.note);
    listenTo(flame.levels);
    for (const button of document.querySelectorAll('[data-place]')) {
        button.hidden = false;
        button.addEventListener('click', () => showPlace(Number(button.dataset.place)));
    }
    drawFlame();
    new ResizeObserver(redrawAtNewWidth).observe(flame.levels);
}
