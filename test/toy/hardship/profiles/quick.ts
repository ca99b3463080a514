export default { name: 'quick', seeds: [0], steps: 5 };
