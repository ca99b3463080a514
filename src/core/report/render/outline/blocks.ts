/** What a report consists of, before it has a form: the page and the README map the same blocks. */
import type { PictureTable } from '../../model/pictures.ts';
import type { Table } from '../../tables/results.ts';

/** The page has everything; the README is short, as GitHub shows it whole. */
export type Face = 'page' | 'readme';

/** Part of a line. */
export type Inline = string | { readonly text: string; readonly strong?: boolean; /** An anchor (`#name`) or a path within the report's folder. */ readonly href?: string };

interface OnFace {
  /** Absent: on all. */
  readonly on?: Face;
}

/** What a paragraph is for; `plain` if absent. */
export type Voice = 'plain' | 'verdict' | 'question' | 'quiet' | 'small';

/** What a table is for. */
export type Look = 'results' | 'crossed' | 'claims' | 'contents' | 'reference' | 'values' | 'facts' | 'fields' | 'recipes' | 'keys';

export interface Paragraph extends OnFace {
  readonly type: 'paragraph';
  readonly text: readonly Inline[];
  readonly voice?: Voice;
}

export interface Section extends OnFace {
  readonly type: 'section';
  readonly id: string;
  /** Before the title: the table of the paper that it is. */
  readonly kicker?: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Details extends OnFace {
  readonly type: 'details';
  readonly summary: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | Section
  | Paragraph
  | Details
  /** Of the level below a section's. */
  | (OnFace & { readonly type: 'heading'; readonly title: string; readonly id?: string })
  | (OnFace & { readonly type: 'table'; readonly table: Table; readonly look: Look })
  /** Of the report's figures, by id. */
  | (OnFace & { readonly type: 'figure'; readonly id: string })
  | (OnFace & { readonly type: 'pictures'; readonly table: PictureTable })
  /** Figures side by side, each with what belongs to it. */
  | (OnFace & { readonly type: 'gallery'; readonly items: readonly (readonly Block[])[] })
  | (OnFace & { readonly type: 'list'; readonly items: readonly (readonly Inline[])[] })
  /** What must be read first. */
  | (OnFace & { readonly type: 'caution'; readonly blocks: readonly Block[] })
  /** The key numbers. */
  | (OnFace & { readonly type: 'numbers'; readonly items: readonly { readonly label: string; readonly value: string; readonly detail?: string }[] })
  | (OnFace & { readonly type: 'navigation'; readonly label: string; readonly blocks: readonly Block[] });

export interface Outline {
  readonly kicker: string;
  readonly title: string;
  /** The first screen up to where changes against another report have their place. */
  readonly head: readonly Block[];
  readonly body: readonly Block[];
  readonly footer: readonly Block[];
}

/** Blocks of one face; what they held of the other alone is gone, and they with it where nothing is left. */
export const blocksOn = (face: Face, blocks: readonly Block[]): Block[] => blocks.flatMap(block => (block.on === undefined || block.on === face ? (within(face, block) ?? []) : []));

function within(face: Face, block: Block): Block | undefined {
  if (block.type === 'gallery') return { ...block, items: block.items.map(item => blocksOn(face, item)) };
  if (!('blocks' in block)) return block;
  const blocks = blocksOn(face, block.blocks);
  return blocks.length === 0 ? undefined : { ...block, blocks };
}

/** Small print that stands together is one piece of it: blocks in order, runs of small paragraphs as lists. */
export function withSmallPrint(blocks: readonly Block[]): (Block | readonly Paragraph[])[] {
  const found: (Block | Paragraph[])[] = [];
  for (const block of blocks) {
    const last = found.at(-1);
    if (block.type !== 'paragraph' || block.voice !== 'small') found.push(block);
    else if (Array.isArray(last)) last.push(block);
    else found.push([block]);
  }
  return found;
}
