export default { name: 'quick', seeds: [0, 1, 2], steps: 12, milliseconds: 2 };
