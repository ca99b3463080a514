/** The records of a committed report, and numbers from elsewhere. What is edited by hand and still is a record, `ablate report --verify` finds with a store at hand. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/core/ablation/errors.ts';
import { parseAdoption, readAdoptionFile } from '../../src/core/report/adopt.ts';
import { parseAdopted, serializeAdopted, type AdoptedNumber } from '../../src/core/report/records/adopted.ts';
import { enginesOf } from '../../src/core/report/records/engines.ts';
import { hashOfItems, joinItems, serializeItems } from '../../src/core/report/records/items.ts';
import { parseProvenance, serializeProvenance, type ReportProvenance } from '../../src/core/report/records/provenance.ts';
import { parseMergedRecords, parseRecords, RecordError, serializeRecords, type ReportRecord } from '../../src/core/report/records/records.ts';
import { packItems } from '../../src/core/store/items.ts';
import { oneLine } from '../../src/core/text/clean.ts';
import { sampleInput, sampleKey, sampleRecords } from '../helpers/report/sample.ts';
import { jsonFile, jsonLines } from './damage.ts';
import { Fault, fileFormat, reading, type FileSubject, type Format } from './fuzz.ts';
import { room } from './room.ts';

/** A few of them, with short curves: damage is to hit all parts. */
function records(seed: number): Buffer {
  const few = sampleRecords([seed])
    .filter((_, i) => i % 3 === 0)
    .map(record => ({ ...record, curves: Object.fromEntries(Object.entries(record.curves).map(([name, points]) => [name, points.slice(0, 4)])) }));
  return Buffer.from(serializeRecords(few));
}

const results = fileFormat('report: results.jsonl', async (): Promise<FileSubject<ReportRecord[]>> => {
  const { buildReport } = await import('../../src/core/report/model/build.ts');
  const { study, profile, ablations } = sampleInput();
  return {
    samples: [records(0), records(1)],
    codec: jsonLines,
    async read(bytes) {
      const text = bytes.toString('utf8');
      await reading(() => parseMergedRecords(text), [RecordError]);
      const found = parseRecords(text);
      buildReport({ study, profile, ablations, records: found });
      return found;
    },
    own: [RecordError],
  };
});

const items = fileFormat('report: items.jsonl', (): FileSubject<string | undefined> => {
  const records = sampleRecords()
    .slice(0, 3)
    .map((record, i): ReportRecord => {
      const bytes = packItems(Array.from({ length: 19 }, (_, item) => item % (i + 3) === 0));
      return { ...record, itemsSha256: hashOfItems(bytes), items: Buffer.from(bytes).toString('base64') };
    });
  const rest = parseRecords(serializeRecords(records));
  return {
    samples: [Buffer.from(serializeItems(records)!)],
    codec: jsonLines,
    sealed: true,
    read(bytes) {
      const { records: joined, damaged } = joinItems(rest, bytes.toString('utf8'));
      if (damaged.length > 0) throw new RecordError('ITEMS_DAMAGED', damaged.join('\n'));
      return serializeItems(joined);
    },
    own: [RecordError],
  };
});

const provenanceOf = (engine: string): Buffer =>
  Buffer.from(
    serializeProvenance({
      [sampleKey('a')]: { kind: 'distill', cpu: 'x', wall_seconds: 1.5, stage: { engine: { name: engine, libraryVersion: '2.21.0', mode: 'graph' }, micro_batches: 2 } },
      [sampleKey('b')]: { kind: 'evaluate', cpu: 'x', wall_seconds: 0.5, packages: ['a', 'b'] },
    }),
  );

const provenance = fileFormat('report: provenance.json', (): FileSubject<ReportProvenance> => ({
  samples: [provenanceOf('tensorflow'), provenanceOf('other')],
  codec: jsonFile,
  read: bytes => {
    const found = parseProvenance(bytes.toString('utf8'));
    enginesOf(found);
    serializeProvenance(found);
    return found;
  },
  own: [RecordError],
}));

const adoptedNumbers = (note: string): AdoptedNumber[] =>
  ['mae', 'qk-vv', 'scratch'].flatMap((arm, i) => [null, 0, 7].map(seed => ({ ablation: 'relation', arm, metric: 'accuracy', seed, value: 0.7 + i / 100, note })));

/** What is read comes back from what is written of it, and stands in the report as numbers and clean text. */
async function requireAdopted(numbers: readonly AdoptedNumber[]): Promise<void> {
  const { buildReport } = await import('../../src/core/report/model/build.ts');
  const { renderMarkdown } = await import('../../src/core/report/render/markdown.ts');
  const text = serializeAdopted(numbers);
  if (serializeAdopted(parseAdopted(text)) !== text) throw new Fault(`Expected ${JSON.stringify(numbers)} to come back from ${text}`);
  const report = buildReport({ ...sampleInput(), adopted: numbers });
  for (const { note, mean } of report.ablations[0]!.rows.flatMap(({ elsewhere }) => elsewhere)) {
    if (!Number.isFinite(mean) || oneLine(note) !== note || note === '') throw new Fault(`Expected a number and a note, got ${mean} and ${JSON.stringify(note)}`);
  }
  renderMarkdown(report, new Map());
}

const adopted = fileFormat('report: adopted.jsonl', (): FileSubject<AdoptedNumber[]> => ({
  samples: ['a colleague', 'Appendix C'].map(note => Buffer.from(serializeAdopted(adoptedNumbers(note))!)),
  codec: jsonLines,
  async read(bytes) {
    const found = parseAdopted(bytes.toString('utf8'));
    await requireAdopted(found);
    return found;
  },
  own: [RecordError],
}));

function adoptionOf(note: string): Buffer {
  const lines = adoptedNumbers(note).map(({ arm, seed, value }) => `relation,${arm},${seed ?? ''},accuracy,${(100 * value).toFixed(1)},"${note}, ""twice"""`);
  return Buffer.from(`ablation,arm,seed,metric,value,note\n${lines.join('\n')}\n`);
}

const adoption = fileFormat('report: CSV to adopt', (): FileSubject<AdoptedNumber[]> => {
  const top = room();
  const path = join(top, 'their.csv');
  const input = { ...sampleInput(), adopted: [] };
  return {
    samples: [adoptionOf('a colleague'), adoptionOf('Appendix C')],
    async read(bytes) {
      writeFileSync(path, bytes);
      const found = parseAdoption(readAdoptionFile(path), path, input);
      await requireAdopted(found);
      return found;
    },
    own: [UsageError],
    close: () => rmSync(top, { recursive: true, force: true }),
  };
});

export const REPORT_FORMATS: readonly Format[] = [results, items, provenance, adopted, adoption];
