"""A small convolutional network on Fashion-MNIST, in PyTorch. `ablate` tells it by variables what to train and where to write."""
import json, math, os, signal, sys
from pathlib import Path

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit('Expected PyTorch, got none: python3 -m pip install torch')

recipe = json.loads(Path(os.environ['ABLATE_RECIPE']).read_text())
seed = int(os.environ['ABLATE_SEED'])
device = 'cuda' if os.environ['ABLATE_DEVICE'] == 'gpu' else 'cpu'  # the one GPU that it sees is its own
torch.set_num_threads(int(os.environ['ABLATE_THREADS']))


def read(name, header):
    path = Path(os.environ['ABLATE_DATA'], 'fashion-mnist', name)
    if not path.exists():
        sys.exit(f'Expected Fashion-MNIST, got no {path}: ablate setup --data')
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)[header:]


def split(name, count):
    images, labels = read(f'{name}-images-idx3-ubyte', 16), read(f'{name}-labels-idx1-ubyte', 8)
    return images.view(-1, 1, 28, 28)[:count].float().to(device) / 255 - 0.5, labels[:count].long().to(device)


images, labels = split('train', recipe['images'])
torch.manual_seed(seed)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 10)
).to(device)
optimizer = torch.optim.SGD(model.parameters(), recipe['learning_rate'], momentum=recipe['momentum'])
done = 0
if 'ABLATE_RESUME' in os.environ:
    saved = torch.load(os.environ['ABLATE_RESUME'], map_location=device)
    model.load_state_dict(saved['model'])
    optimizer.load_state_dict(saved['optimizer'])
    done = saved['done']


def save():  # whole under its own name at once: a kill in the middle loses none before it
    folder = Path(os.environ['ABLATE_CHECKPOINTS'])
    torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict(), 'done': done}, folder / 'part')
    os.replace(folder / 'part', folder / f'{done}.pt')


stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
size = recipe['batch_size']
per_epoch = len(labels) // size
steps = recipe['epochs'] * per_epoch
with open(os.environ['ABLATE_METRICS'], 'a', buffering=1) as metrics:  # line by line
    while done < steps:
        epoch, i = divmod(done, per_epoch)  # everything random is a function of seed and step: a break changes no number
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1000 * seed + epoch))
        batch = order[i * size : (i + 1) * size].to(device)
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        done += 1
        if done % 10 == 0 or done == steps or stop:
            print(json.dumps({'step': done, 'steps': steps, 'epoch': done / per_epoch, 'loss': loss.item()}), file=metrics)
        if done % 100 == 0 or stop:
            save()
        if stop:
            sys.exit()

with torch.no_grad():
    tests, answers = split('t10k', recipe['test_images'])
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(tests.split(500), answers.split(500)))
accuracy = right / len(answers)
torch.save(model.state_dict(), Path(os.environ['ABLATE_OUTPUT'], 'model.pt'))
Path(os.environ['ABLATE_RESULT']).write_text(json.dumps({'accuracy': accuracy, 'accuracy_se': math.sqrt(accuracy * (1 - accuracy) / len(answers))}))
