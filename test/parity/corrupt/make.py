"""Makes values.safetensors and values.json beside it: what NumPy, SciPy and Pillow make of two small pictures, given what is drawn.

    pip install numpy==2.4.6 scipy Pillow==13.0.0 safetensors        # in an environment of your own
    python test/parity/corrupt/make.py

Written by itself from the definitions in src/tinymim/data/corrupt: convolutions, interpolation, the cosine transform, Poisson quantiles and geometry
are those of the libraries. Every case takes its numbers from the start of the same uniform and normal ones, which stand in the file.
"""

import io
import json
from pathlib import Path

import numpy as np
import PIL
import scipy
from PIL import Image
from safetensors.numpy import save_file
from scipy import fft, ndimage, stats

HERE = Path(__file__).parent
numbers = np.random.RandomState(31)
UNIFORMS = (numbers.randint(0, 2**24, 4096) / 2**24).astype(np.float32)
NORMALS = numbers.randn(2400).astype(np.float32)


class Given:
    """Hands out the numbers, and counts them."""

    def __init__(self):
        self.uniforms = self.normals = 0

    def uniform(self, *shape):
        count = int(np.prod(shape))
        self.uniforms += count
        return UNIFORMS[self.uniforms - count : self.uniforms].astype(np.float64).reshape(shape)

    def between(self, low, high, *shape):
        return low + (high - low) * self.uniform(*shape)

    def normal(self, *shape):
        count = int(np.prod(shape))
        self.normals += count
        return NORMALS[self.normals - count : self.normals].astype(np.float64).reshape(shape)


def channels(filtered, x):
    return np.stack([filtered(x[..., c]) for c in range(x.shape[2])], axis=2)


def gaussian_noise(x, deviation, given):
    return x + deviation * given.normal(*x.shape)


def shot_noise(x, photons, given):
    return stats.poisson.ppf(np.maximum(given.uniform(*x.shape), 1e-12), x * photons) / photons


def impulse_noise(x, amount, given):
    u = given.uniform(*x.shape)
    return np.select([u < amount / 2, u < amount], [np.zeros_like(x), np.ones_like(x)], x)


def defocus_blur(x, value, given):
    radius, smoothing = value
    places = np.arange(-3, 4)
    disc = (places[:, None] ** 2 + places**2 <= radius**2).astype(float)
    side = np.exp(-0.5 * (np.array([-1, 0, 1]) / smoothing) ** 2)
    kernel = ndimage.convolve(disc / disc.sum(), np.outer(side, side) / side.sum() ** 2, mode="constant")
    return channels(lambda plane: ndimage.convolve(plane, kernel, mode="reflect"), x)


def motion_blur(x, value, given):
    length, deviation = value
    angle = given.between(-np.pi / 4, np.pi / 4, 1)[0]
    i = np.arange(2 * length + 1)
    weights = stats.norm.pdf(i, scale=deviation)
    far = 2 * length
    padded = np.pad(x, ((far, far), (far, far), (0, 0)), mode="symmetric")
    rows, columns = np.rint(i * np.sin(angle)).astype(int), np.rint(i * np.cos(angle)).astype(int)
    height, width, _ = x.shape
    moved = [padded[far + r : far + r + height, far + c : far + c + width] for r, c in zip(rows, columns)]
    return np.tensordot(weights / weights.sum(), np.stack(moved), axes=1)


def zoom_blur(x, steps, given):
    middle = (np.array(x.shape[:2]) - 1) / 2
    pictures = [x, x]
    for step in range(1, steps + 1):
        factor = 1 + step / 100
        offset = middle - middle / factor
        pictures.append(channels(lambda plane: ndimage.affine_transform(plane, np.full(2, 1 / factor), offset, order=1, mode="nearest"), x))
    return np.mean(pictures, axis=0)


def plasma(size, decay, given):
    surface, step, spread = np.zeros((size, size)), size, 1.0
    while step >= 2:
        half = step // 2
        n = size // step
        corner = surface[::step, ::step]
        squares = (corner + np.roll(corner, -1, 0) + np.roll(corner, -1, 1) + np.roll(corner, (-1, -1), (0, 1))) / 4
        surface[half::step, half::step] = middle = squares + given.between(-spread, spread, n, n)
        across = (corner + np.roll(corner, -1, 1) + middle + np.roll(middle, 1, 0)) / 4
        along = (corner + np.roll(corner, -1, 0) + middle + np.roll(middle, 1, 1)) / 4
        surface[::step, half::step] = across + given.between(-spread, spread, n, n)
        surface[half::step, ::step] = along + given.between(-spread, spread, n, n)
        step, spread = half, spread / decay**2
    surface -= surface.min()
    return surface / surface.max()


def fog(x, value, given):
    density, decay = value
    height, width, _ = x.shape
    size = 1 << (max(height, width) - 1).bit_length()
    dense = plasma(size, decay, given)[:height, :width, None]
    return (x + density * dense) * x.max() / (x.max() + density)


def brightness(x, added, given):
    value = x.max(axis=2, keepdims=True)
    raised = np.minimum(value + added, 1)
    return np.where(value > 0, x * raised / np.where(value > 0, value, 1), raised)


def contrast(x, kept, given):
    mean = x.mean(axis=(0, 1))
    return mean + kept * (x - mean)


def sample(x, rows, columns):
    """Bilinear; mirrored on the edges."""
    far = max(x.shape)
    padded = np.pad(x, ((far, far), (far, far), (0, 0)), mode="symmetric")
    return channels(lambda plane: ndimage.map_coordinates(plane, [rows + far, columns + far], order=1), padded)


def elastic_transform(x, value, given):
    distance, smoothness, skew = value
    height, width, _ = x.shape
    rows, columns = np.mgrid[:height, :width].astype(float)
    middle, side = np.array([width // 2, height // 2], float), min(height, width) // 3
    corners = middle + side * np.array([[1, 1], [1, -1], [-1, -1]], float)
    moved = corners + given.between(-skew * width, skew * width, 3, 2)
    homogeneous = np.hstack([corners, np.ones((3, 1))])
    forward = np.linalg.solve(homogeneous, moved).T  # [2, 3]
    matrix, offset = np.linalg.inv(forward[:, :2]), forward[:, 2]
    places = np.einsum("ij,jhw->ihw", matrix, np.stack([columns - offset[0], rows - offset[1]]))
    skewed = sample(x, places[1], places[0])
    if distance == 0:
        return skewed
    fields = [ndimage.gaussian_filter(given.between(-1, 1, height, width), smoothness * width, mode="reflect", truncate=3) * distance * width for _ in range(2)]
    return sample(skewed, rows + fields[1], columns + fields[0])


def pixelate(x, share, given):
    height, width, _ = x.shape
    image = to_image(x)
    small = image.resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return from_image(small.resize((width, height), Image.Resampling.BOX))


# Annex K of T.81, in the order in which a picture's file has them.
with io.BytesIO() as file:
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=50)
    TABLES = [np.array(table).reshape(8, 8) for table in Image.open(file).quantization.values()]
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def half_up(values):
    return np.floor(values + 0.5 + 1e-9)  # in whatever order sums were rounded


def jpeg_plane(plane, table):
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % 8), (0, -width % 8)), mode="edge") - 128
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8).transpose(0, 2, 1, 3)
    scaled = fft.dctn(blocks, axes=(2, 3), norm="ortho") / table
    back = fft.idctn(np.sign(scaled) * half_up(np.abs(scaled)) * table, axes=(2, 3), norm="ortho")
    return np.clip(half_up(back.transpose(0, 2, 1, 3).reshape(padded.shape) + 128), 0, 255)[:height, :width]


def jpeg_compression(x, quality, given):
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    tables = [np.clip((table * scale + 50) // 100, 1, 255) for table in TABLES]
    levels = np.rint(x * 255)
    if x.shape[2] == 1:
        return jpeg_plane(levels[..., 0], tables[0])[..., None] / 255
    ycc = np.clip(half_up(levels @ TO_YCC.T + [0, 128, 128]), 0, 255)
    y, cb, cr = (jpeg_plane(ycc[..., c], tables[min(c, 1)]) - (128 if c else 0) for c in range(3))
    return np.clip(half_up(np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2)), 0, 255) / 255


def to_image(x):
    levels = np.rint(x * 255).astype(np.uint8)
    return Image.fromarray(levels[..., 0] if x.shape[2] == 1 else levels)


def from_image(image):
    levels = np.asarray(image, dtype=float) / 255
    return levels[..., None] if levels.ndim == 2 else levels


def warped(x, matrix):
    """Pixels come from `matrix` times their place, about the centre."""
    height, width, _ = x.shape
    middle_x, middle_y = width / 2, height / 2
    offset = middle_x - matrix[0, 0] * middle_x - matrix[0, 1] * middle_y, middle_y - matrix[1, 0] * middle_x - matrix[1, 1] * middle_y
    image = to_image(x)
    data = (matrix[0, 0], matrix[0, 1], offset[0], matrix[1, 0], matrix[1, 1], offset[1])
    return from_image(image.transform(image.size, Image.Transform.AFFINE, data, resample=Image.Resampling.BICUBIC, fillcolor=0 if image.mode == "L" else (0, 0, 0)))


def sheared(angle):
    return np.array([[1, -np.sin(angle)], [0, np.cos(angle)]])


def turned(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def either_way(value, given):
    return -value if given.uniform(1)[0] < 0.5 else value


def shear(x, angle, given):
    return warped(x, sheared(either_way(angle, given)))


def rotate(x, angle, given):
    return warped(x, turned(either_way(angle, given)))


def scale(x, factor, given):
    return warped(x, np.eye(2) / factor)


def sheared_scaled(x, _, given):
    angle = given.between(0.2, 0.6, 1)[0]
    angle = either_way(angle, given)
    return warped(x, sheared(angle) / given.between(0.6, 0.9, 1)[0])


def shade_inverted(x, _, given):
    angle = given.between(0, 0.2, 1)[0]
    return 1 - warped(x, sheared(either_way(angle, given)))


ANGLES = [0.2, 0.4, 0.6, 0.8, 1]
CORRUPTIONS = [
    (gaussian_noise, [0.04, 0.06, 0.08, 0.09, 0.1]),
    (shot_noise, [500, 250, 100, 75, 50]),
    (impulse_noise, [0.01, 0.02, 0.03, 0.05, 0.07]),
    (defocus_blur, [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)]),
    (motion_blur, [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)]),
    (zoom_blur, [5, 10, 15, 20, 25]),
    (fog, [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)]),
    (brightness, [0.05, 0.1, 0.15, 0.2, 0.3]),
    (contrast, [0.75, 0.5, 0.4, 0.3, 0.15]),
    (elastic_transform, [(0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)]),
    (pixelate, [0.95, 0.9, 0.85, 0.75, 0.65]),
    (jpeg_compression, [80, 65, 58, 50, 40]),
    (shear, ANGLES),
    (scale, [0.9, 0.8, 0.7, 0.6, 0.5]),
    (rotate, ANGLES),
]


def pictures():
    """A grey one of 28 x 28 pixels that is dark at its edges, and a colourful one that is not square; both smooth in parts and sharp in others."""
    rows, columns = np.mgrid[:28, :28]
    grey = 200 * np.exp(-((rows - 13) ** 2 / 90 + (columns - 12) ** 2 / 50)) * (1 + 0.25 * ((rows // 3 + columns // 4) % 2))
    rows, columns = np.mgrid[:19, :24]
    colours = np.stack([128 + 120 * np.sin(rows / 3), 128 + 120 * np.cos(columns / 4), 255 * ((rows + columns) % 7 < 3)], axis=2)
    colours[4:9, 5:8] = [250, 240, 20]
    return {"grey": np.clip(np.rint(grey), 0, 255)[..., None] / 255, "colour": np.clip(np.rint(colours), 0, 255) / 255}


def compressed(x, quality):
    """By libjpeg, with whole colours."""
    with io.BytesIO() as file:
        to_image(x).save(file, "JPEG", quality=quality, subsampling=0)
        return from_image(Image.open(file))


def main():
    values, cases, files = {"uniforms": UNIFORMS, "normals": NORMALS}, [], []

    def keep(key, result):
        values[key] = np.clip(half_up(result * 255), 0, 255).astype(np.uint8)

    for source, x in pictures().items():
        keep(f"source/{source}", x)
        for change, severities in CORRUPTIONS:
            for severity in range(1, 6) if source == "grey" else (2, 5):
                given = Given()
                key = f"{source}/{change.__name__}/{severity}"
                keep(key, change(x, severities[severity - 1], given))
                cases.append(dict(key=key, source=source, corruption=change.__name__, severity=severity, uniforms=given.uniforms, normals=given.normals))
                if change is jpeg_compression:
                    keep(f"file/{key}", compressed(x, severities[severity - 1]))
                    files.append(dict(key=key, source=source, severity=severity))
    shifts = []
    for change in (sheared_scaled, shade_inverted):
        given = Given()
        key = f"grey/{change.__name__}"
        keep(key, change(pictures()["grey"], None, given))
        shifts.append(dict(key=key, shift=change.__name__.replace("_", "-"), uniforms=given.uniforms))
    versions = dict(numpy=np.__version__, scipy=scipy.__version__, pillow=PIL.__version__)
    save_file({name: np.ascontiguousarray(value) for name, value in values.items()}, HERE / "values.safetensors")
    (HERE / "values.json").write_text(json.dumps(dict(made_with=versions, corruptions=cases, shifts=shifts, jpeg_files=files), indent=1) + "\n")


main()
