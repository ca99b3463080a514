/** What is said of a file that stages start from. */
import type { PlannedFile } from '../../core/plan/files.ts';
import { formatAmount, formatCount, plural } from '../../core/text/format.ts';
import { pc } from './colours.ts';
import { commandLine } from './invocation.ts';

/** Of one that is there. */
export const presentFileText = ({ file: { text }, instead }: PlannedFile): string => `${text}${instead ? `. Training it here instead (--set ${instead.set}) would add ${insteadText(instead)}` : ''}`;

/** Of one that nobody has brought yet. @param stages that wait for it */
export function missingFileText({ file: { text, missing }, instead }: PlannedFile, stages: number): string {
  const mend = missing?.mend ? ` To mend it: ${pc.cyan(commandLine(missing.mend))}.` : '';
  return `${pc.yellow(text)}; ${plural(stages, 'stage')} cannot run without it.${mend}${instead ? ` Training it here instead (--set ${instead.set}): ${insteadText(instead)}` : ''}`;
}

function insteadText({ cost, stated }: NonNullable<PlannedFile['instead']>): string {
  const images = cost.labelledImages + cost.unlabelledImages;
  return `${formatCount(images)} images, ${formatAmount(cost.flops, 'FLOP')}${stated ? `, ${formatCount(stated.hours)} ${stated.device}-hours` : ''}`;
}
