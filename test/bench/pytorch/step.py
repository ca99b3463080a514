"""PyTorch's side of the race of single steps."""

import time

import torch

import objectives
import weights
from peer import peak_memory, serve
from vit import Block


class Race:
    """One step of a case, run over and over on a few batches in turn."""

    def __init__(self, case, weights_file, teacher_file, inputs_file, precision, compiled, threads, device):
        torch.set_num_threads(threads)
        self.device = torch.device(device)
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bfloat16")
        self.case = case
        self.done = 0
        self.objective, self.optimizer = build(case, weights.read(weights_file), self.device)
        self.teacher = teacher(case, weights.read(teacher_file), precision).to(self.device) if teacher_file else None
        objectives.set_rate(self.optimizer, case["lr"])
        self.mean, self.std = (torch.tensor(case[key], device=self.device).view(-1, 1, 1) for key in ("mean", "std"))
        self.batches = batches(weights.read(inputs_file), self.device)
        if compiled:
            compile_blocks(self.objective, self.teacher)

    def step(self):
        batch = self.batches[self.done % len(self.batches)]
        self.done += 1
        images = objectives.normalise(batch["images"], self.mean, self.std)
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast:
            others = [batch[name] for name in self.case["inputs"]] if self.teacher is None else self.teacher(images)
            loss = self.objective(images, *others)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def compile_blocks(*modules):
    """Block by block: equal blocks are compiled once, where a whole ViT takes minutes."""
    for module in modules:
        for block in module.modules() if module is not None else ():
            if isinstance(block, Block):
                block.compile()


def build(case, tensors, device):
    recipe = case["optimizer"]
    if case["kind"] == "pretrain":
        objective = objectives.Pretraining(case["model"], case["decoder"])
        weights.load(objective.mae, tensors)
        return objective.to(device), objectives.pretrain_optimizer(objective, recipe)
    if case["kind"] == "distill":
        objective = objectives.Distillation(case["model"], case["target"], case["teacher"])
        weights.load(objective.student, tensors)
        weights.load(objective, tensors, missing=["student."])
        return objective.to(device), objectives.pretrain_optimizer(objective, recipe)
    objective = objectives.Classification(case["model"], case["classes"])
    weights.load(objective.classifier, tensors)
    return objective.to(device), objectives.finetune_optimizer(objective, recipe, case["model"]["depth"], case["layer_decay"])


def teacher(case, tensors, precision):
    module = objectives.Teacher(case["teacher"], case["teacher_block"], case["target"])
    weights.load(module.encoder, tensors)
    if precision == "bfloat16":  # autocast would cast frozen weights anew at every step
        for layer in module.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.bfloat16()
    return module


def batches(inputs, device):
    """Each input is stacked over the batches; indices are int64 in PyTorch."""
    columns = {name: (x.long() if x.dtype == torch.int32 else x).to(device).unbind() for name, x in inputs.items()}
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


race = None


def start(**options):
    global race
    if options["device"] == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("Expected a GPU that PyTorch can use, got none.")
    race = Race(**options)
    name = torch.cuda.get_device_name() if options["device"] == "cuda" else "cpu"
    return {"versions": {"pytorch": torch.__version__}, "device": name}


def steps(count):
    began = time.perf_counter()
    losses = [race.step() for _ in range(count)]
    return {"seconds": time.perf_counter() - began, "losses": losses, "peak_bytes": peak_memory()}


if __name__ == "__main__":
    serve({"start": start, "steps": steps})
