"""Reading safetensors: a JSON header, then the bytes of the tensors."""

import json

import torch

TYPES = {"F32": torch.float32, "I32": torch.int32, "U8": torch.uint8}


def read(path):
    """Tensors by name."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    return {name: tensor(content, start, entry) for name, entry in header.items()}


def tensor(content, start, entry):
    begin, end = entry["data_offsets"]
    flat = torch.frombuffer(content, dtype=torch.uint8, count=end - begin, offset=start + begin)
    return flat.clone().view(TYPES[entry["dtype"]]).view(entry["shape"])  # a clone is aligned


def load(module, tensors, missing=()):
    """Loads by name, and fails where a parameter of the module is neither there nor in `missing`."""
    problems = module.load_state_dict({k: v for k, v in tensors.items() if k in module.state_dict()}, strict=False)
    absent = [name for name in problems.missing_keys if not name.startswith(tuple(missing))]
    if absent:
        raise KeyError(f"Expected the weights of {', '.join(absent)}, got none.")
