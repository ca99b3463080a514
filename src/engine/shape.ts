/** A tensor has another shape than the computation needs. */
export class ShapeError extends Error {
  readonly code = 'SHAPE';
  override readonly name = 'ShapeError';
  /** Trying again cannot mend it. */
  readonly permanent = true;
}

export function shapeError(what: string, expected: readonly number[], actual: readonly number[], remedy: string): ShapeError {
  return new ShapeError(`Expected ${what} of shape [${expected.join(', ')}], got [${actual.join(', ')}]. ${remedy}`);
}
