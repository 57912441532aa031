// start.js - brings the page to life.
'use strict';

function isDark() {
    const chosen = document.documentElement.style.colorScheme;
    return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function showTheme() {
    byId('theme').textContent = isDark() ? 'Light' : 'Dark';
    byId('theme').setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours');
}

function startTheme() {
    const button = byId('theme');
    button.hidden = false;
    button.addEventListener('click', () => {
        document.documentElement.style.colorScheme = isDark() ? 'light' : 'dark';
        showTheme();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme);
    showTheme();
}

for (const section of document.querySelectorAll('.drawn'))
    section.hidden = false;
startTheme();
drawSparks();
if (data.profiles.length)
    startChart();
if (data.sites.length) {
    startFlame();
    startTable();
}
