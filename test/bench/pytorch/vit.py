"""ViT encoder, MAE and classifier in plain PyTorch, with the names of timm's and MAE's checkpoints."""

import torch
from torch import nn
from torch.nn import functional as F

EPS = 1e-6  # of every LayerNorm (models_mae.py, models_tinymim.py)


def drop_path(branch, rate, training):
    """Stochastic depth by sample (timm)."""
    if rate == 0 or not training:
        return branch
    keep = torch.rand(branch.shape[0], 1, 1, device=branch.device).add_(1 - rate).floor_().div_(1 - rate)
    return branch * keep


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def project(self, x):
        """[B, N, D] to queries, keys and values, [3, B, H, N, D / H]."""
        batch, tokens, dim = x.shape
        return self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)

    def forward(self, x):
        return self.proj(F.scaled_dot_product_attention(*self.project(x)).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, mlp_ratio, rate=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))
        self.rate = rate

    def forward(self, x):
        x = x + drop_path(self.attn(self.norm1(x)), self.rate, self.training)
        return x + drop_path(self.mlp(self.norm2(x)), self.rate, self.training)

    def tap(self, x, feature):
        """One inner tensor (TinyMIM, equations 1 to 3), and no more work than it needs."""
        if feature == "qkv":
            return self.attn.project(self.norm1(x))
        attention = self.attn(self.norm1(x))
        if feature == "attention":
            return attention
        x = x + drop_path(attention, self.rate, self.training)
        if feature == "attention_residual":
            return x
        ffn = self.mlp(self.norm2(x))
        return ffn if feature == "ffn" else x + drop_path(ffn, self.rate, self.training)


class PatchEmbed(nn.Module):
    def __init__(self, channels, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch, patch)

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


def take(tokens, ids):
    """Rows `ids` [B, K] of tokens [B, L, D]."""
    return tokens.gather(1, ids.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


class Encoder(nn.Module):
    def __init__(self, model, rates=None):
        super().__init__()
        dim, depth, patch = model["embed_dim"], model["depth"], model["patch_size"]
        patches = (model["image_size"][0] // patch) * (model["image_size"][1] // patch)
        heads = [model["num_heads"]] * (depth - 1) + [model.get("last_block_heads", model["num_heads"])]
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + patches, dim), requires_grad=False)
        self.patch_embed = PatchEmbed(model["in_chans"], dim, patch)
        self.blocks = nn.ModuleList(
            Block(dim, h, model["mlp_ratio"], rate) for h, rate in zip(heads, rates or [0.0] * depth)
        )
        self.norm = nn.LayerNorm(dim, eps=EPS)

    def embed(self, images, ids_keep=None):
        """Tokens [B, 1 + K, D] of the kept patches, class token first."""
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        if ids_keep is not None:
            x = take(x, ids_keep)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(x.shape[0], -1, -1)
        return torch.cat([cls, x], dim=1)

    def tap(self, images, block, feature):
        """A feature of one block, counted from 1."""
        x = self.embed(images)
        for inner in self.blocks[: block - 1]:
            x = inner(x)
        return self.blocks[block - 1].tap(x, feature)


class Mae(Encoder):
    def __init__(self, model, decoder):
        super().__init__(model)
        dim, patch = decoder["embed_dim"], model["patch_size"]
        self.patch = patch
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, self.pos_embed.shape[1], dim), requires_grad=False)
        self.decoder_embed = nn.Linear(model["embed_dim"], dim)
        self.decoder_blocks = nn.ModuleList(
            Block(dim, decoder["num_heads"], decoder["mlp_ratio"]) for _ in range(decoder["depth"])
        )
        self.decoder_norm = nn.LayerNorm(dim, eps=EPS)
        self.decoder_pred = nn.Linear(dim, patch * patch * model["in_chans"])

    def forward(self, images, ids_keep, ids_restore, mask):
        """Reconstruction loss of the removed patches, pixels normalised within each patch."""
        x = self.embed(images, ids_keep)
        for block in self.blocks:
            x = block(x)
        x = self.decoder_embed(self.norm(x))
        batch, seen, dim = x.shape
        fill = self.mask_token.expand(batch, ids_restore.shape[1] + 1 - seen, -1)
        patches = take(torch.cat([x[:, 1:], fill.to(x.dtype)], dim=1), ids_restore)
        x = torch.cat([x[:, :1], patches], dim=1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            x = block(x)
        prediction = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        error = (prediction.float() - normalised_patches(images, self.patch)).square().mean(dim=-1)
        return (error * mask).sum() / mask.sum()


def normalised_patches(images, patch):
    """[B, C, H, W] to [B, L, p * p * C], each patch less its mean and over its deviation (norm_pix_loss)."""
    batch, channels, height, width = images.shape
    rows, columns = height // patch, width // patch
    x = images.view(batch, channels, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1)
    x = x.reshape(batch, rows * columns, patch * patch * channels)
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True)
    return (x - mean) * (variance + 1e-6).rsqrt()


class Classifier(Encoder):
    """Mean of the patch tokens, norm, linear layer (models_vit.py)."""

    def __init__(self, model, classes, rates=None):
        super().__init__(model, rates)
        self.norm = nn.Identity()
        self.fc_norm = nn.LayerNorm(model["embed_dim"], eps=EPS)
        self.head = nn.Linear(model["embed_dim"], classes)
        self.pos_embed.requires_grad_(True)

    def forward(self, images):
        x = self.embed(images)
        for block in self.blocks:
            x = block(x)
        return self.head(self.fc_norm(x[:, 1:].mean(dim=1)))
