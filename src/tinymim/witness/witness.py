"""
Relation distillation and fine-tuning of TinyMIM in plain PyTorch: a second implementation of one arm, to hold ours against.

The two have in common the recipe, the teacher's weights, and which images are held out or labelled. All else is its own here: model, losses,
optimizer, augmentation, random draws. Written from the definitions, which are named where they are used:

    TinyMIM   Ren et al., CVPR 2023; OliverRensu/TinyMIM, models_tinymim.py, main_pretrain.py
    MAE       facebookresearch/mae, models_mae.py, models_vit.py, main_finetune.py, util/{pos_embed,lr_decay,lr_sched}.py
    timm      0.3.2: vision_transformer.py, drop.py, optim_factory.py

This file trains; model.py has the network and the loss, images.py what it sees.
"""
import hashlib, json, math, os, signal, sys, time
from pathlib import Path

try:
    import torch
except ImportError:
    sys.exit('Expected PyTorch, got none: python3 -m pip install torch')
from torch.nn import functional as F

from images import CLASSES, HELD_OUT, Data, augmented, color_jitter
from model import ViT, constant_rates, linear_rates, load, read_safetensors, relation_loss


def seed_of(*parts):
    """Everything random is a function of what it is for: a break changes no number."""
    return int.from_bytes(hashlib.sha256('/'.join(map(str, parts)).encode()).digest()[:8], 'little') >> 1


def pretraining_group(name, param, _):
    """optim_factory.py, add_weight_decay: biases and norms do not decay. All layers have the same rate."""
    return not (param.ndim == 1 or name.endswith('.bias')), 1


def finetuning_group(name, param, recipe):
    """lr_decay.py, param_groups_lrd: tokens and positions do not decay either; a layer has less of the rate than that above it."""
    depth = recipe['model']['depth']
    is_input = name in ('cls_token', 'pos_embed')
    layer = 0 if is_input or name.startswith('patch_embed') else int(name.split('.')[1]) + 1 if name.startswith('blocks') else depth + 1
    return param.ndim > 1 and not is_input, recipe['layer_decay'] ** (depth + 1 - layer)


def optimizer_of(model, recipe, group):
    """AdamW over what is trained, in groups of one decay and one share of the rate, which `group` gives by name and shape."""
    weight_decay, betas = recipe['optimizer']['weight_decay'], recipe['optimizer']['betas']
    groups = {}
    for name, param in model.named_parameters():
        if param.requires_grad:
            decays, scale = group(name, param, recipe)
            groups.setdefault((decays, scale), []).append(param)
    parts = [{'params': params, 'weight_decay': weight_decay * decays, 'scale': scale} for (decays, scale), params in groups.items()]
    return torch.optim.AdamW(parts, lr=0, betas=betas)


def learning_rate(schedule, epoch):
    """lr_sched.py: a linear warm-up, then half a cosine; base rates are for 256 images."""
    peak, warmup = schedule['base_lr'] * schedule['batch_size'] / 256, schedule['warmup_epochs']
    if epoch < warmup:
        return peak * epoch / warmup
    return schedule['min_lr'] + (peak - schedule['min_lr']) * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (schedule['epochs'] - warmup)))


def length(count, schedule):
    """Steps of an epoch, whose last batch is left out unless it is whole, and of all epochs."""
    per_epoch = count // schedule['batch_size']
    return per_epoch, math.floor(per_epoch * schedule['epochs'] + 0.5)


class Run:
    """What the stage is told, and how it answers: experiments/README.md, "Training code in any language"."""
    def __init__(self):
        told = {name.removeprefix('ABLATE_').lower(): value for name, value in os.environ.items() if name.startswith('ABLATE_')}
        self.recipe, self.seed = json.loads(Path(told['recipe']).read_text()), int(told['seed'])
        self.teacher, self.data, self.result = Path(told['upstream_teacher'], 'model.safetensors'), told['data'], Path(told['result'])
        self.device = 'cuda' if told['device'] == 'gpu' else 'cpu'
        self.checkpoints, self.saved_at = Path(told['checkpoints']), time.monotonic()
        self.saved = torch.load(told['resume'], map_location=self.device, weights_only=True) if 'resume' in told else None
        self.metrics = open(told['metrics'], 'a', buffering=1)
        self.before, self.steps, self.epochs, self.stop = 0, 0, 0, False
        torch.set_num_threads(int(told['threads']))
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, 'stop', True))

    def say(self, done, epoch, **numbers):
        """A line of metrics; steps and epochs are counted over both trainings."""
        print(json.dumps({'step': self.before + done, 'steps': self.steps, 'epoch': self.epochs + epoch, **numbers}), file=self.metrics)

    def save(self, phase, done, model, optimizer):
        name = f'{self.before + done}.pt'
        torch.save({'phase': phase, 'done': done, 'model': model.state_dict(), 'optimizer': optimizer.state_dict()}, self.checkpoints / 'part')
        os.replace(self.checkpoints / 'part', self.checkpoints / name)  # whole at once
        self.saved_at = time.monotonic()

    def train(self, phase, model, recipe, count, group, loss_of):
        """To the end of the schedule, from the checkpoint where that is of this phase. `loss_of` takes indices of a batch of `count` images."""
        schedule, optimizer, done = recipe['schedule'], optimizer_of(model, recipe, group), 0
        per_epoch, steps = length(count, schedule)
        if self.saved and self.saved['phase'] == phase:
            model.load_state_dict(self.saved['model'])
            optimizer.load_state_dict(self.saved['optimizer'])
            done = self.saved['done']
        model.train()
        while done < steps:
            epoch, i = divmod(done, per_epoch)
            for part in optimizer.param_groups:
                part['lr'] = learning_rate(schedule, done / per_epoch) * part['scale']
            torch.manual_seed(seed_of(self.seed, phase, 'order', epoch))
            batch = torch.randperm(count)[i * schedule['batch_size'] : (i + 1) * schedule['batch_size']]
            torch.manual_seed(seed_of(self.seed, phase, 'step', done))
            loss = loss_of(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            if done % max(steps // 100, 1) == 0 or done == steps or self.stop:
                self.say(done, done / per_epoch, **{f'{phase}_loss': loss.item()})
            if self.stop or time.monotonic() - self.saved_at > 30:
                self.save(phase, done, model, optimizer)
            if self.stop:
                sys.exit()
        model.eval()


def distil(run, data):
    """The student, whose last block learns the relations of a block of the teacher, and its loss on held-out images."""
    recipe = run.recipe['distill']
    model, pairs, size = recipe['model'], recipe['target']['pairs'], recipe['schedule']['batch_size']
    above = run.recipe['teacher']
    teacher = load(ViT(above, constant_rates(recipe['teacher_drop_path'], above['depth'])), read_safetensors(run.teacher)).to(run.device)
    torch.manual_seed(seed_of(run.seed, 'distill', 'init'))
    student = ViT(model, constant_rates(recipe['drop_path'], model['depth'])).to(run.device)
    student.pos_embed.requires_grad = False
    images = data.unlabelled(recipe['images'])

    def loss_between(seen_by_student, seen_by_teacher):
        with torch.no_grad():
            wanted = teacher.features(data.normalise(seen_by_teacher).to(run.device), recipe['teacher_block'])
        return relation_loss(student.features(data.normalise(seen_by_student).to(run.device), model['depth']), wanted, pairs)

    def loss_of(batch):  # the teacher sees what is cropped and flipped, the student that with jitter
        seen = augmented(images[batch], recipe['augment'])
        return loss_between(color_jitter(seen, recipe['student_jitter']) if recipe['student_jitter'] else seen, seen)

    run.train('distill', student, recipe, len(images), pretraining_group, loss_of)
    teacher.eval()
    with torch.no_grad():
        held = [part for part in data.validation[0][:HELD_OUT].split(size) if len(part) == min(size, HELD_OUT)]
        return student, sum(loss_between(part, part).item() for part in held) / len(held)


def finetune(run, data, classifier):
    """An encoder with a new head, on labelled images."""
    recipe = run.recipe['finetune']
    images, labels = data.labelled(recipe['images'])

    def loss_of(batch):
        logits = classifier(data.normalise(augmented(images[batch], recipe['augment'])).to(run.device))
        return F.cross_entropy(logits, labels[batch].to(run.device), label_smoothing=recipe['label_smoothing'])

    run.train('finetune', classifier, recipe, len(labels), finetuning_group, loss_of)


@torch.no_grad()
def score(classifier, data, images, labels, size=500):
    """How many are right, and the mean cross entropy."""
    device, right, loss = classifier.cls_token.device, 0, 0.0
    for x, y in zip(images.split(size), labels.to(device).split(size)):
        logits = classifier(data.normalise(x).to(device))
        right += (logits.argmax(1) == y).sum().item()
        loss += F.cross_entropy(logits, y, reduction='sum').item()
    return right, loss / len(labels)


def main():
    run = Run()
    recipe, data = run.recipe, Data(run.data)
    per_epoch, steps = length(len(data.unlabelled(recipe['distill']['images'])), recipe['distill']['schedule'])
    per_later_epoch, later_steps = length(len(data.labelled(recipe['finetune']['images'])[1]), recipe['finetune']['schedule'])
    run.steps = steps + later_steps

    torch.manual_seed(seed_of(run.seed, 'finetune', 'init'))
    model = recipe['finetune']['model']
    classifier = ViT(model, linear_rates(recipe['finetune']['drop_path'], model['depth']), CLASSES).to(run.device)
    if not run.saved or run.saved['phase'] == 'distill':
        student, val_loss = distil(run, data)
        run.say(steps, steps / per_epoch, val_loss=val_loss)
        load(classifier, student.state_dict(), but=('fc_norm', 'head'))
    run.before, run.epochs = steps, steps / per_epoch
    finetune(run, data, classifier)

    images, labels = (part[:HELD_OUT] for part in data.validation)
    run.say(later_steps, later_steps / per_later_epoch, val_accuracy=score(classifier, data, images, labels)[0] / len(labels))
    images, labels = getattr(data, recipe['evaluate']['split'])
    (correct, loss), count = score(classifier, data, images, labels, recipe['evaluate']['batch_size']), len(labels)
    accuracy = correct / count
    result = {'accuracy': accuracy, 'accuracy_se': math.sqrt(accuracy * (1 - accuracy) / count), 'correct': correct, 'count': count, 'loss': loss}
    run.result.write_text(json.dumps(result))


if __name__ == '__main__':
    main()
