# Every target sets up what it needs first; what is done already is not repeated. `make help` lists them.
#   ARGS      more arguments for the command: make sweep ARGS="--only relation/qk-vv --seeds 0,1,2"
#   FIXTURES  folder of golden values: FIXTURES=/elsewhere make parity
#   BASE      what reports are compared with: make report-comment BASE=main

ABLATE := node src/cli/ablate.mjs
TYPESCRIPT := node --import ./src/start/allow-typescript.mjs
VITEST := node node_modules/vitest/vitest.mjs run
ARGS ?=
BASE ?= origin/main
export BASE REPORT_URL

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help sweep teacher test test-long plan status report report-check report-comment report-post picture explain diff bench bench-gpu gpu-check bench-engines bench-ledger bench-loader bench-report bench-traffic chaos fuzz tries simulate true-size node-versions surroundings pack slurm-cluster chaos-slurm smoke-slurm bench-slurm setup doctor parity lint format typecheck packages engine

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

sweep: engine ## set up, fetch the data, train every arm, write the report
	@$(ABLATE) setup --data --quiet
	@$(ABLATE) sweep $(ARGS)

# The MAE ViT-L that profiles name as `teachers.L`: null trains it.
LARGE := teachers/mae-l --set teachers.L=null
teacher: engine ## train the teacher of experiments/teachers anew, and hold its key and accuracy against its card; writes both into retrained/
	@$(ABLATE) setup --data --quiet
	@$(ABLATE) sweep --no-report --only $(LARGE) $(ARGS)
	@mkdir -p retrained && rm -f retrained/mae-l.safetensors retrained/mae-l.json
	@$(ABLATE) export teachers/mae-l --role teacher --to teacher --only $(LARGE) --out retrained/mae-l.safetensors --card $(addprefix --against ,$(wildcard experiments/teachers/mae-l.json)) $(ARGS)

# The quick tests need the npm packages and nothing else.
QUICK := $(filter quick,$(firstword $(ARGS)))

test: $(if $(QUICK),packages,engine) ## set up, fetch the data, run the tests but for the long ones; make test ARGS=quick: those that need no engine, within 90 s
	$(if $(QUICK),,@$(ABLATE) setup --data --quiet)
	@$(TYPESCRIPT) test/run.ts $(ARGS)

test-long: engine ## the tests that make test leaves out: kills by the hundred, every factor trained, the installed package, every report under axe
	@$(ABLATE) setup --data --quiet
	@$(TYPESCRIPT) test/run.ts long $(ARGS)

plan: packages ## what a sweep would do: stages done, shared, to run, and their cost
	@$(ABLATE) plan $(ARGS)

status: packages ## what is done, running, failed
	@$(ABLATE) status $(ARGS)

report: packages ## write the report from the results so far
	@$(ABLATE) report $(ARGS)

report-check: packages ## rebuild every committed report from its records; fails where a file differs
	@$(ABLATE) report --check --all $(ARGS)

report-comment: packages ## what changed in the reports since BASE: review/comment.md and review/<profile>/index.html
	@$(ABLATE) report --baseline "$$BASE" --all --comment review/comment.md --out review $${REPORT_URL:+--url "$$REPORT_URL"} $(ARGS)

report-post: ## post review/comment.md on a pull request: make report-post PULL_REQUEST=7, with the variables that .github/scripts/post-comment.mjs names
	@COMMENT="$${COMMENT:-review/comment.md}" node .github/scripts/post-comment.mjs

picture: packages ## the first screen of a committed report, light and dark, which leads README.md; needs Chromium: make picture ARGS=reports/mini
	@$(TYPESCRIPT) test/picture.ts $(ARGS)

explain: packages ## why the stages of an arm are done, reused, missing or stale: make explain ARGS=relation/qk-vv
	@$(ABLATE) explain $(ARGS)

diff: packages ## two arms side by side: make diff ARGS="relation/mae relation/qk-vv"
	@$(ABLATE) diff $(ARGS)

bench: engine ## speed of planning, overhead of a step, and the race against PyTorch: make bench ARGS="--only step --rounds 3"
	@$(ABLATE) setup --data --quiet
	@status=0; $(TYPESCRIPT) test/bench/plan.ts || status=$$?; $(TYPESCRIPT) test/bench/overhead.ts || status=$$?; $(TYPESCRIPT) test/bench/race.ts $(ARGS) || status=$$?; exit $$status

bench-gpu: engine ## the race of steps on a GPU; refuses where either side would compute on the CPU
	@$(TYPESCRIPT) test/bench/race.ts --device gpu $(ARGS)

gpu-check: engine ## on a machine with an NVIDIA GPU: placement, golden values, traffic, resuming, speed; writes gpu-check.json to send in (10 minutes)
	@$(TYPESCRIPT) test/gpu/check.ts $(ARGS)

bench-engines: engine ## what a step costs on each engine: make bench-engines ARGS="--only distill-desk --rounds 5"
	@$(TYPESCRIPT) test/bench/engines.ts $(ARGS)

bench-report: packages ## time to build a report of thousands of stages, and to open its page
	@$(TYPESCRIPT) test/bench/report.ts

bench-traffic: engine ## what crosses between JavaScript and TensorFlow in a step, at the sizes of mini, desk and imagenet1k: make bench-traffic ARGS="--profile mini --only pack"
	@$(TYPESCRIPT) test/bench/traffic.ts $(ARGS)

bench-loader: engine ## images a second from JPEG files to batches, beside torchvision's DataLoader: make bench-loader ARGS="--photos FOLDER --rounds 5"
	@$(TYPESCRIPT) test/bench/loader.ts $(ARGS)

bench-ledger: engine ## what each second of all cores goes to in the sweep of mini and in that of the race; writes reports/bench/ledger.md (20 minutes)
	@$(ABLATE) setup --data --quiet
	@$(TYPESCRIPT) test/bench/ledger.ts $(ARGS)

chaos: engine ## disturb toy sweeps for some minutes (kills, full disk, damage) and count what was lost: make chaos ARGS="--seed 7 --minutes 3"
	@$(TYPESCRIPT) test/chaos/main.ts $(ARGS)

fuzz: packages ## damaged files of every format to their readers, and count what crashed, hung or was silent: make fuzz ARGS="--seed 1 --inputs 100000"
	@$(TYPESCRIPT) test/fuzz/main.ts $(ARGS)

tries: packages ## what the sweeps of a store came to, each as a try, as experiments/profiles/STUDY.md has it: make tries ARGS=runs
	@$(TYPESCRIPT) test/regime/tries.ts $(ARGS)

simulate: packages ## how often verdicts are false, in worlds whose truth is known; writes reports/bench/verdicts.md: make simulate ARGS="--repetitions 10000 --seed 1"
	@$(TYPESCRIPT) test/simulation/main.ts $(ARGS)

true-size: engine ## every kind of stage at the sizes of the paper and 224 pixels, two steps of two images, from a generated folder to a report (11 GB of memory)
	@$(TYPESCRIPT) test/true-size/main.ts

node-versions: packages ## set-up, a smoke sweep and the tests on each Node, in clones and installed: make node-versions ARGS="--node 22,24 --engine native,wasm --as clone,package"
	@$(TYPESCRIPT) test/nodes/main.ts $(ARGS)

surroundings: packages ## whole set-ups and sweeps where something is missing or broken: make surroundings ARGS="--only path,user"
	@$(TYPESCRIPT) test/surroundings/main.ts $(ARGS)

slurm-cluster: packages ## a Slurm cluster on this machine alone, with pretended GPUs, to try things on until Ctrl-C; as root, with Slurm installed: make slurm-cluster ARGS="--nodes 3"
	@$(TYPESCRIPT) test/slurm/main.ts $(ARGS)

chaos-slurm: packages ## disturb sweeps on a private Slurm cluster 200 times (crashes, requeues, kills) and count what was lost: make chaos-slurm ARGS="--seed 7"
	@$(TYPESCRIPT) test/slurm/chaos.ts $(ARGS)

smoke-slurm: engine ## the profile smoke on the native engine through a private Slurm cluster; its report must have the bytes of a local one
	@$(ABLATE) setup --data --quiet
	@$(TYPESCRIPT) test/slurm/smoke.ts

bench-slurm: packages ## what a runner of 10,000 stages costs beside 5,000 jobs of others, with a stand-in squeue; fails above 5 % of a core
	@$(TYPESCRIPT) test/bench/slurm.ts $(ARGS)

pack: packages ## the npm package, to install elsewhere: tinymim-ablations-<version>.tgz
	@npm pack --ignore-scripts=false $(ARGS)

setup: packages ## install packages, engine and data
	@$(ABLATE) setup $(ARGS)

doctor: packages ## what is there, what is missing, and the command that mends it
	@$(ABLATE) doctor $(ARGS)

parity: engine ## check models, losses and optimizer against golden values (FIXTURES=<folder>)
	@$(VITEST) --project parity --project parity-graph --project parity-wasm $(ARGS)

lint: packages ## eslint without warnings, who may import whom, nothing without a caller, the format
	@npm run --silent lint

format: packages ## write the format that make lint asks for
	@npm run --silent format

typecheck: packages ## TypeScript, strict
	@npm run --silent typecheck

packages:
	@node src/setup/packages.mjs

engine: packages
	@$(ABLATE) setup --engine --quiet
