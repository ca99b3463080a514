/** A folder of reports in which links, pipes and worse stand where files and folders should: it is refused or read, and nothing outside of it is touched. */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../src/core/ablation/errors.ts';
import { removeBeneath, UnsafePathError, writeBeneath } from '../../src/core/disk/beneath.ts';
import { scaleOfReport, writtenReports } from '../../src/core/report/folder.ts';
import { readReportManifest } from '../../src/core/report/manifest.ts';
import { parseMergedRecords, RecordError } from '../../src/core/report/records/records.ts';
import { readReportText, readWritten, withinReports } from '../../src/core/report/records/written.ts';
import { writeReport } from '../../src/core/report/write.ts';
import { sampleInput } from '../helpers/report/sample.ts';
import { Fault, format, reading, type Format } from './fuzz.ts';
import { makeOutside, plant, plants, treeOf, type Plant } from './plants.ts';
import { room } from './room.ts';

const hostileReports: Format = format<Plant[]>('reports: links, pipes and worse', async () => {
  const top = room();
  const [whole, reports, outside] = ['whole', 'reports', 'outside'].map(name => join(top, name)) as [string, string, string];
  const input = sampleInput();
  const name = input.profile.name;
  const outDir = join(reports, name);
  await writeReport({ ...input, adopted: [{ ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: 0, value: 0.8, note: 'a colleague' }], provenance: {}, outDir: join(whole, name) });
  const paths = readdirSync(join(whole, name), { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter(path => basename(path).includes('.'));
  makeOutside(outside);
  const before = treeOf(outside);
  const expect = [UnsafePathError, UsageError, RecordError];
  const look = async () => [
    await reading(() => writtenReports(reports), expect),
    await reading(() => scaleOfReport(reports, name), expect),
    await reading(() => readReportManifest(outDir), expect),
    await reading(() => readWritten(outDir, parseMergedRecords), expect),
    await reading(() => files.map(path => readReportText(outDir, path)), expect),
  ];
  const restore = (): void => {
    rmSync(reports, { recursive: true, force: true });
    cpSync(whole, reports, { recursive: true });
  };
  restore();
  const undamaged = await look();
  return {
    inputs: plants,
    async judge(list) {
      restore();
      plant(list, reports, [name, ...paths.map(path => join(name, path))], outside);
      const found = await look();
      const changed = await Promise.all(
        files.flatMap(path => [reading(() => removeBeneath(...withinReports(outDir, path)), expect), reading(() => writeBeneath(...withinReports(outDir, path), 'text'), expect)]),
      );
      if (!isDeepStrictEqual(treeOf(outside), before)) throw new Fault(`Expected everything outside of the reports as it was, got ${JSON.stringify(treeOf(outside))}`);
      if ([...found, ...changed].some(reading => 'refused' in reading)) return 'refused';
      return isDeepStrictEqual(found, undamaged) ? 'harmless' : 'undetectable';
    },
    close: () => rmSync(top, { recursive: true, force: true }),
  };
});

export const HOSTILE_REPORTS: readonly Format[] = [hostileReports];
