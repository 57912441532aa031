// contrast.js - all elements with text of their own whose contrast is below what WCAG 2.2 asks for in 1.4.3: 4.5, or 3
// for large text. An expression: a line for each, empty if all is well. Colours go through a canvas, which knows every
// notation.
(() => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
    const context = canvas.getContext('2d', {willReadFrequently: true});
    const OPAQUE = 255, WHITE = [255, 255, 255, OPAQUE];

    function rgba(colour) {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    }

    function over(top, below) {
        const share = top[3] / 255;
        return [0, 1, 2].map(i => top[i] * share + below[i] * (1 - share)).concat(OPAQUE);
    }

    function ground(node) {
        const own = rgba(getComputedStyle(node).backgroundColor);
        return own[3] === OPAQUE ? own : over(own, node.parentElement ? ground(node.parentElement) : WHITE);
    }

    // Relative luminance, as WCAG defines it.
    function luminance(colour) {
        const shares = colour.slice(0, 3).map(c => c / 255);
        const linear = shares.map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return linear[0] * .2126 + linear[1] * .7152 + linear[2] * .0722;
    }

    function contrast(node) {
        const below = ground(node);
        const both = [luminance(over(rgba(getComputedStyle(node).color), below)), luminance(below)];
        return (Math.max(...both) + .05) / (Math.min(...both) + .05);
    }

    function isLarge(node) {
        const style = getComputedStyle(node), pixels = parseFloat(style.fontSize);
        return pixels >= 24 || (pixels >= 18.66 && style.fontWeight >= 700);
    }

    function hasText(node) {
        return node.getClientRects().length > 0 && !node.closest('svg') &&
            [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
    }

    const nodes = [...document.querySelectorAll('body :not(script):not(option):not(button:disabled)')].filter(hasText);
    const bad = nodes.filter(node => contrast(node) < (isLarge(node) ? 3 : 4.5));
    const lines = bad.map(node =>
        `${node.tagName}.${node.className} ${contrast(node).toFixed(2)} ${node.textContent.slice(0, 30)}`);
    return [...new Set(lines)].slice(0, 12).join('\n');
})()
