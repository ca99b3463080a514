"""
The Vision Transformer of MAE and TinyMIM, and what relations are. In comments B is the batch, N the tokens (class token first), D the width, H the
heads, d = D / H.
"""
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


def sincos_positions(dim, rows, columns):
    """MAE, get_2d_sincos_pos_embed: columns in the first half of the width, rows in the second; the class token has zeros."""
    rates = 10000 ** -(torch.arange(dim // 4).double() / (dim // 4))
    row, column = torch.meshgrid(torch.arange(rows).double(), torch.arange(columns).double(), indexing='ij')
    angles = [place.reshape(-1, 1) * rates for place in (column, row)]
    table = torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], 1)
    return torch.cat([torch.zeros(1, dim), table.float()])[None]


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def split(self, x):
        """Queries, keys and values, [B, H, N, d] each."""
        batch, tokens, dim = x.shape
        return self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).unbind()

    def forward(self, x):
        q, k, v = self.split(x)
        weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(x.shape))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, drop_path):
        super().__init__()
        self.drop_path = drop_path
        self.norm1, self.attn = nn.LayerNorm(dim, eps=1e-6), Attention(dim, heads)
        self.norm2, self.mlp = nn.LayerNorm(dim, eps=1e-6), Mlp(dim, hidden)

    def dropped(self, branch):
        """Stochastic depth: of some images of a batch the branch is left out, of the others it is enlarged."""
        if not self.training or self.drop_path == 0:
            return branch
        keep = 1 - self.drop_path
        return branch * (torch.rand(len(branch), 1, 1, device=branch.device) < keep) / keep

    def forward(self, x):
        x = x + self.dropped(self.attn(self.norm1(x)))
        return x + self.dropped(self.mlp(self.norm2(x)))


class ViT(nn.Module):
    """
    The encoder; with `classes` the classifier on the mean of the patches (`global_pool` of models_vit.py).
    Its last block may have other heads than the others. Names of the weights are timm's.
    """
    def __init__(self, model, drop_paths, classes=None):
        super().__init__()
        dim, depth, patch = model['embed_dim'], model['depth'], model['patch_size']
        heads = [model['num_heads']] * (depth - 1) + [model.get('last_block_heads', model['num_heads'])]
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim).normal_(std=0.02))
        self.pos_embed = nn.Parameter(sincos_positions(dim, *(side // patch for side in model['image_size'])))
        self.patch_embed = nn.ModuleDict({'proj': nn.Conv2d(model['in_chans'], dim, patch, patch)})
        self.blocks = nn.ModuleList(Block(dim, h, int(dim * model['mlp_ratio']), p) for h, p in zip(heads, drop_paths))
        for layer in self.modules():  # models_mae.py, initialize_weights; the bias of the patches is left as Conv2d has it
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        nn.init.xavier_uniform_(self.patch_embed['proj'].weight.view(dim, -1))
        if classes is not None:
            self.fc_norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, classes)
            nn.init.trunc_normal_(self.head.weight, std=2e-5)  # main_finetune.py
            nn.init.zeros_(self.head.bias)

    def embed(self, images):
        patches = self.patch_embed['proj'](images).flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(len(images), -1, -1), patches], 1) + self.pos_embed

    def features(self, images, block):
        """Queries, keys and values of a block, counted from 1, by their letters."""
        x = self.embed(images)
        for before in self.blocks[: block - 1]:
            x = before(x)
        taken = self.blocks[block - 1]
        return dict(zip('qkv', taken.attn.split(taken.norm1(x))))

    def forward(self, images):
        x = self.embed(images)
        for block in self.blocks:
            x = block(x)
        return self.head(self.fc_norm(x[:, 1:].mean(1)))


def constant_rates(rate, depth):
    """models_tinymim.py: the same in all blocks but the last, which has none."""
    return [rate] * (depth - 1) + [0]


def linear_rates(rate, depth):
    """timm: from none in the first block to all in the last."""
    return [rate * i / max(depth - 1, 1) for i in range(depth)]


def relations(features, pair):
    """Equation 4, before the softmax: X Y^T / sqrt(d), [B, H, N, N]."""
    x, y = (features[letter] for letter in pair)
    return x @ y.transpose(-2, -1) * x.shape[-1] ** -0.5


def relation_loss(student, teacher, pairs):
    """Equations 5 and 9: KL(teacher || student) of softmaxes over the keys, averaged over all else; summed over the pairs."""
    loss = 0
    for pair in pairs:
        of_student, of_teacher = (relations(features, pair).log_softmax(-1) for features in (student, teacher))
        loss = loss + F.kl_div(of_student, of_teacher, reduction='none', log_target=True).sum(-1).mean()
    return loss


def read_safetensors(path):
    """Header of so many bytes in JSON, then the numbers."""
    raw = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(raw[:8], 'little')
    types = {'F16': torch.float16, 'F32': torch.float32}
    tensors = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name != '__metadata__':
            begin, end = entry['data_offsets']
            tensors[name] = torch.frombuffer(raw[start + begin : start + end], dtype=types[entry['dtype']]).view(entry['shape']).float()
    return tensors


def load(model, weights, but=()):
    """Takes of the weights what the model has; all of it has to be there, but for parameters whose names begin so."""
    model.load_state_dict({name: weights[name] for name in model.state_dict() if not name.startswith(tuple(but))}, strict=not but)
    return model
