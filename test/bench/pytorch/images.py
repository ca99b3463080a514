"""Augmentation of a whole batch at once, in tensors."""

import torch
from torch.nn import functional as F

TRIES = 10


def random_resized_crop(images, scale, ratio, flip):
    """Bicubic crops back to the size of the image and, where asked for, flips. Images [B, C, H, W] of 0 to 255."""
    batch, _, height, width = images.shape
    area = torch.empty(batch, TRIES).uniform_(*scale) * (height * width)
    aspect = torch.empty(batch, TRIES).uniform_(*torch.tensor(ratio).log().tolist()).exp()
    w, h = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (w <= width) & (h <= height)
    fits[:, -1] = True  # the fallback: the whole image
    first = fits.int().argmax(dim=1, keepdim=True)
    w, h = w.gather(1, first).clamp_(1, width)[:, 0], h.gather(1, first).clamp_(1, height)[:, 0]
    left, top = (torch.rand(batch) * (width - w + 1)).floor(), (torch.rand(batch) * (height - h + 1)).floor()
    sign = torch.where(torch.rand(batch) < 0.5, -1.0, 1.0) if flip else torch.ones(batch)
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0], theta[:, 0, 2] = sign * w / width, (2 * left + w) / width - 1
    theta[:, 1, 1], theta[:, 1, 2] = h / height, (2 * top + h) / height - 1
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    return F.grid_sample(images, grid, "bicubic", "border", align_corners=False).clamp_(0, 255)


def jitter(images, brightness, contrast):
    """Brightness, then contrast, of each image by factors of its own."""
    factor = torch.empty(2, len(images), 1, 1, 1)
    factor[0].uniform_(1 - brightness, 1 + brightness)
    factor[1].uniform_(1 - contrast, 1 + contrast)
    images = (images * factor[0]).clamp_(0, 255)
    return torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, factor[1]).clamp_(0, 255)
