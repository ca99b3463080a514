/** How pictures of scenes are called, and their colours. Light: the study declares them to the report. */

/** Names of the test scenes that are shown, from the first. */
export const PICTURED = ['1', '2', '3', '4'] as const;

/** Of the background and the classes behind it, in their order; of Paul Tol's bright and muted colours, and two between. */
export const CLASS_COLOURS = [
  { name: 'grey', colour: [60, 60, 60] },
  { name: 'blue', colour: [68, 119, 170] },
  { name: 'cyan', colour: [102, 204, 238] },
  { name: 'green', colour: [34, 136, 51] },
  { name: 'yellow', colour: [204, 187, 68] },
  { name: 'red', colour: [238, 102, 119] },
  { name: 'purple', colour: [170, 51, 119] },
  { name: 'white', colour: [240, 240, 240] },
  { name: 'orange', colour: [238, 119, 51] },
  { name: 'teal', colour: [0, 153, 136] },
  { name: 'brown', colour: [136, 85, 34] },
] as const satisfies readonly { readonly name: string; readonly colour: readonly [number, number, number] }[];
