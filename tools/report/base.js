// base.js - what the parts of the page share: the data, elements, numbers and names. Text is only ever set as text.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const FUNCTION = 0, PLACE = 1, FILE = 2, MODULE = 3; // of data.frames[i]

// element('td', {class: 'number', 'data-name': 'Change'}, 'text', child, …)
function element(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

function drawing(tag, attributes, ...children) {
    return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {}))
        if (value !== null && value !== undefined && value !== false)
            node.setAttribute(name, value);
    node.append(...children.filter(child => child !== null && child !== undefined));
    return node;
}

function byId(id) {
    return document.getElementById(id);
}

// As lib/base/human.c writes them.
function bytes(value) {
    let unit = 0;
    while (Math.abs(value) >= (unit ? 1023.95 : 1024) && unit + 1 < UNITS.length) {
        value /= 1024;
        unit++;
    }
    return value.toFixed(unit ? 1 : 0) + ' ' + UNITS[unit];
}

function amount(value) {
    if (value === null)
        return '?';
    return data.unit === 'bytes' ? bytes(value) : count(value);
}

function change(value) {
    return (value > 0 ? '+' : '') + amount(value);
}

function count(value) {
    return Math.round(value).toLocaleString('en-US');
}

function plural(value, noun, nouns) {
    return `${count(value)} ${value === 1 ? noun : nouns}`;
}

function percent(part, whole) {
    return whole ? (100 * part / whole).toFixed(1) + ' %' : '-';
}

function sign(value) {
    return value > 0 ? '▲' : value < 0 ? '▼' : '=';
}

function frameName(frame) {
    const [name, place] = data.frames[frame];
    return data.byLine && place ? name + ' ' + place : name;
}

function frameText(frame) {
    return data.frames[frame].join(' ').toLowerCase();
}

function frameElement(frame) {
    const [name, place] = data.frames[frame];
    return element('span', {},
        element('code', {class: 'name'}, name), ' ',
        element('span', {class: 'place', title: frameHome(frame)}, place));
}

// Where a frame's source lies, and in which module.
function frameHome(frame) {
    return [data.frames[frame][FILE], data.frames[frame][MODULE]].filter(Boolean).join(', ');
}

function siteName(site) {
    return site.stack.length ? data.frames[site.stack[site.own]][FUNCTION] : 'without a stack';
}

function siteElement(site) {
    return site.stack.length ? frameElement(site.stack[site.own]) : element('span', {class: 'soft'}, siteName(site));
}

const SIGNS = {growing: '▲', step: '┘', plateau: '◠', shrinking: '▼', insufficient: '?', noise: '·'};

function labelElement(site) {
    return element('span', {class: 'label ' + site.label},
        element('span', {'aria-hidden': true}, SIGNS[site.label]), ' ', site.words);
}

// What colour a change has.
function changeClass(value) {
    return value > 0 ? 'grew' : value < 0 ? 'shrank' : '';
}

function hasGrown(site) {
    return ['growing', 'step', 'plateau'].includes(site.label);
}

// changed is given what was typed, in lower case.
function searchField(placeholder, label, changed) {
    const input = element('input', {type: 'search', placeholder, 'aria-label': label, spellcheck: 'false'});
    input.addEventListener('input', () => changed(input.value.trim().toLowerCase()));
    return input;
}

// One of a few: a group of radio buttons. choices: [[value, text], …]
function choice(name, legend, choices, chosen, changed) {
    const labels = choices.map(([value, text]) => {
        const input = element('input', {type: 'radio', name, value, checked: value === chosen ? '' : null});
        input.addEventListener('change', () => changed(value));
        return element('label', {}, input, element('span', {}, text));
    });
    return element('fieldset', {}, element('legend', {}, legend), ...labels);
}
