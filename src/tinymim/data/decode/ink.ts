/**
 * A colour of CMYK to RGB, without a colour profile. Source: python-pillow/Pillow, src/libImaging/Convert.c, `cmyk2rgb`.
 * @param ink of cyan, magenta or yellow, of 255
 * @param light 255 less the black
 * @returns red, green or blue
 */
export function rgbOfInk(ink: number, light: number): number {
  const product = ink * light + 128;
  return light - (((product >> 8) + product) >> 8);
}
