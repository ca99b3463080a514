"""A folder of class folders with JPEG files like those of ImageNet: about 500 x 375 pixels and 110 kB.

Use: photos.py FOLDER CLASSES TRAIN TEST [PICTURES]; TRAIN and TEST are files of each class, PICTURES a folder of larger or smaller photos to
make them of. Without it they are noise as coarse as fine, which has about the spectrum of photos, with edges in it.
"""

import io
import pathlib
import random
import sys

import numpy
from PIL import Image

SIZES = [(500, 375), (500, 375), (375, 500), (500, 333)]
BYTES = 110_000


def noise(draws, width, height):
    """RGB: the coarser the stronger, in patches that overlap."""
    total = numpy.zeros((height, width, 3))
    for octave in range(8):
        cells = 2 ** (octave + 1)
        grid = draws.normal(size=(cells, cells, 3)) * [1, 0.6, 0.4] / 1.7**octave
        planes = [Image.fromarray(grid[:, :, c].astype("float32")).resize((width, height), Image.BICUBIC) for c in range(3)]
        total += numpy.stack([numpy.asarray(plane) for plane in planes], axis=2)
    luma = total.sum(axis=2, keepdims=True) / 2
    return numpy.clip(128 + 45 * (luma + total * 0.3), 0, 255)


def procedural(number):
    draws = numpy.random.default_rng(number)
    width, height = SIZES[number % len(SIZES)]
    image, other = noise(draws, width, height), noise(draws, width, height)
    rows, columns = numpy.ogrid[:height, :width]
    for _ in range(6):
        radius, x, y = draws.uniform(20, 120), draws.uniform(0, width), draws.uniform(0, height)
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        image[inside] = other[inside]
    return Image.fromarray(image.astype("uint8"))


def cut(pictures, number):
    draws = random.Random(number)
    width, height = SIZES[number % len(SIZES)]
    picture = Image.open(draws.choice(pictures)).convert("RGB")
    part = min(picture.width / width, picture.height / height) * draws.uniform(0.8, 1)
    w, h = int(width * part), int(height * part)
    left, top = draws.randint(0, picture.width - w), draws.randint(0, picture.height - h)
    image = numpy.asarray(picture.resize((width, height), Image.BICUBIC, (left, top, left + w, top + h)), dtype="float32")
    grain = numpy.random.default_rng(number).normal(0, 3, image.shape)  # which enlarging took away
    return Image.fromarray(numpy.clip(image + grain, 0, 255).astype("uint8"))


def jpeg(image, number):
    """With the quality whose file is nearest to the size; colours at half the resolution in every second one."""

    def saved(quality):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, subsampling=2 * (number % 2))
        return file.getvalue()

    low, high = 60, 99
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(saved(middle)) < BYTES else (low, middle)
    return saved(low)


def main(folder, classes, train, test, pictures=None):
    photos = sorted(p for p in pathlib.Path(pictures).rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg")) if pictures else []
    number = 0
    for split, count in (("train", int(train)), ("val", int(test))):
        for label in range(int(classes)):
            place = pathlib.Path(folder, split, f"n{label:08}")
            place.mkdir(parents=True)
            for i in range(count):
                image = cut(photos, number) if photos else procedural(number)
                (place / f"{i:05}.JPEG").write_bytes(jpeg(image, number))
                number += 1


main(*sys.argv[1:])
