/** Whether the scale can show anything: each condition with its number, what it needs, and whether it is met. */
import { formatDelta, formatValue, plural, type Unit } from '../../text/format.ts';
import { errorsText, leastHeadroom, stateOfAll } from '../model/conditions.ts';
import type { Conditions, HeadroomCondition, Report, TrainingCondition } from '../model/model.ts';
import { HEADROOM_ERRORS } from '../model/teacher.ts';
import { left, NONE, right, type Cell, type Table, type TableRow } from './results.ts';

const SUBJECT = 'What this scale can show';
const COLUMNS = [left('Outcome'), right('Measured'), right('Needed')];

const OUTCOMES = {
  met: { text: 'met', tone: 'agree' },
  missed: { text: 'missed', tone: 'disagree' },
  'not measured': { text: 'not measured', tone: 'muted' },
} as const satisfies Readonly<Record<HeadroomCondition['state'], Cell>>;

/** One row for each condition, over all that it is of. */
export function conditionTable({ headroom, training }: Conditions, { unit, label }: Report['headline']): Table {
  return {
    subject: SUBJECT,
    caption: 'Conditions under which effects can show',
    corner: 'Condition',
    columns: COLUMNS,
    rows: [...(headroom.length === 0 ? [] : [headroomRow(headroom, unit)]), ...(training === undefined ? [] : [trainingRow(training)])],
    notes: [
      ...(headroom.length === 0
        ? []
        : [
            `Headroom: what arms rest on, trained and tested as they are, is above their baseline in ${label} by at least ${HEADROOM_ERRORS} standard errors of the difference (over seeds; of one seed that of the test).`,
          ]),
      ...(training === undefined
        ? []
        : [`Training: over its last quarter an arm gains less than the standard error that ${plural(training.items, 'held-out item')} give its last value; means over seeds.`]),
    ],
  };
}

function headroomRow(headroom: readonly HeadroomCondition[], unit: Unit): TableRow {
  const least = leastHeadroom(headroom);
  const measured = headroom.filter(({ difference }) => difference !== undefined).length;
  return {
    header: 'Headroom',
    cells: [
      OUTCOMES[stateOfAll(headroom)],
      ...(least === undefined
        ? [NONE, NONE]
        : [
            {
              text: shareMet(headroom, 'pair'),
              detail: [measured < headroom.length ? `${measured} measured` : '', `least ${formatDelta(least.difference!.value, unit)}, ${pairText(least)}`].filter(Boolean).join(', '),
            },
            { text: 'all', detail: `there ${formatDelta(HEADROOM_ERRORS * least.difference!.standardError, unit)}` },
          ]),
    ],
  };
}

function trainingRow({ arms }: TrainingCondition): TableRow {
  const [most] = arms;
  return {
    header: 'Training',
    cells: [
      OUTCOMES[stateOfAll(arms)],
      ...(most === undefined
        ? [NONE, NONE]
        : [
            { text: shareMet(arms, 'arm'), detail: `largest gain ${formatDelta(most.gain, 'fraction')}, ${most.label}` },
            { text: 'all', detail: `there below ${formatDelta(most.standardError, 'fraction')}` },
          ]),
    ],
  };
}

const shareMet = (all: readonly { readonly state: HeadroomCondition['state'] }[], noun: string): string => `${all.filter(({ state }) => state === 'met').length} of ${plural(all.length, noun)}`;

const pairText = ({ of, baseline }: HeadroomCondition): string => `${of.label} above ${baseline?.label ?? 'its baseline, which is no arm of this report'}`;

/** Every pair of what arms rest on and their baseline; undefined where there is none. */
export function headroomTable({ headroom }: Conditions, { unit }: Report['headline']): Table | undefined {
  if (headroom.length === 0) return undefined;
  return {
    subject: SUBJECT,
    caption: 'Headroom of each pair',
    corner: 'Pair',
    columns: COLUMNS,
    rows: headroom.map(condition => ({ header: pairText(condition), cells: [OUTCOMES[condition.state], ...pairCells(condition, unit)] })),
    notes: [],
  };
}

function pairCells(condition: HeadroomCondition, unit: Unit): Cell[] {
  const { difference } = condition;
  if (difference === undefined) return [NONE, NONE];
  const { value, standardError, n } = difference;
  return [
    { text: formatDelta(value, unit), detail: `\u00b1\u00a0${formatValue(standardError, unit)}, ${plural(n, 'seed')}` },
    { text: formatDelta(HEADROOM_ERRORS * standardError, unit), detail: `${errorsText(condition)} of ${HEADROOM_ERRORS} errors` },
  ];
}
