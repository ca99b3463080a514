"""PyTorch's side of the race of a sweep: a process that trains one model after the other."""

import math
import time

import torch
from torch.nn import functional as F

import images as augmentation
import objectives
import weights
from peer import peak_memory, serve

data = None


def start(data_file, threads):
    """Loads the images, [N, C, H, W], and what normalises them."""
    global data
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    data = weights.read(data_file)
    for name in ("unlabelled", "labelled", "held_out", "test"):
        data[name] = data[name].permute(0, 3, 1, 2).contiguous()
    data["mean"], data["std"] = (255 * data[name].view(-1, 1, 1) for name in ("mean", "std"))
    return {"versions": {"pytorch": torch.__version__}}


def normalise(images):
    return images.float().sub(data["mean"]).div_(data["std"])


def train(module, optimizer, recipe, images, step):
    """Returns the mean loss over the steps. `step` gives the loss of the augmented images [B, C, H, W] with some indices."""
    schedule, augment = recipe["schedule"], recipe["augment"]
    size = schedule["batch_size"]
    per_epoch = len(images) // size
    total, losses = round(per_epoch * schedule["epochs"]), []
    module.train()
    for done in range(total):
        if done % per_epoch == 0:
            order = torch.randperm(len(images))
        indices = order[done % per_epoch * size :][:size]
        batch = augmentation.random_resized_crop(images[indices].float(), **augment["crop"], flip=augment["flip"])
        objectives.set_rate(optimizer, learning_rate(schedule, done / per_epoch))
        optimizer.zero_grad(set_to_none=True)
        loss = step(batch, indices)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    module.eval()
    return sum(losses) / len(losses)


def learning_rate(schedule, epoch):
    """Linear warm-up, then half a cosine (util/lr_sched.py of MAE)."""
    peak = schedule["base_lr"] * schedule["batch_size"] / 256
    warmup, end, least = schedule["warmup_epochs"], schedule["epochs"], schedule["min_lr"]
    if epoch < warmup:
        return peak * epoch / warmup
    return least + (peak - least) * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (end - warmup)))


def random_masks(batch, patches, ratio):
    """As MAE: the patches with the smallest noise stay."""
    order = torch.rand(batch, patches).argsort(dim=1)
    restore, kept = order.argsort(dim=1), int(patches * (1 - ratio))
    return order[:, :kept], restore, (restore >= kept).float()


@torch.inference_mode()
def held_out(size, loss):
    """Mean of a loss over the held-out images."""
    return sum(loss(normalise(batch)).item() for batch in data["held_out"].split(size)) / math.ceil(len(data["held_out"]) / size)


def pretrain(recipe, weights_file, output, threads):
    torch.set_num_threads(threads)
    began = time.perf_counter()
    module = objectives.Pretraining(recipe["model"], recipe["decoder"])
    weights.load(module.mae, weights.read(weights_file))
    optimizer = objectives.pretrain_optimizer(module, recipe["optimizer"])
    patches = module.mae.pos_embed.shape[1] - 1

    def loss(images):
        return module(images, *random_masks(len(images), patches, recipe["mask_ratio"]))

    mean = train(module, optimizer, recipe, data["unlabelled"], lambda batch, _: loss(normalise(batch)))
    held = held_out(recipe["schedule"]["batch_size"], loss)
    torch.save(module.mae.state_dict(), output)
    return {"loss": mean, "held_out": held, "seconds": time.perf_counter() - began, "peak_bytes": peak_memory()}


def arm(distill, finetune, teacher, teacher_file, student_file, classifier_file, threads):
    """Distillation, fine-tuning and the test of one arm."""
    torch.set_num_threads(threads)
    began = time.perf_counter()
    student, losses = run_distill(distill, teacher, teacher_file, student_file)
    accuracy = run_finetune(finetune, student, classifier_file)
    return {**losses, "accuracy": accuracy, "seconds": time.perf_counter() - began, "peak_bytes": peak_memory()}


def run_distill(recipe, teacher, teacher_file, student_file):
    taught = objectives.Teacher(teacher, recipe["teacher_block"], recipe["target"])
    weights.load(taught.encoder, torch.load(teacher_file))
    module = objectives.Distillation(recipe["model"], recipe["target"], teacher, recipe["drop_path"])
    tensors = weights.read(student_file)
    weights.load(module.student, tensors)
    weights.load(module, tensors, missing=["student."])
    optimizer = objectives.pretrain_optimizer(module, recipe["optimizer"])
    factors = {name: recipe["student_jitter"][name] for name in ("brightness", "contrast")}

    def step(batch, _):
        return module(normalise(augmentation.jitter(batch, **factors)), *taught(normalise(batch)))

    def loss(images):
        return module(images, *taught(images))

    size = recipe["schedule"]["batch_size"]
    module.eval()
    untrained = held_out(size, loss)
    mean = train(module, optimizer, recipe, data["unlabelled"], step)
    return module.student.state_dict(), {"loss": mean, "held_out": held_out(size, loss), "untrained": untrained}


def run_finetune(recipe, student, classifier_file):
    model = recipe["model"]
    module = objectives.Classification(model, int(data["test_labels"].max()) + 1, recipe["drop_path"])
    initial = weights.read(classifier_file)
    weights.load(module.classifier, {**initial, **{k: v for k, v in student.items() if k in initial}})
    optimizer = objectives.finetune_optimizer(module, recipe["optimizer"], model["depth"], recipe["layer_decay"])
    labels, smoothing = data["labelled_labels"].long(), recipe["label_smoothing"]

    def step(batch, indices):
        return F.cross_entropy(module.classifier(normalise(batch)), labels[indices], label_smoothing=smoothing)

    train(module, optimizer, recipe, data["labelled"], step)
    accuracy(module, "held_out")  # the curve's point after the last epoch
    return accuracy(module, "test")


@torch.inference_mode()
def accuracy(module, split):
    batches = zip(data[split].split(500), data[f"{split}_labels"].split(500))
    correct = sum((module.classifier(normalise(x)).argmax(1) == y).sum().item() for x, y in batches)
    return correct / len(data[split])


if __name__ == "__main__":
    serve({"start": start, "pretrain": pretrain, "arm": arm})
