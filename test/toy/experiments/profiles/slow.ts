/** About two seconds a tree: long enough to be disturbed. */
export default { name: 'slow', seeds: [0], steps: 100, milliseconds: 20 };
