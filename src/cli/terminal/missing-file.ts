/** What is said of a file that stages start from. */
import { waiting, type PlannedFile } from '../../core/plan/files.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { formatAmount, formatCount, plural } from '../../core/text/format.ts';
import { pc } from './colours.ts';
import { commandLine } from './invocation.ts';

/** Of one that is there. */
export const presentFileText = ({ file: { text }, instead }: PlannedFile): string => `${text}${instead ? `. Training it here instead (--set ${instead.set}) would add ${insteadText(instead)}` : ''}`;

/** Of those that nobody has brought yet: each once, though many stages may start from it. */
export function missingFileTexts(plan: Pick<Plan, 'stages'>, files: readonly PlannedFile[]): string[] {
  const missing = files.filter(({ file }) => file.missing);
  return [...new Set(missing.map(({ file: { text } }) => text))].map(text => {
    const same = missing.filter(({ file }) => file.text === text);
    return missingFileText(same[0]!, waiting(plan, same).size);
  });
}

/** @param stages that wait for it */
function missingFileText({ file: { text, missing }, instead }: PlannedFile, stages: number): string {
  const mend = missing?.mend ? ` To mend it: ${pc.cyan(commandLine(missing.mend))}.` : '';
  return `${pc.yellow(text)}; ${plural(stages, 'stage')} cannot run without it.${mend}${instead ? ` Training it here instead (--set ${instead.set}): ${insteadText(instead)}` : ''}`;
}

function insteadText({ cost, stated }: NonNullable<PlannedFile['instead']>): string {
  const images = cost.labelledImages + cost.unlabelledImages;
  return `${formatCount(images)} images, ${formatAmount(cost.flops, 'FLOP')}${stated ? `, ${formatCount(stated.hours)} ${stated.device}-hours` : ''}`;
}
