"""What each stage minimises: MAE, TinyMIM's relations and features, classification; and the optimizer of each."""

import re

import torch
from torch import nn
from torch.nn import functional as F

from vit import Classifier, Encoder, Mae

BETA = 2.0  # of the smooth L1 (TinyMIM, equation 8)


class Distillation(nn.Module):
    """The student's last block learns from a block of a frozen teacher."""

    def __init__(self, student, target, teacher, drop_path=0.0):
        super().__init__()
        depth = student["depth"]
        self.student = Encoder(student, [drop_path] * (depth - 1) + [0.0])
        self.target, self.depth = target, depth
        self.projection = nn.ModuleDict(
            {term: nn.Linear(student["embed_dim"], teacher["embed_dim"]) for term in projected(target)}
        )

    def forward(self, images, *targets):
        taken = taps(self.student, images, self.depth, self.target)
        if self.target["family"] == "relation":
            return sum(relation_loss(p, t, self.target["loss"]) for p, t in zip(relations(taken, self.target), targets))
        features = zip(self.projection.values(), tokens_of(taken, self.target), targets)
        return sum(F.smooth_l1_loss(layer(x).float(), whitened, beta=BETA) for layer, x, whitened in features)


class Teacher(nn.Module):
    """What the student is to match: logits of relations, or whitened features."""

    def __init__(self, model, block, target):
        super().__init__()
        self.encoder, self.block, self.target = Encoder(model), block, target
        self.requires_grad_(False).eval()

    # `inference_mode` would not do: the student's backward pass needs the targets.
    @torch.no_grad()
    def forward(self, images):
        taken = taps(self.encoder, images, self.block, self.target)
        if self.target["family"] == "relation":
            return tuple(x.softmax(-1) if self.target["loss"] == "kl" else x for x in relations(taken, self.target))
        return tuple(F.layer_norm(x.float(), x.shape[-1:]) for x in tokens_of(taken, self.target))


def projected(target):
    if target["family"] == "relation":
        return []
    return ["q", "k", "v"] if target["feature"] == "qkv" else [target["feature"]]


def taps(encoder, images, block, target):
    if target["family"] == "relation":
        return encoder.tap(images, block, "qkv")
    taken = encoder.tap(images, block, target["feature"])
    return encoder.norm(taken) if target["final_norm"] else taken


def tokens_of(taken, target):
    """Tensors [B, N, D] to compare: of Q, K, V the heads concatenated."""
    return [x.transpose(1, 2).flatten(2) for x in taken] if target["feature"] == "qkv" else [taken]


def relations(qkv, target):
    """Scaled products by pair, [B, H, N, N] (equation 4)."""
    named = dict(zip("qkv", qkv))
    scale = qkv.shape[-1] ** -0.5
    return [((named[x] * scale) @ named[y].transpose(-2, -1)).float() for x, y in target["pairs"]]


def relation_loss(logits, target, loss):
    """KL(teacher || student), averaged over batch, heads and queries (equation 9); without softmax the squared error."""
    if loss == "mse":
        return F.mse_loss(logits, target)
    rows = logits.shape[:-1].numel()
    return F.kl_div(logits.log_softmax(-1), target, reduction="sum") / rows


class Pretraining(nn.Module):
    def __init__(self, model, decoder):
        super().__init__()
        self.mae = Mae(model, decoder)

    def forward(self, images, ids_keep, ids_restore, mask):
        return self.mae(images, ids_keep, ids_restore, mask)


class Classification(nn.Module):
    def __init__(self, model, classes, drop_path=0.0):
        super().__init__()
        depth = model["depth"]
        self.classifier = Classifier(model, classes, [drop_path * i / max(depth - 1, 1) for i in range(depth)])

    def forward(self, images, targets):
        return F.cross_entropy(self.classifier(images).float(), targets)


def pretrain_optimizer(module, recipe):
    """No decay for vectors and biases (timm's add_weight_decay)."""

    def group(name, parameter):
        return (0.0 if parameter.ndim == 1 or name.endswith(".bias") else recipe["weight_decay"], 1.0)

    return optimizer(module, recipe, group)


def finetune_optimizer(module, recipe, depth, layer_decay):
    """Layer-wise decay of the rate (util/lr_decay.py of MAE)."""

    def group(name, parameter):
        name = name.split(".", 1)[1]
        fixed = name in ("cls_token", "pos_embed")
        inner = re.match(r"blocks\.(\d+)\.", name)
        layer = 0 if fixed or name.startswith("patch_embed") else int(inner[1]) + 1 if inner else depth + 1
        decay = 0.0 if parameter.ndim == 1 or fixed else recipe["weight_decay"]
        return (decay, layer_decay ** (depth + 1 - layer))

    return optimizer(module, recipe, group)


def optimizer(module, recipe, group):
    groups = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            decay, scale = group(name, parameter)
            groups.setdefault((decay, scale), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "weight_decay": decay, "lr_scale": scale} for (decay, scale), p in groups.items()],
        betas=tuple(recipe["betas"]),
        fused=True,
    )


def set_rate(adamw, lr):
    for group in adamw.param_groups:
        group["lr"] = lr * group["lr_scale"]


def normalise(images, mean, std):
    """Bytes [B, H, W, C] to [B, C, H, W], less the mean and over the deviation of each channel."""
    x = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return x.mul_(1 / (255 * std)).sub_(mean / std)
