/** A sweep of it is long enough to be killed. */
export default { name: 'slow', seeds: [0], steps: 150, milliseconds: 20 };
