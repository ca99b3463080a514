"""Makes values.safetensors and values.json beside it: what timm and PIL make of two small pictures, given what is drawn.

    ~/.cache/tinymim-ablations/timm/*/bin/python test/parity/augment/make.py

Nothing is random but the numbers that it gives to timm in place of its own. They stand in values.json.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

HERE = Path(__file__).parent
FIXTURES = HERE.parent.parent / "fixtures"
FILL = (124, 116, 104)  # the mean of ImageNet, in levels


def import_torchvision():
    """timm imports it, and nothing here uses it. Its compiled part does not load beside a PyTorch of another build."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        import torchvision  # noqa: F401

        return library


kept = import_torchvision()

import PIL  # noqa: E402
import timm  # noqa: E402
from PIL import Image  # noqa: E402
from timm.data import auto_augment, mixup, random_erasing  # noqa: E402


class Given:
    """In place of the modules `random` and `numpy.random`: hands out numbers instead of drawing them, and keeps those that it made up."""

    def __init__(self, given=(), seed=None):
        self.given, self.own, self.record = list(given), random.Random(seed), []

    def take(self, make):
        value = self.given.pop(0) if self.given else make()
        self.record.append(value)
        return value

    def random(self):
        return self.take(lambda: round(self.own.random() * 2**24) / 2**24)  # as ours: exact in float32

    def rand(self):
        return self.random()

    def uniform(self, low, high):
        return low + (high - low) * self.random()

    def gauss(self, mean, deviation):
        return mean + deviation * self.take(lambda: float(np.float32(self.own.gauss(0, 1))))

    def randint(self, low, high):
        return low + self.take(lambda: self.own.randrange(high - low + 1))


class GivenNumpy(Given):
    def randint(self, low, high, size):
        return low + self.take(lambda: self.own.randrange(high - low))

    def beta(self, a, b):
        return self.take(lambda: self.own.betavariate(a, b))


def operations(values, cases, sources):
    """Every operation at several magnitudes, both ways where it has two."""
    options = dict(img_mean=FILL, interpolation=Image.Resampling.BICUBIC)
    two_ways = {"Rotate", "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel"}
    without_magnitude = {"AutoContrast", "Equalize", "Invert"}
    for source, image in sources.items():
        fill = dict(options, img_mean=FILL if image.mode == "RGB" else FILL[0])
        for name in auto_augment._RAND_INCREASING_TRANSFORMS:
            magnitudes = [9] if name in without_magnitude else [0.7, 5.3, 9, 9.62] if image.mode == "RGB" else [8.6]
            for magnitude in magnitudes:
                for sign in (1, -1) if name in two_ways else (1,):
                    auto_augment.random = Given([0.75 if sign < 0 else 0.25])
                    operation = auto_augment.AugmentOp(name, prob=1.0, magnitude=magnitude, hparams=fill)
                    key = f"operation/{source}/{name}/{magnitude}/{sign}"
                    values[key] = np.asarray(operation(image))
                    cases.append(dict(key=key, source=source, operation=name, magnitude=magnitude, sign=sign))


def policies(values, cases, sources):
    """Whole RandAugment: for each layer an operation, a uniform (applied), a normal (magnitude) and a uniform (sign)."""
    numbers = random.Random(5)
    text = "rand-m9-mstd0.5-inc1"
    for source, image in sources.items():
        hparams = dict(img_mean=FILL if image.mode == "RGB" else FILL[0], interpolation=Image.Resampling.BICUBIC)
        policy = auto_augment.rand_augment_transform(text, hparams)
        assert policy.num_layers == 2 and policy.choice_weights is None, policy
        for number in range(8):
            result, drawn = image, []
            for _ in range(policy.num_layers):
                index, applied, sign = numbers.randrange(len(policy.ops)), round(numbers.random() * 0.6, 3), round(numbers.random(), 3)
                normal = min(float(np.float32(numbers.gauss(0, 1))), 1.5)  # a magnitude of 10 leaves posterize no bit, which this PIL refuses
                auto_augment.random = Given([applied, normal, sign] if applied <= 0.5 else [applied])
                result = policy.ops[index](result)
                drawn.append(dict(operation=index, applied=applied, normal=normal, sign=sign))
            key = f"policy/{source}/{number}"
            values[key] = np.asarray(result)
            cases.append(dict(key=key, source=source, text=text, layers=drawn))


def erasing(values, cases):
    """One picture after the other; whether to erase is the first number of each."""
    pictures = [(24, 31, 3, 0.1), (28, 28, 1, 0.25), (9, 40, 3, 0.1), (5, 60, 1, 0.1), (32, 32, 3, 0.2), (12, 50, 3, 0), (2, 60, 1, 0.1), (8, 8, 3, 0.26)]
    for number, (height, width, channels, first) in enumerate(pictures):
        given = random_erasing.random = Given([first], seed=10 * number)
        torch.manual_seed(number)
        erase = random_erasing.RandomErasing(probability=0.25, mode="pixel", max_count=1, num_splits=0, device="cpu")
        erased = erase(torch.full((channels, height, width), 100.0)).numpy()
        inside = erased[0] != 100
        box = None
        if inside.any():
            rows, columns = np.nonzero(inside)
            top, left, h, w = box = [int(x) for x in (rows.min(), columns.min(), rows.max() - rows.min() + 1, columns.max() - columns.min() + 1)]
            assert inside.sum() == h * w
            values[f"erase/{number}"] = erased[:, top : top + h, left : left + w].transpose(1, 2, 0)  # [h, w, C]
        cases.append(dict(key=f"erase/{number}", size=[height, width], drawn=given.record, box=box))


def mixing(values, cases):
    """Batches of four, mixed as a whole; alphas, what was drawn and what came of it."""
    source = np.random.RandomState(3)
    for number in range(12):
        height, width = [(6, 8), (7, 5), (8, 8)][number % 3]
        images = source.randn(4, 3, height, width).astype(np.float32)
        labels = [int(x) for x in source.randint(0, 5, 4)]
        given = GivenNumpy(seed=number)
        given.given = [0.0]  # whether to mix at all
        mixup.np.random, was = given, mixup.np.random
        try:
            alphas = [(0.8, 1.0), (0.8, 0.0), (0.0, 1.0), (0.8, 1.0)][number % 4]
            mix = mixup.Mixup(*alphas, prob=1.0, switch_prob=0.5, mode="batch", label_smoothing=0.1, num_classes=5)
            mixed, targets = mix(torch.from_numpy(images.copy()), torch.tensor(labels))
        finally:
            mixup.np.random = was
        key = f"mixing/{number}"
        values.update({f"{key}/images": images, f"{key}/mixed": mixed.numpy(), f"{key}/targets": targets.numpy()})
        cases.append(dict(key=key, alphas=alphas, labels=labels, size=[height, width], drawn=given.record[1:]))


def main():
    decoded = load_file(FIXTURES / "image_eval.safetensors")["picture_97x61.png/decoded"]
    colour = Image.fromarray(np.ascontiguousarray(decoded[16:40, 30:61]))
    sources = {"colour": colour, "grey": Image.fromarray(np.asarray(colour.convert("L")) // 2 + 40)}
    values = {f"source/{name}": np.asarray(image) for name, image in sources.items()}
    cases = dict(operations=[], policies=[], erasing=[], mixing=[])
    operations(values, cases["operations"], sources)
    policies(values, cases["policies"], sources)
    erasing(values, cases["erasing"])
    mixing(values, cases["mixing"])
    versions = dict(timm=timm.__version__, pillow=PIL.__version__, torch=torch.__version__)
    save_file({name: np.ascontiguousarray(value) for name, value in values.items()}, HERE / "values.safetensors")
    (HERE / "values.json").write_text(json.dumps(dict(made_with=versions, fill=FILL, **cases), indent=1) + "\n")


main()
