/**
 * Whether everything computes on an NVIDIA GPU as it should: `make gpu-check`, at most ten minutes. Without a card the same runs on the
 * second of two logical CPUs, where nothing of it is news. Writes one small JSON, which can be sent in: no path, no name of a machine.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { listedGpus } from '../../src/setup/gpus.ts';
import { ourVersions } from '../bench/race/versions.ts';
import { logicalCpus } from '../helpers/logical-devices.ts';
import { SECTIONS, type CheckOptions, type Found, type Section } from './sections.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const { values } = parseArgs({
  options: { only: { type: 'string', default: Object.keys(SECTIONS).join() }, out: { type: 'string', default: 'gpu-check.json' }, few: { type: 'boolean', default: false } },
});
const names = values.only.split(',');
const unknown = names.find(name => !(name in SECTIONS));

/** What the driver's tool says of the card that is used, the first. */
async function card(): Promise<object | null> {
  const fields = ['name', 'driver_version', 'memory.total', 'compute_cap'];
  const { stdout, failed } = await execa('nvidia-smi', [`--query-gpu=${fields.join()}`, '--format=csv,noheader', '--id=0'], { reject: false, timeout: 20_000 });
  return failed ? null : Object.fromEntries(stdout.split(',').map((value, i) => [fields[i]!, value.trim()]));
}

/** @param found nothing but `failed` where the section could not be carried out */
interface Checked extends Found {
  readonly seconds: number;
}

async function check(name: string, { run, seconds }: Section, options: CheckOptions): Promise<Checked> {
  const began = performance.now(),
    ended = (): number => Math.round((performance.now() - began) / 100) / 10;
  try {
    return { ...(await run(options, AbortSignal.timeout(1e3 * seconds))), seconds: ended() };
  } catch (error) {
    const message = (error as Error).message.split('\n').slice(0, 8).join(' ');
    return { wrong: [ended() >= seconds ? `expected '${name}' within ${seconds} s, got no end` : message], facts: {}, seconds: ended() };
  }
}

async function main(): Promise<number> {
  if (unknown !== undefined) {
    say(`error --only: expected of ${Object.keys(SECTIONS).join(', ')}, got '${unknown}'`);
    return 2;
  }
  const began = Date.now();
  const onGpu = (await listedGpus()).length > 0 && process.env['TINYMIM_DEVICE'] !== 'cpu';
  const options: CheckOptions = { device: onGpu ? 'gpu' : 'cpu', few: values.few, env: onGpu ? { CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' } : logicalCpus(2) };
  if (!onGpu) say('No NVIDIA GPU: the same is run on the second of two logical CPUs. That shows that the check works, and nothing about a card.');
  const sections: Record<string, Checked> = {};
  for (const name of names) {
    const checked = (sections[name] = await check(name, SECTIONS[name]!, options));
    say(`${checked.wrong.length === 0 ? 'ok   ' : 'WRONG'} ${name} (${checked.seconds} s)`);
    for (const line of checked.wrong) say(`      ${line}`);
  }
  const wrong = Object.values(sections).some(section => section.wrong.length > 0);
  const report = {
    format: 1,
    date: new Date(began).toISOString().slice(0, 10),
    device: onGpu ? 'gpu' : 'logical CPU',
    card: onGpu ? await card() : null,
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism(), system: `${process.platform}-${process.arch}` },
    versions: ourVersions(),
    ok: !wrong,
    seconds: Math.round((Date.now() - began) / 1e3),
    sections,
  };
  writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  say(`${onGpu ? 'Please send it in: ' : ''}${values.out}`);
  return wrong ? 1 : 0;
}

process.exitCode = await main();
