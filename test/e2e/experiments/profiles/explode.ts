import toy from './toy.ts';

/** A learning rate at which no loss stays finite. */
export default { ...toy, name: 'explode', supervise: { ...toy.supervise, schedule: { ...toy.supervise.schedule, warmup_epochs: 0, base_lr: 1e38 } } };
