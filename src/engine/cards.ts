/** NVIDIA cards as the driver's own tool describes them. Loads no engine: set-up and planning ask it, too. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Card {
  /** As the driver counts, in the order of the bus. */
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly driver: string;
  /** Bytes of all its memory; undefined where the tool does not say (`[N/A]`). */
  readonly memory?: number;
  /** E.g. 8.0 of Ampere. */
  readonly computeCapability?: number;
}

const FIELDS = ['index', 'name', 'uuid', 'driver_version', 'memory.total', 'compute_cap'] as const;
const MEBIBYTE = 2 ** 20;

/** All cards of the machine; none without the tool, or where it fails. */
export async function describedCards(): Promise<Card[]> {
  const answer = await ask(`--query-gpu=${FIELDS.join()}`, '--format=csv,noheader,nounits');
  return answer.split('\n').flatMap((line): Card[] => {
    const fields = line.split(',').map(field => field.trim());
    const [index, name, uuid, driver, mebibytes, capability] = fields;
    if (fields.length !== FIELDS.length || !/^\d+$/.test(index!)) return [];
    const [memory, computeCapability] = [MEBIBYTE * Number(mebibytes), Number(capability)];
    return [{ index: Number(index), name: name!, uuid: uuid!, driver: driver!, ...(memory > 0 && { memory }), ...(computeCapability > 0 && { computeCapability }) }];
  });
}

/**
 * The card of a process that sees one GPU, as every GPU worker does.
 * @param visible its CUDA_VISIBLE_DEVICES: an index, or the uuid of a card or of a part of a split one
 */
export async function visibleCard(visible: string | undefined): Promise<Card | undefined> {
  const cards = await describedCards();
  const named = visible?.split(',')[0]?.trim() ?? '';
  if (named === '') return cards[0];
  const whole = cards.find(({ index, uuid }) => named === String(index) || (named.startsWith('GPU-') && uuid.startsWith(named)));
  return whole ?? (named.startsWith('MIG-') ? splitCard(cards, named) : undefined);
}

/** The card of which this is a part: `nvidia-smi -L` lists parts below their card. */
async function splitCard(cards: readonly Card[], part: string): Promise<Card | undefined> {
  let uuid: string | undefined;
  for (const line of (await ask('-L')).split('\n')) {
    uuid = /^GPU \d+: .*\(UUID: ([^)]*)\)/.exec(line)?.[1] ?? uuid;
    if (line.includes(`(UUID: ${part})`)) return cards.find(card => card.uuid === uuid);
  }
  return undefined;
}

async function ask(...args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('nvidia-smi', args, { timeout: 20_000 })).stdout;
  } catch {
    return '';
  }
}
