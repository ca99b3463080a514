"""
Holds the pieces of src/tinymim/witness against golden values: python3 -B pieces.py <its folder> <folder of fixtures> <folder of data>. Prints JSON:
`values`, `gradients`: largest difference of each tensor by its largest value; `stepped`: largest difference of parameters after some steps, by the rate;
`exact`: what has to be equal; `made`: of some images what is made of them, for ours to be compared with.
"""
import hashlib, json, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import torch
from torch.nn import functional as F
import images as im, model as nn, witness

fixtures = Path(sys.argv[2])
told = lambda name: json.loads((fixtures / f'{name}.json').read_text())
types = {'F32': torch.float32, 'I32': torch.int32}


def tensors(name):
    """Of a file of fixtures, which has whole numbers, too."""
    raw = (fixtures / f'{name}.safetensors').read_bytes()
    start = 8 + int.from_bytes(raw[:8], 'little')
    found = {}
    for key, entry in json.loads(raw[8:start]).items():
        if entry.get('dtype') in types:
            begin, end = (start + offset for offset in entry['data_offsets'])
            found[key] = torch.frombuffer(bytearray(raw[begin:end]), dtype=types[entry['dtype']]).view(entry['shape'])
    return found


group = lambda all, prefix: {key.removeprefix(prefix): value for key, value in all.items() if key.startswith(prefix)}
vit = lambda c, **more: {'image_size': [32, 32], 'patch_size': 8, 'in_chans': 3, **{k: c[k] for k in ('embed_dim', 'depth', 'num_heads', 'mlp_ratio')}, **more}
made = lambda model, weights, **more: nn.load(nn.ViT(model, nn.constant_rates(0, model['depth']), **more), weights)
off = lambda ours, golden: ((ours - golden).abs().max() / golden.abs().max().clamp(min=1e-30)).item()
out = {'values': {}, 'gradients': {}, 'stepped': {}, 'exact': {}, 'made': {}}


def without_key_bias(name, param):
    """Softmax cancels what is added to all keys: that third of the bias has a gradient of rounding errors alone, which AdamW blows up."""
    if not name.endswith('qkv.bias'):
        return param
    q, _, v = param.chunk(3)
    return torch.cat([q, v])


def compare_gradients(of, model, golden):
    for name, param in model.named_parameters():
        if param.grad is not None and name in golden:
            out['gradients'][f'{of}/{name}'] = off(without_key_bias(name, param.grad), without_key_bias(name, golden[name]))


def compare_stepped(of, model, golden, rate):
    for name, param in model.named_parameters():
        if name in golden:
            out['stepped'][f'{of}/{name}'] = ((without_key_bias(name, param) - without_key_bias(name, golden[name])).abs().max() / rate).item()


# The encoder, block by block.
golden, config = tensors('vit_encoder'), told('vit_encoder')['config']
encoder = made(vit(config), group(golden, 'param/'))
x = encoder.embed(golden['input'])
out['values']['encoder/tokens'] = off(x, golden['value/tokens'])
for i, block in enumerate(encoder.blocks):
    x = block(x)
    out['values'][f'encoder/block_{i}'] = off(x, golden[f'value/block_{i}'])

# Losses of relations.
golden = tensors('relation_variants')
features = [{letter: golden[f'{who}_{letter}'] for letter in 'qkv'} for who in ('student', 'teacher')]
for pair in [a + b for a in 'qkv' for b in 'qkv']:
    out['values'][f'relations/{pair}'] = off(nn.relation_loss(*features, [pair]), golden[f'{pair}/loss_kl'])
out['values']['relations/qk+vv'] = off(nn.relation_loss(*features, ['qk', 'vv']), golden['qk+vv/loss_kl'])

# Distillation: loss, gradients, five steps.
config, golden, pictures = told('tinymim_student')['config'], tensors('tinymim_student'), tensors('tinymim_images')
teacher = made(vit(config['teacher']), group(tensors('tinymim_teacher'), 'param/'))
student = made(vit(config['student'], last_block_heads=config['student']['last_block_num_heads']), group(golden, 'param/'))
student.pos_embed.requires_grad = False
o = config['optimizer']
optimizer = witness.optimizer_of(student, {'optimizer': {'weight_decay': o['weight_decay'], 'betas': o['betas']}}, witness.pretraining_group)
losses = tensors('tinymim_after_step5')['losses'].sum(1)
for step in range(config['steps']):
    with torch.no_grad():
        wanted = teacher.features(pictures['images_teacher'][step], config['teacher']['target_block'])
    loss = nn.relation_loss(student.features(pictures['images_student'][step], config['student']['depth']), wanted, ['qk', 'vv'])
    out['values'][f'distillation/loss_{step}'] = off(loss, losses[step])
    optimizer.zero_grad()
    loss.backward()
    if step == 0:
        compare_gradients('distillation', student, group(tensors('tinymim_student_grads'), 'grad/') or tensors('tinymim_student_grads'))
    for part in optimizer.param_groups:
        part['lr'] = o['lr'] * part['scale']
    optimizer.step()
    if step in (0, 4):
        compare_stepped(f'distillation_{step + 1}', student, group(tensors(f'tinymim_after_step{step + 1}'), f'step{step + 1}/'), o['lr'])

# Fine-tuning: logits, loss, gradients, three steps with layer decay on a mixed batch.
config, golden = told('finetune')['config'], tensors('finetune')
smoothing = config['label_smoothing']
weights = group(golden, 'param/')
classifier = made(vit(config), weights, classes=config['num_classes'])
logits, labels = classifier(golden['image']), golden['label'].long()
out['values']['classifier/logits'] = off(logits, golden['value/logits'])
loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
out['values']['classifier/loss'] = off(loss, golden['loss/label_smoothing'])
loss.backward()
compare_gradients('classifier', classifier, tensors('finetune_grads_label_smoothing'))
o = told('finetune_after_steps')['config']['optimizer']
classifier = made(vit(config), weights, classes=config['num_classes'])
recipe = {'optimizer': {'weight_decay': o['weight_decay'], 'betas': o['betas']}, 'layer_decay': o['layer_decay'], 'model': vit(config)}
optimizer = witness.optimizer_of(classifier, recipe, witness.finetuning_group)
for rate in o['lr_of_each_step_before_layer_scale']:
    for part in optimizer.param_groups:
        part['lr'] = rate * part['scale']
    optimizer.zero_grad()
    F.cross_entropy(classifier(golden['value/mixup_image']), golden['mixup_target']).backward()
    optimizer.step()
compare_stepped('classifier', classifier, group(tensors('finetune_after_steps'), 'after/'), o['lr'])

# Rates, groups, positions.
rates = [
    (witness.learning_rate({'base_lr': case['lr'], 'batch_size': 256, **{k: case[k] for k in ('min_lr', 'warmup_epochs', 'epochs')}}, epoch), rate)
    for case in told('lr_schedule')['cases']
    for epoch, rate, _ in case['points_epoch_lr_scaledlr']
]
out['values']['rates'] = max(abs(ours - rate) / max(rate, 1e-12) for ours, rate in rates)
for name, case in told('layer_decay')['cases'].items():
    if case['global_pool']:
        recipe = {'model': {'depth': case['depth']}, 'layer_decay': case['layer_decay']}
        shaped = lambda name: torch.empty(1 if name.endswith('.bias') or 'norm' in name else (2, 2))
        groups = {param: witness.finetuning_group(param, shaped(param), recipe) for param in case['parameters']}
        out['values'][f'groups/{name}'] = max(abs(scale - case['parameters'][param][0]) for param, (_, scale) in groups.items())
        out['exact'][f'groups/{name}'] = [decays for decays, _ in groups.values()] == [decay > 0 for _, decay in case['parameters'].values()]
out['values']['positions'] = off(nn.sincos_positions(48, 4, 4)[0], tensors('sincos_pos_embed')['dim48_grid4_cls'])

# Images, to be compared with ours.
data = im.Data(sys.argv[3])
hash_of = lambda part: hashlib.sha256(bytes(part.to(torch.uint8).flatten().tolist())).hexdigest()
levels = lambda picture: picture.int().flatten().tolist()
parts = {'train': data.train, 'validation': data.validation, 'test': data.test, 'labelled': data.labelled(1000), 'few': data.labelled(256)}
boxes = [[0, 0, 28, 28], [3, 5, 20, 17], [10, 0, 9, 12], [0, 15, 28, 13], [1, 2, 26, 25]]
changes = [('brightness', 0.75), ('brightness', 1.25), ('contrast', 0.625), ('contrast', 1.375)]
pictures = data.test[0]
out['made'] = {
    'splits': {name: [hash_of(part) for part in both] for name, both in parts.items()},
    'unlabelled': hash_of(data.unlabelled(256)),
    'mean': data.mean,
    'std': data.std,
    'boxes': [[box, levels(im.crop_and_resize(picture, *box))] for picture, box in zip(pictures, boxes)],
    'jitter': [[name, factor, levels(getattr(im, name)(picture[None].float(), factor))] for picture, (name, factor) in zip(pictures, changes)],
}
print(json.dumps(out))
