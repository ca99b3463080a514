/** How pictures of scenes are called, and their colours. Light: the study declares them to the report. */

/** Names of the test scenes that are shown, from the first. */
export const PICTURED = ['1', '2', '3', '4'] as const;

/** Of the background and the classes behind it, in their order; of Paul Tol's bright and muted colours, and two between. */
export const CLASS_COLOURS = [
  [60, 60, 60], // grey
  [68, 119, 170], // blue
  [102, 204, 238], // cyan
  [34, 136, 51], // green
  [204, 187, 68], // yellow
  [238, 102, 119], // red
  [170, 51, 119], // purple
  [240, 240, 240], // white
  [238, 119, 51], // orange
  [0, 153, 136], // teal
  [136, 85, 34], // brown
] as const satisfies readonly (readonly [number, number, number])[];
