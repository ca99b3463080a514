/** A file that cannot be decoded. The message is a clause about the file, for a sentence that begins with its path. */
export class DecodeError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'DecodeError';
  }
}
