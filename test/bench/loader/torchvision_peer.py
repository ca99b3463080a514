"""The other side of the race of loaders: torchvision's ImageFolder with the official transforms, in a DataLoader of PyTorch."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pytorch"))

import PIL
import torch
from PIL import Image

try:
    import torchvision
except RuntimeError:
    # Its compiled part is for another build of PyTorch. What transforms pictures of PIL does without, but two operations have to be named.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    operations = torch.library.Library("torchvision", "FRAGMENT")
    operations.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operations.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

from torch.utils.data import DataLoader, RandomSampler
from torchvision import transforms
from torchvision.datasets import ImageFolder

from peer import serve

torch.set_num_threads(1)  # of the main process; workers of a DataLoader have one each

STATISTICS = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
TO_MODEL = [transforms.ToTensor(), transforms.Normalize(**STATISTICS)]
CROP = transforms.RandomResizedCrop(224, scale=(0.2, 1.0), interpolation=transforms.InterpolationMode.BICUBIC)
FLIP = transforms.RandomHorizontalFlip()

# main_pretrain.py and main_finetune.py of facebookresearch/mae, and those of OliverRensu/TinyMIM.
TRAINING = transforms.Compose([CROP, FLIP, *TO_MODEL])
EVALUATION = transforms.Compose([transforms.Resize(256, interpolation=transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(224), *TO_MODEL])


class Distillation:
    """The image for the teacher and, with its colours changed, for the student."""

    jitter = transforms.ColorJitter(0.4, 0.4, 0.4)
    crop, to_model = transforms.Compose([CROP, FLIP]), transforms.Compose(TO_MODEL)

    def __call__(self, image):
        image = self.crop(image)
        return self.to_model(image), self.to_model(self.jitter(image))


TASKS = {"training": ("train", TRAINING), "distillation": ("train", Distillation()), "evaluation": ("val", EVALUATION)}


class Side:
    def open(self, folder, workers, batch):
        self.folder, self.workers, self.batch = folder, workers, batch
        return {"versions": {"PyTorch": torch.__version__, "torchvision": torchvision.__version__, "Pillow": PIL.__version__}}

    def load(self, task, warm, batches):
        """Seconds that `batches` take to come after the first `warm` of them."""
        split, transform = TASKS[task]
        images = ImageFolder(f"{self.folder}/{split}", transform)
        sampler = RandomSampler(images, num_samples=self.batch * (warm + batches))
        loader = iter(DataLoader(images, self.batch, sampler=sampler, num_workers=self.workers, drop_last=True))
        for _ in range(warm):
            next(loader)
        started = time.perf_counter()
        for _ in range(batches):
            next(loader)
        return {"seconds": time.perf_counter() - started}

    def decode(self, images):
        """Seconds for reading and decoding so many, without a worker."""
        paths = [path for path, _ in ImageFolder(f"{self.folder}/train").samples]
        started = time.perf_counter()
        for i in range(images):
            with open(paths[i % len(paths)], "rb") as file:
                Image.open(file).convert("RGB")
        return {"seconds": time.perf_counter() - started}


side = Side()
serve({"open": side.open, "load": side.load, "decode": side.decode})
