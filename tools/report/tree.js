// tree.js - the trees of all stacks, as the flame graph walks them: columns in pre-order, so that the nodes of a
// subtree stand together.
'use strict';

const WEIGHTS = { // what the width of a node means
    growth: {text: 'growth', of: (tree, node) => tree.growth[node]},
    now: {text: 'size now', of: (tree, node) => tree.now[node]},
    loss: {text: 'shrinkage', of: (tree, node) => tree.growth[node] - tree.change[node]},
};

// Adds parent[] and end[], the first node behind the subtree, which the file leaves out as depths tell them.
function completeTree(tree) {
    const count = tree.frame.length, path = [];
    tree.parent = new Int32Array(count);
    tree.end = new Int32Array(count).fill(count);
    for (let node = 0; node < count; node++) {
        while (path.length > tree.depth[node])
            tree.end[path.pop()] = node;
        tree.parent[node] = path.length ? path[path.length - 1] : -1;
        path.push(node);
    }
    return tree;
}

function childrenOf(tree, node) {
    const children = [];
    for (let child = node + 1; child < tree.end[node]; child = tree.end[child])
        children.push(child);
    return children;
}

function ancestorsOf(tree, node) {
    const ancestors = [];
    for (let above = tree.parent[node]; above >= 0; above = tree.parent[above])
        ancestors.unshift(above);
    return ancestors;
}

// The node at the end of a path of frames; recursion may be folded in the path and is not in the tree. -1 if it was
// cut.
function nodeAtPath(tree, path) {
    let node = 0;
    for (const frame of path) {
        let next = childrenOf(tree, node).find(child => tree.frame[child] === frame);
        if (next === undefined && tree.frame[node] !== frame)
            return -1;
        node = next === undefined ? node : next;
    }
    return node;
}

// What of the tree is drawn: [{node, left, width}], shares of 1, below (and with) the node at the top. Subtrees
// narrower than least are left out; their number is given back too.
function layOut(tree, top, weight, least) {
    const boxes = [], todo = [[top, 0]], total = weight.of(tree, top);
    let hidden = 0;
    while (total > 0 && todo.length) {
        const [node, left] = todo.pop(), width = weight.of(tree, node) / total;
        if (width < least) {
            hidden += width > 0 ? 1 : 0;
            continue;
        }
        boxes.push({node, left, width});
        const below = [];
        let next = left;
        for (const child of childrenOf(tree, node)) {
            below.push([child, next]);
            next += weight.of(tree, child) / total;
        }
        todo.push(...below.reverse()); // the first is taken up next: boxes come in the order they are read
    }
    return {boxes, hidden};
}

// The nodes whose frame matches, and how much of the weight is in them; what is in two of them counts once.
function searchTree(tree, weight, words) {
    const matches = new Set(), known = new Map();
    let found = 0, covered = 0;
    for (let node = 1; node < tree.frame.length; node++) {
        const frame = tree.frame[node];
        if (!known.has(frame))
            known.set(frame, frameText(frame).includes(words));
        if (!known.get(frame))
            continue;
        matches.add(node);
        found += node >= covered ? weight.of(tree, node) : 0;
        covered = Math.max(covered, tree.end[node]);
    }
    return {matches, found};
}
