"""
Fashion-MNIST: its splits, and torchvision's random transforms on grey images (RandomResizedCrop, RandomHorizontalFlip, ColorJitter, as they are on
images of PIL). Levels are 0 to 255.
"""
import math, sys
from pathlib import Path

import torch
from torch.nn import functional as F

CLASSES = 10
VALIDATION = 5000
HELD_OUT = 1024  # of the validation images, for the curves


def words(purpose):
    """32-bit words of Philox4x32-10 with key 0 and counter (block, FNV-1a of the purpose, 0): by them the splits are defined."""
    low = 2**32 - 1
    name = 0xCBF29CE484222325
    for byte in purpose.encode():
        name = (name ^ byte) * 0x100000001B3 % 2**64
    block = 0
    while True:
        a, b, c, d, k, l = block, name & low, name >> 32, 0, 0, 0
        for _ in range(10):
            x, y = 0xD2511F53 * a, 0xCD9E8D57 * c
            a, b, c, d = (y >> 32) ^ b ^ k, y & low, (x >> 32) ^ d ^ l, x & low
            k, l = k + 0x9E3779B9 & low, l + 0xBB67AE85 & low
        yield from (a, b, c, d)
        block += 1


def permutation(purpose, count):
    """Fisher-Yates, from the last place down; a word that would favour small remainders is passed over."""
    source, order = words(purpose), list(range(count))
    for i in range(count - 1, 0, -1):
        j = next(word for word in source if word < 2**32 - 2**32 % (i + 1)) % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def balanced(labels, count, order):
    """Indices, rising, of `count` images: of each class the first in `order`, of the first classes one more if need be."""
    left, taken = [count // CLASSES + (c < count % CLASSES) for c in range(CLASSES)], []
    for i in order:
        label = labels[i]
        if left[label]:
            left[label] -= 1
            taken.append(i)
    return torch.tensor(sorted(taken))


def read_split(folder, name):
    """Images [count, 28, 28] as bytes, and labels [count], of files in the idx format."""
    def read(file, header):
        path = Path(folder, 'fashion-mnist', file)
        if not path.exists():
            sys.exit(f'Expected Fashion-MNIST, got no {path}: ablate setup --data')
        return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)[header:]
    return read(f'{name}-images-idx3-ubyte', 16).view(-1, 28, 28), read(f'{name}-labels-idx1-ubyte', 8).long()


class Data:
    """`train` and `validation` of the 60,000 official training images, `test`: (images, labels) each."""
    def __init__(self, folder):
        images, labels = read_split(folder, 'train')
        held = balanced(labels.tolist(), VALIDATION, permutation('fashion-mnist/validation', len(labels)))
        kept = torch.ones(len(labels), dtype=torch.bool)
        kept[held] = False
        self.train, self.validation = (images[kept], labels[kept]), (images[held], labels[held])
        self.test = read_split(folder, 't10k')
        counts = torch.bincount(self.train[0].flatten(), minlength=256).double()
        levels, shares = torch.arange(256).double() / 255, counts / counts.sum()
        self.mean = (shares * levels).sum().item()
        self.std = (shares * (levels - self.mean) ** 2).sum().sqrt().item()

    def labelled(self, count):
        images, labels = self.train
        if count is None:
            return self.train
        chosen = balanced(labels.tolist(), count, permutation('data/labelled-subset', len(labels)))
        return images[chosen], labels[chosen]

    def unlabelled(self, count):
        images, _ = self.train
        return images if count is None else images[torch.tensor(sorted(permutation('data/unlabelled-subset', len(images))[:count]))]

    def normalise(self, images):
        """Levels 0 to 255, [B, 28, 28], to what models see, [B, 1, 28, 28]."""
        return ((images.float() / 255 - self.mean) / self.std).unsqueeze(1)


def crop_and_resize(image, top, left, height, width):
    """A box of an image, brought back to the image's size as PIL does: bicubic with a = -0.5, row by row, then column by column, each rounded to levels."""
    box = image[None, None, top : top + height, left : left + width].float()
    for size in (height, image.shape[1]), image.shape:
        box = F.interpolate(box, size, mode='bicubic', antialias=True).round().clamp(0, 255)
    return box[0, 0]


def random_resized_crop(images, scale, ratio):
    """RandomResizedCrop.get_params: ten tries; of a square image the way out, the largest central box, is all of it."""
    (count, rows, columns), tries = images.shape, 10
    area = rows * columns * torch.empty(count, tries).uniform_(*scale)
    aspect = torch.empty(count, tries).uniform_(math.log(ratio[0]), math.log(ratio[1])).exp()
    widths, heights = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (widths > 0) & (widths <= columns) & (heights > 0) & (heights <= rows)
    first = fits.int().argmax(1, keepdim=True)
    found = fits.any(1)
    width = torch.where(found, widths.gather(1, first)[:, 0], columns)
    height = torch.where(found, heights.gather(1, first)[:, 0], rows)
    top, left = (torch.rand(count) * (rows - height + 1)).floor(), (torch.rand(count) * (columns - width + 1)).floor()
    boxes = torch.stack([top, left, height, width], 1).int().tolist()
    return torch.stack([crop_and_resize(image, *box) for image, box in zip(images, boxes)])


def augmented(images, recipe):
    images = random_resized_crop(images, **recipe['crop']) if recipe['crop'] else images.float()
    return torch.where(torch.rand(len(images), 1, 1) < 0.5, images.flip(-1), images) if recipe['flip'] else images


def brightness(images, factors):
    return (images * factors).clamp(0, 255).floor()


def contrast(images, factors):
    """Away from the mean level, which PIL rounds."""
    mean = (images.mean((1, 2), keepdim=True) + 0.5).floor()
    return (mean + (images - mean) * factors).clamp(0, 255).floor()


def color_jitter(images, recipe):
    """ColorJitter: each factor in [1 - x, 1 + x], in either order; grey images have no saturation and no hue."""
    b, c = (1 + recipe[name] * (2 * torch.rand(len(images), 1, 1) - 1) for name in ('brightness', 'contrast'))
    return torch.where(torch.rand(len(images), 1, 1) < 0.5, contrast(brightness(images, b), c), brightness(contrast(images, c), b))
