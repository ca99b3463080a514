"""Makes values.safetensors and values.json beside it: what PyTorch computes of the layers of UPerNet, and of a whole small one on a ViT.

    ~/.cache/tinymim-ablations/timm/*/bin/python test/parity/segmentation/make.py

Written from the descriptions of the layers, with PyTorch's own modules; names of parameters are those of mmsegmentation, without `backbone.`.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
torch.manual_seed(23)
torch.set_num_threads(1)

values, cases = {}, {}


def keep(name, tensor):
    values[name] = tensor.detach().to(torch.float32 if tensor.is_floating_point() else torch.int32).contiguous().clone()


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def layer(name, module, x, **more):
    """A layer's output for x, and the gradients of the sum of output times r with respect to x and its parameters."""
    x = x.clone().requires_grad_()
    y = module(x)
    r = torch.randn_like(y)
    (y * r).sum().backward()
    keep(f"{name}/x", channels_last(x))
    keep(f"{name}/y", channels_last(y))
    keep(f"{name}/r", channels_last(r))
    keep(f"{name}/grad/x", channels_last(x.grad))
    if isinstance(module, nn.Module):
        for key, parameter in module.named_parameters():
            keep(f"{name}/param/{key}", parameter)
            keep(f"{name}/grad/{key}", parameter.grad)
    cases[name] = more


def layers():
    x = torch.randn(2, 3, 5, 4)
    layer("conv1", nn.Conv2d(3, 4, 1, bias=False), x)
    layer("conv3", nn.Conv2d(3, 4, 3, padding=1, bias=False), x)
    layer("up", nn.ConvTranspose2d(3, 4, 2, 2), x)
    for size in ([9, 8], [7, 9], [2, 3], [3, 11], [1, 1]):
        layer(f"resize/{size[0]}x{size[1]}", lambda x, size=size: F.interpolate(x, size=size, mode="bilinear", align_corners=False), x, size=size)
    layer("resize/from one pixel", lambda x: F.interpolate(x, size=[3, 2], mode="bilinear", align_corners=False), torch.randn(2, 3, 1, 1), size=[3, 2])
    for scale in (1, 2, 3, 6):
        layer(f"pool/{scale}", nn.AdaptiveAvgPool2d(scale), x, size=[scale, scale])
    layer("max pool", nn.MaxPool2d(2), x)
    layer("max pool/equal", nn.MaxPool2d(2), torch.randint(0, 2, (2, 3, 5, 6)).float())
    norm = nn.BatchNorm2d(3)
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2)
    keep("norm/before/mean", norm.running_mean), keep("norm/before/var", norm.running_var)
    layer("norm", norm, 2 * x + 1)
    keep("norm/after/mean", norm.running_mean), keep("norm/after/var", norm.running_var)
    norm.eval()
    keep("norm/tested", channels_last(norm(x)))
    keep("norm/tested x", channels_last(x))


def cross_entropy(logits, labels):
    """As mmsegmentation 0.11: ignored pixels add nothing, and the mean is over all."""
    return F.cross_entropy(logits, labels, ignore_index=255, reduction="none").mean()


CONFIG = dict(image_size=[16, 12], patch_size=4, in_chans=2, embed_dim=8, depth=4, num_heads=2, mlp_ratio=2, feature_blocks=[1, 2, 3, 4], channels=6, auxiliary_channels=4, classes=5)
ROWS, COLUMNS = 4, 3
DROP_PATH, DROPOUT = 0.3, 0.25


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attn, self.mlp = nn.Module(), nn.Module()
        self.attn.qkv, self.attn.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.attn.relative_position_bias_table = nn.Parameter(torch.randn((2 * ROWS - 1) * (2 * COLUMNS - 1) + 3, heads))
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.gamma_1, self.gamma_2 = nn.Parameter(1 + 0.2 * torch.randn(dim)), nn.Parameter(1 + 0.2 * torch.randn(dim))

    def biases(self):
        """Pair by pair: how far apart two patches are decides the row of the table; its last three rows are those of the class token."""
        table, places = self.attn.relative_position_bias_table, [(r, c) for r in range(ROWS) for c in range(COLUMNS)]
        rows = []
        for a in [None, *places]:
            for b in [None, *places]:
                if a is None:
                    rows.append(len(table) - (1 if b is None else 3))
                elif b is None:
                    rows.append(len(table) - 2)
                else:
                    rows.append((a[0] - b[0] + ROWS - 1) * (2 * COLUMNS - 1) + a[1] - b[1] + COLUMNS - 1)
        tokens = 1 + ROWS * COLUMNS
        return table[torch.tensor(rows)].reshape(tokens, tokens, -1).permute(2, 0, 1)

    def forward(self, x, scales):
        batch, tokens, dim = x.shape
        q, k, v = self.attn.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * (dim // self.heads) ** -0.5 + self.biases()).softmax(-1)
        mixed = (weights @ v).transpose(1, 2).reshape(batch, tokens, dim)
        x = x + scales[0] * self.gamma_1 * self.attn.proj(mixed)
        return x + scales[1] * self.gamma_2 * self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x))))


class ConvModule(nn.Module):
    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


def dropped(x, uniforms):
    return x if uniforms is None else x * (torch.floor(1 - DROPOUT + uniforms) / (1 - DROPOUT))[:, :, None, None]


class DecodeHead(nn.Module):
    def __init__(self, dim, channels, classes):
        super().__init__()
        self.psp_modules = nn.ModuleList([nn.Sequential(nn.AdaptiveAvgPool2d(scale), ConvModule(dim, channels, 1)) for scale in (1, 2, 3, 6)])
        self.bottleneck = ConvModule(dim + 4 * channels, channels, 3)
        self.lateral_convs = nn.ModuleList([ConvModule(dim, channels, 1) for _ in range(3)])
        self.fpn_convs = nn.ModuleList([ConvModule(channels, channels, 3) for _ in range(3)])
        self.fpn_bottleneck = ConvModule(4 * channels, channels, 3)
        self.conv_seg = nn.Conv2d(channels, classes, 1)

    def forward(self, maps, uniforms):
        to = lambda x, like: F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
        top = maps[-1]
        levels = [conv(map) for conv, map in zip(self.lateral_convs, maps)]
        levels.append(self.bottleneck(torch.cat([top] + [to(module(top), top) for module in self.psp_modules], 1)))
        for level in (2, 1, 0):
            levels[level] = levels[level] + to(levels[level + 1], levels[level])
        finest = levels[0]
        outputs = [conv(level) for conv, level in zip(self.fpn_convs, levels)] + [levels[3]]
        return self.conv_seg(dropped(self.fpn_bottleneck(torch.cat([to(output, finest) for output in outputs], 1)), uniforms))


class AuxiliaryHead(nn.Module):
    def __init__(self, dim, channels, classes):
        super().__init__()
        self.convs, self.conv_seg = nn.Sequential(ConvModule(dim, channels, 3)), nn.Conv2d(channels, classes, 1)

    def forward(self, map, uniforms):
        return self.conv_seg(dropped(self.convs(map), uniforms))


class Segmenter(nn.Module):
    def __init__(self, image_size, patch_size, in_chans, embed_dim, depth, num_heads, mlp_ratio, feature_blocks, channels, auxiliary_channels, classes):
        super().__init__()
        self.taps, dim = feature_blocks, embed_dim
        self.cls_token, self.pos_embed = nn.Parameter(torch.randn(1, 1, dim)), nn.Parameter(torch.randn(1, 1 + ROWS * COLUMNS, dim))
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(in_chans, dim, patch_size, patch_size)
        self.blocks = nn.ModuleList([Block(dim, num_heads, mlp_ratio * dim) for _ in range(depth)])
        up = lambda: nn.ConvTranspose2d(dim, dim, 2, 2)
        self.fpn1, self.fpn2 = nn.Sequential(up(), nn.BatchNorm2d(dim), nn.GELU(), up()), nn.Sequential(up())
        self.decode_head, self.auxiliary_head = DecodeHead(dim, channels, classes), AuxiliaryHead(dim, auxiliary_channels, classes)

    def forward(self, images, drops, uniforms=(None, None)):
        x = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x, drops[i])
            maps.append(x[:, 1:].transpose(1, 2).reshape(len(x), -1, ROWS, COLUMNS))
        first, second, third, fourth = [maps[tap - 1] for tap in self.taps]
        levels = [self.fpn1(first), self.fpn2(second), third, F.max_pool2d(fourth, 2)]
        return self.decode_head(levels, uniforms[0]), self.auxiliary_head(third, uniforms[1])


def whole_model():
    model, batch, depth = Segmenter(**CONFIG), 3, CONFIG["depth"]
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5), nn.init.normal_(module.bias)
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2)
    size = CONFIG["image_size"]
    images, labels = torch.randn(batch, CONFIG["in_chans"], *size), torch.randint(0, CONFIG["classes"], (batch, *size))
    labels[torch.rand(labels.shape) < 0.2] = 255
    drop_uniforms = torch.rand(depth, 2, batch)
    uniforms = torch.rand(batch, CONFIG["channels"]), torch.rand(batch, CONFIG["auxiliary_channels"])
    state = lambda: {key: value for key, value in model.state_dict().items() if "num_batches" not in key}
    for key, value in state().items():
        keep(f"model/param/{key}", value)
    keep("model/images", images), keep("model/labels", labels), keep("model/drop_path", drop_uniforms)
    keep("model/dropout/decode", uniforms[0]), keep("model/dropout/auxiliary", uniforms[1])

    rates = [DROP_PATH * i / (depth - 1) for i in range(depth)]
    scales = [[(torch.floor(1 - rate + drop_uniforms[i, branch]) / (1 - rate))[:, None, None] for branch in (0, 1)] for i, rate in enumerate(rates)]
    decode, auxiliary = model(images, scales, uniforms)
    wide = lambda logits: F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    losses = cross_entropy(wide(decode), labels), cross_entropy(wide(auxiliary), labels)
    loss = losses[0] + 0.4 * losses[1]
    loss.backward()
    keep("model/decode", channels_last(decode)), keep("model/auxiliary", channels_last(auxiliary))
    keep("model/loss/decode", losses[0]), keep("model/loss/auxiliary", losses[1]), keep("model/loss", loss)
    for key, parameter in model.named_parameters():
        keep(f"model/grad/{key}", parameter.grad)
    for key, value in state().items():
        if "running" in key:
            keep(f"model/after/{key}", value)
    model.eval()
    ones = [[torch.ones(())] * 2] * depth
    with torch.no_grad():
        keep("model/tested", channels_last(wide(model(images, ones)[0])))


layers()
whole_model()
save_file(values, HERE / "values.safetensors")
about = dict(config=CONFIG, drop_path=DROP_PATH, dropout=DROPOUT, layers=cases, made_with=dict(torch=torch.__version__))
(HERE / "values.json").write_text(json.dumps(about, indent=1) + "\n")
print(f"{len(values)} tensors, {sum(v.numel() for v in values.values()) * 4} bytes")
