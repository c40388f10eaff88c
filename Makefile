# 小帮. `make run` sets everything up and runs it; `make test` passes the tests.
.PHONY: run train test lint eval eval-voice bench lock clean

BIN := .venv/bin
READY := .venv/.ready
PATIENT := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet

run: $(READY)
	@$(BIN)/xiaobang run

# Takes in what the staff corrected and a second person accepted; some ten minutes.
train: $(READY)
	@$(BIN)/xiaobang train

test: lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy actions bot voice
	$(BIN)/lint-imports

eval: $(READY)
	$(BIN)/python -m tests.bench.understanding

# Simulated elders speak for up to 25 minutes; build/eval-voice.html shows every talk.
eval-voice: $(READY)
	$(BIN)/python -m tests.bench.voices

bench: $(READY)
	$(BIN)/python -m tests.bench

# Pins requirements.in with hashes; needs uv.
lock:
	uv pip compile requirements.in --override requirements.overrides --python-version 3.10 \
	  --python-platform linux --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  -o requirements.lock

# The lock is whole, so nothing is resolved again (--no-deps), and Rasa's unused parts stay out.
$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || sh .ci/python310 .venv
	@echo "Installing what 小帮 needs: about 0.9 GB to download the first time…"
	@$(PATIENT) install --progress-bar on --no-deps --require-hashes -r requirements.lock
	@$(PATIENT) install --no-deps --no-build-isolation --editable .
	@touch $(READY)

clean:
	rm -rf .venv build
