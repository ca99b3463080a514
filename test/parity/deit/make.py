"""Makes values.safetensors beside it: what PyTorch computes of a classifier with a distillation token, and of DeiT's losses.

    ~/.cache/tinymim-ablations/timm/*/bin/python test/parity/deit/make.py

A ViT written for this: pre-norm blocks, a class token and a distillation token behind it, positions for all tokens. `plain` has DeiT's heads on
the last norm, `wide` what TinyMIM* has in its place: LayerNorm (epsilon 1e-5), a linear layer and GELU. Computed in float64, kept as float32.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

WIDTH, DEPTH, HEADS, HIDDEN, PATCH, CHANNELS, SIZE, CLASSES, BATCH, FEATURES = 16, 2, 4, 40, 4, 2, (8, 12), 5, 6, 28


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(WIDTH, 3 * WIDTH), "proj": nn.Linear(WIDTH, WIDTH)})
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(WIDTH, HIDDEN), "fc2": nn.Linear(HIDDEN, WIDTH)})

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.attn["qkv"](self.norm1(x)).chunk(3, -1))
        x = x + self.attn["proj"](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class TwoHeads(nn.Module):
    def __init__(self, wide):
        super().__init__()
        patches = (SIZE[0] // PATCH) * (SIZE[1] // PATCH)
        self.cls_token, self.dist_token = (nn.Parameter(torch.zeros(1, 1, WIDTH)) for _ in range(2))
        self.pos_embed = nn.Parameter(torch.zeros(1, 2 + patches, WIDTH))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(CHANNELS, WIDTH, PATCH, PATCH)})
        self.blocks = nn.ModuleList([Block() for _ in range(DEPTH)])
        if wide:
            self.conv1x1 = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, FEATURES), nn.GELU())
        else:
            self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.last = "conv1x1" if wide else "norm"
        self.head, self.head_dist = (nn.Linear(FEATURES if wide else WIDTH, CLASSES) for _ in range(2))

    def forward(self, images):
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2)
        tokens = [token.expand(len(images), -1, -1) for token in (self.cls_token, self.dist_token)]
        x = torch.cat([*tokens, patches], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        x = getattr(self, self.last)(x)
        return self.head(x[:, 0]), self.head_dist(x[:, 1])


def distillation(student, teacher, tau):
    """DeiT's (losses.py at 7e160fe): hard without a temperature; soft is a sum over all numbers divided by how many there are."""
    if tau is None:
        return F.cross_entropy(student, teacher.argmax(1))
    return F.kl_div(F.log_softmax(student / tau, 1), F.log_softmax(teacher / tau, 1), reduction="sum", log_target=True) * tau**2 / student.numel()


torch.set_default_dtype(torch.float64)
torch.manual_seed(20230102)
values = {
    "images": torch.randn(BATCH, CHANNELS, *SIZE),
    "teacher": 2 * torch.randn(BATCH, CLASSES),
    "targets": torch.softmax(2 * torch.randn(BATCH, CLASSES), 1),
}
GRADIENTS = {"plain": ["soft"], "wide": ["hard", "cool"]}
for name in GRADIENTS:
    model = TwoHeads(name == "wide")
    for parameter in model.parameters():
        nn.init.normal_(parameter, 1.0 if parameter.ndim == 1 else 0.0, 0.3)
    values.update({f"{name}/param/{key}": parameter.detach() for key, parameter in model.named_parameters()})
    head, head_dist = model(values["images"])
    values.update({f"{name}/head": head.detach(), f"{name}/head_dist": head_dist.detach(), f"{name}/prediction": ((head + head_dist) / 2).detach()})
    base = -(values["targets"] * F.log_softmax(head, 1)).sum(1).mean()  # timm's SoftTargetCrossEntropy
    for case, tau, alpha in (("hard", None, 0.5), ("soft", 1.0, 0.5), ("cool", 3.0, 0.3)):
        taught = distillation(head_dist, values["teacher"], tau)
        loss = base * (1 - alpha) + taught * alpha
        values.update({f"{name}/{case}/distillation": taught.detach(), f"{name}/{case}/loss": loss.detach()})
        if case in GRADIENTS[name]:
            gradients = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
            values.update({f"{name}/{case}/grad/{key}": gradient for (key, _), gradient in zip(model.named_parameters(), gradients)})

save_file({key: value.float().contiguous() for key, value in values.items()}, Path(__file__).with_name("values.safetensors"), {"torch": torch.__version__})
