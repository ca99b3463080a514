/** The share of `make fuzz` that every change is tested with, always the same inputs, a longer one; and that the harness notices what it is there for. */
import { describe, expect, test } from 'vitest';
import { FORMATS } from './formats.ts';
import { commandOf, fileFormat, type FileSubject } from './fuzz.ts';

describe.each([
  { inputs: 15, tags: [] },
  { inputs: 150, tags: ['long'] },
])('no damage of $inputs crashes a reader, hangs it, or is taken for data', ({ inputs: wanted, tags }) => {
  test.each(FORMATS)('$name', { tags }, async ({ name, run }) => {
    const options = { seed: 1, inputs: wanted };
    const { fault, inputs } = await run(options);
    expect(fault && `${fault.report}\nAgain: ${commandOf(name, { ...options, path: fault.path })}`).toBeUndefined();
    expect(inputs).toBe(options.inputs);
  });
});

describe('the harness notices', () => {
  class Refusal extends Error {}
  const subject: FileSubject<string> = {
    samples: [Buffer.from('{"a":[1,2],"b":"text"}')],
    read(bytes) {
      const text = bytes.toString('latin1');
      if (!text.startsWith('{"a"')) throw new Refusal('Expected {"a", got something else');
      return text;
    },
    own: [Refusal],
  };
  const faultOf = async (change: Partial<FileSubject<string>>, limit?: number): Promise<string | undefined> =>
    (await fileFormat('toy', () => ({ ...subject, ...change })).run({ seed: 1, inputs: 500, ...(limit !== undefined && { limit }) })).fault?.report;

  test('nothing wrong with a reader that refuses or accepts', async () => {
    expect(await faultOf({})).toBeUndefined();
  });

  test.each<[string, Partial<FileSubject<string>>, string]>([
    ['a crash', { own: [SyntaxError] }, 'Expected SyntaxError, got Error: Expected {"a"'],
    ['silent acceptance of what is vouched for', { sealed: true }, 'Expected damage to be detected'],
    [
      'an error that says nothing',
      {
        read: bytes => {
          if (bytes[0] !== 0x7b) throw new Refusal('bad');
          return '';
        },
      },
      "Expected a message that says what is wrong, got 'bad'",
    ],
    ['a promise that never ends', { read: bytes => (bytes[0] === 0x7b ? '' : new Promise<string>(() => undefined)) }, 'got no end'],
  ])('%s, by the smallest damage', async (_, change, message) => {
    const report = await faultOf(change, message === 'got no end' ? 50 : undefined);
    expect(report).toContain(message);
    expect(report).toMatch(/seed: 1, path: "[\d:]+"/);
    expect(report).toMatch(/Counterexample: \[\[\{"damage":[^\]]*\}\]\]/);
  });
});
