# All that `make sweep` and `make test` need, on an NVIDIA GPU, for a user without root. From the root of the repository:
#
#   docker build -t tinymim-ablations:cuda -f .container/cuda.Dockerfile .
#   docker run --rm -it --gpus all -v tinymim-runs:/home/node/tinymim-ablations/runs tinymim-ablations:cuda    # make sweep
#   docker run --rm -it --gpus all tinymim-ablations:cuda make test
#
# The host brings the driver and the NVIDIA Container Toolkit. CUDA, cuDNN and NCCL are packages that set-up takes for TensorFlow, in exact
# versions; a base image with CUDA of its own would only be in their way.
# Layers from the one that changes least to the one that changes most: system, npm packages, engine, sources.
FROM node:22-bookworm-slim

# Set-up: g++, make, pip. Data: Debian's package of it. Provenance of results: git. Tests of the report: Chromium and a font.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      chromium dataset-fashion-mnist fonts-dejavu-core g++ git make python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
ENV FASHION_MNIST_DIR=/usr/share/datasets/fashion-mnist

# What the toolkit gives to the container: all GPUs, the driver's CUDA and nvidia-smi. And set-up provides for a GPU, though none is
# there while the image is built; a sweep without one is then an error.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility TINYMIM_DEVICE=gpu

USER node
RUN mkdir -p /home/node/tinymim-ablations/runs
WORKDIR /home/node/tinymim-ablations

COPY --chown=node:node package.json package-lock.json .npmrc ./
RUN npm ci && npm cache clean --force

COPY --chown=node:node src/core/ablation/errors.ts src/core/ablation/
COPY --chown=node:node src/installation.ts src/
COPY --chown=node:node src/start src/start
COPY --chown=node:node src/setup src/setup
COPY --chown=node:node src/engine src/engine
COPY --chown=node:node .container/provision.ts .container/
RUN node --import ./src/start/allow-typescript.mjs .container/provision.ts

COPY --chown=node:node . .

CMD ["make", "sweep"]
