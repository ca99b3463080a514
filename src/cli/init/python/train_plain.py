"""The same in Python alone, without any package: a softmax regression on Fashion-MNIST. `ablate` tells it by variables what to train and where to write."""
import json, math, os, random, signal, sys
from pathlib import Path

recipe = json.loads(Path(os.environ['ABLATE_RECIPE']).read_text())
seed = int(os.environ['ABLATE_SEED'])
WIDTH = 14  # of an image, each pixel the mean of four


def read(name, header, count):
    path = Path(os.environ['ABLATE_DATA'], 'fashion-mnist', name)
    if not path.exists():
        sys.exit(f'Expected Fashion-MNIST, got no {path}: ablate setup --data')
    with open(path, 'rb') as file:
        file.seek(header)
        return file.read(count)


def split(name, count):
    raw, labels = read(f'{name}-images-idx3-ubyte', 16, 784 * count), list(read(f'{name}-labels-idx1-ubyte', 8, count))
    corners = [56 * y + 2 * x for y in range(WIDTH) for x in range(WIDTH)]
    images = [[(raw[p] + raw[p + 1] + raw[p + 28] + raw[p + 29]) / 1020 - 0.3 for p in (784 * n + c for c in corners)] + [1.0] for n in range(count)]
    return images, labels


def scores(image):
    return [sum(map(float.__mul__, row, image)) for row in weights]


images, labels = split('train', recipe['images'])
start = random.Random(seed)
weights = [[start.gauss(0, 0.01) for _ in images[0]] for _ in range(10)]
speed = [[0.0] * len(row) for row in weights]
done = 0
if 'ABLATE_RESUME' in os.environ:
    weights, speed, done = json.loads(Path(os.environ['ABLATE_RESUME']).read_text())


def save():  # whole under its own name at once: a kill in the middle loses none before it
    folder = Path(os.environ['ABLATE_CHECKPOINTS'])
    (folder / 'part').write_text(json.dumps([weights, speed, done]))
    os.replace(folder / 'part', folder / f'{done}.json')


def learn(batch):  # one step of SGD with momentum; gives the mean loss
    gradient, loss = [[0.0] * len(row) for row in weights], 0.0
    for n in batch:
        found = scores(images[n])
        top = max(found)
        total = sum(math.exp(s - top) for s in found)
        loss -= found[labels[n]] - top - math.log(total)
        for k, row in enumerate(gradient):
            error = (math.exp(found[k] - top) / total - (k == labels[n])) / len(batch)
            gradient[k] = [g + error * x for g, x in zip(row, images[n])]
    for k in range(10):
        speed[k] = [recipe['momentum'] * v + g for v, g in zip(speed[k], gradient[k])]
        weights[k] = [w - recipe['learning_rate'] * v for w, v in zip(weights[k], speed[k])]
    return loss / len(batch)


stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
size = recipe['batch_size']
per_epoch = len(labels) // size
steps = recipe['epochs'] * per_epoch
with open(os.environ['ABLATE_METRICS'], 'a', buffering=1) as metrics:  # line by line
    while done < steps:
        epoch, i = divmod(done, per_epoch)  # everything random is a function of seed and step: a break changes no number
        order = random.Random(1000 * seed + epoch).sample(range(len(labels)), len(labels))
        loss = learn(order[i * size : (i + 1) * size])
        done += 1
        print(json.dumps({'step': done, 'steps': steps, 'epoch': done / per_epoch, 'loss': loss}), file=metrics)
        if done % per_epoch == 0 or stop:
            save()
        if stop:
            sys.exit()

tests, answers = split('t10k', recipe['test_images'])
right = sum(max(range(10), key=scores(image).__getitem__) == label for image, label in zip(tests, answers))
accuracy = right / len(answers)
Path(os.environ['ABLATE_OUTPUT'], 'weights.json').write_text(json.dumps(weights))
Path(os.environ['ABLATE_RESULT']).write_text(json.dumps({'accuracy': accuracy, 'accuracy_se': math.sqrt(accuracy * (1 - accuracy) / len(answers))}))
