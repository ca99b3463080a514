/**
 * Colours of page and charts, one name each with a light and a dark value. Charts are written with the light values as
 * attributes, so that any viewer shows them; style rules swap them for the dark ones. For that, light values are unique.
 */
export interface Colour {
  readonly light: string;
  readonly dark: string;
}

export const palette = {
  page: { light: '#ffffff', dark: '#12161c' },
  ink: { light: '#1b2027', dark: '#e7ebf0' },
  muted: { light: '#59616c', dark: '#a3adb9' },
  rule: { light: '#d5dae0', dark: '#343c47' },
  /** Band behind heads of tables and the default arm. */
  band: { light: '#f4f6f8', dark: '#1a2029' },
  accent: { light: '#0a5ca8', dark: '#6fb5f7' },
  published: { light: '#a8480f', dark: '#f2a066' },
  agree: { light: '#1a6b54', dark: '#57c9a3' },
  disagree: { light: '#a8321e', dark: '#ff9283' },
  /** Behind text: from the published place to the other end of a table. */
  same: { light: '#c9e8dc', dark: '#17493a' },
  near: { light: '#e6f2df', dark: '#2c4028' },
  off: { light: '#fbf0d2', dark: '#4a3d1a' },
  far: { light: '#fbdfc6', dark: '#5a3318' },
  opposite: { light: '#f7c7ba', dark: '#6b2a1f' },
} as const satisfies Readonly<Record<string, Colour>>;

/**
 * Lines of arms, apart for the common kinds of colour blindness (after Okabe and Ito, darkened until each has a contrast of
 * 3 to the page). More arms repeat the colours with another dash.
 */
export const series: readonly Colour[] = [
  { light: '#5c6570', dark: '#98a3b0' },
  { light: '#c25a00', dark: '#ff9d4d' },
  { light: '#0072b2', dark: '#5cb3f0' },
  { light: '#56429e', dark: '#b3a1f5' },
  { light: '#00805f', dark: '#35c79f' },
  { light: '#b8438d', dark: '#f08fca' },
  { light: '#8a6a00', dark: '#e0bf3f' },
];

export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];

/** Lines that can be told apart. */
export const STYLES = series.length * DASHES.length;

/** Colour and dash of the arm at a place of the declaration. */
export function armStyle(index: number): { colour: string; dash: readonly number[] } {
  const dash = DASHES[Math.floor(index / series.length) % DASHES.length]!;
  return { colour: series[index % series.length]!.light, dash };
}

/** @internal */
export const colours: readonly Colour[] = [...Object.values(palette), ...series];

/**
 * Style rules that turn chart colours into their dark values, for elements under `scope`.
 * @param used drawing that the rules are for; without one, all colours
 */
export function darkRules(scope: string, used?: string): string {
  return colours
    .flatMap(({ light, dark }) => (['fill', 'stroke'] as const).map(name => ({ has: `[${name}="${light}"]`, rule: `{${name}:${dark}}`, attribute: `${name}="${light}"` })))
    .filter(({ attribute }) => used === undefined || used.includes(attribute) || attribute === `fill="${palette.page.light}"`)
    .map(({ has, rule }) => `${scope} ${has}${rule}`)
    .join('');
}
