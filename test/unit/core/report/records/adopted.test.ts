import { describe, expect, it } from 'vitest';
import { adoptedText, joinAdopted, LONGEST_NOTE, parseAdopted, serializeAdopted, type AdoptedNumber } from '../../../../../src/core/report/records/adopted.ts';
import { RecordError } from '../../../../../src/core/report/records/records.ts';

const number = (rest: Partial<AdoptedNumber> = {}): AdoptedNumber => ({ ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: 0, value: 0.834, note: 'a colleague', ...rest });
const line = (of: object): string => `${JSON.stringify(of)}\n`;

describe('adopted.jsonl', () => {
  it('has a line for each number in one order, and no file is written for none', () => {
    const numbers = [number({ seed: 10 }), number({ seed: 9 }), number({ seed: null }), number({ arm: 'best' }), number({ note: 'A' })];
    const text = serializeAdopted(numbers)!;
    expect(parseAdopted(text).map(({ arm, note, seed }) => [arm, note, seed])).toEqual([
      ['best', 'a colleague', 0],
      ['mae', 'A', 0],
      ['mae', 'a colleague', null],
      ['mae', 'a colleague', 9],
      ['mae', 'a colleague', 10],
    ]);
    expect(text.split('\n')[0]).toBe('{"ablation":"relation","arm":"best","metric":"accuracy","seed":0,"value":0.834,"note":"a colleague"}');
    expect([serializeAdopted([]), parseAdopted(undefined)]).toEqual([undefined, []]);
  });

  it('reads what git has merged line by line: the same number twice is one', () => {
    expect(parseAdopted(line(number()) + line(number({ seed: 1 })) + line(number()))).toHaveLength(2);
  });

  it('keeps what two sources say of one seed apart, and refuses two values of one source, the same in whichever order', () => {
    expect(joinAdopted([number()], [number({ note: 'another', value: 0.5 })])).toHaveLength(2);
    const [mine, theirs] = [[number()], [number({ value: 0.5 })]];
    const messages = [
      [mine, theirs],
      [theirs, mine],
    ].map(lists => {
      try {
        return String(joinAdopted(...lists).length);
      } catch (error) {
        return error instanceof RecordError ? error.message : String(error);
      }
    });
    expect(messages[0]).toContain('Expected one value from elsewhere for accuracy of relation/mae, seed 0, got 0.5 and 0.834 with the same note: a colleague.');
    expect(messages[1]).toBe(messages[0]);
    expect(adoptedText(number({ seed: null }))).toBe('accuracy of relation/mae, without a seed');
  });

  it.each([
    ['no JSON', 'x'],
    ['a field too many', line({ ...number(), more: 1 })],
    ['a field too few', line({ ...number(), note: undefined })],
    ['a value that is text', line({ ...number(), value: '0.8' })],
    ['a value without end', line(number()).replace('0.834', '1e999')],
    ['a value that is nothing', line({ ...number(), value: null })],
    ['a seed below 0', line(number({ seed: -1 }))],
    ['half a seed', line(number({ seed: 0.5 }))],
    ['an empty note', line(number({ note: '' }))],
    ['a note with a control character', line(number({ note: 'a\u001b[2Jb' }))],
    ['a note that turns text round', line(number({ note: 'a\u202eb' }))],
    ['a note of two lines', line(number({ note: 'a\nb' }))],
    ['a note without end', line(number({ note: 'a'.repeat(LONGEST_NOTE + 1) }))],
  ])('refuses %s, with the number of the line', (_, text) => {
    expect(() => parseAdopted(`${line(number({ arm: 'first' }))}${text}`)).toThrow(RecordError);
    expect(() => parseAdopted(`${line(number({ arm: 'first' }))}${text}`)).toThrow('on line 2 of adopted.jsonl');
  });
});
