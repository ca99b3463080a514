/** Entry of a process that probes one stage: is sent a task, answers, and leaves. */
import { probe, type Probed, type ProbeTask } from './probe.ts';

export type ProbeAnswer = { readonly probed: Probed } | { readonly failure: string };

async function answer(task: ProbeTask): Promise<ProbeAnswer> {
  try {
    return { probed: await probe(task) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.once('message', (task: ProbeTask) => {
  void answer(task).then(result => process.send?.(result, undefined, undefined, () => process.exit(0)));
});
process.on('disconnect', () => process.exit(0));
