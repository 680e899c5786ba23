# Targets for users and developers. `make demo` and `make test` are complete on a fresh Debian 12 machine.

PREFIX ?= /usr/local
PLUGIN_DIR ?= $(PREFIX)/lib/gstreamer-1.0
PLUGINS = facedetect emotionclassify moodplayer
MOOD_TEST_DATA ?= $(abspath ../shared/data)
export MOOD_TEST_DATA

.PHONY: help setup build demo test test-checked test-faults soak bench fuzz lint install clean

help:
	@echo 'make demo     install what is missing, build, run the built-in demo and leave its results in target/demo'
	@echo 'make test     install what is missing, build, and run all the tests'
	@echo 'make test-checked  the same tests with overflow checks and debug assertions'
	@echo 'make test-faults  failing cameras, loudspeakers, disks, clocks and processes, at length; FACTOR=40'
	@echo 'make soak     hours of media at full speed: memory, files and threads stay flat; HOURS=12'
	@echo 'make setup    only install what is missing'
	@echo 'make build    plugins and command line into target/release'
	@echo 'make bench    benchmarks against other programs, into benches/RESULTS.md; PARTS=haar for a part'
	@echo 'make fuzz     random files of every kind that is read, MINUTES=1 for each'
	@echo 'make lint     formatting, clippy, documentation, module cycles'
	@echo 'make install  plugins, ONNX Runtime, the large model and gst-mood into PREFIX ($(PREFIX))'

setup:
	@scripts/setup.sh

build: setup
	cargo build --release --workspace

demo: build
	target/release/gst-mood demo --output target/demo

# The end-to-end tests run the release build of the plugins in other processes, so it is built first. The tests are built with
# the same profile: another would build every dependency once more, which takes longer than all tests.
test: build
	cargo test --release --workspace --no-fail-fast

# The same tests with overflow checks and debug assertions, before a release.
test-checked: build
	cargo test --workspace --no-fail-fast

# The short form is a part of `make test`; here what is repeated is repeated FACTOR times: 40 gives 1,000 state cycles.
FACTOR ?= 40
test-faults: build
	MOOD_FAULTS=$(FACTOR) cargo test --release --workspace --test faults --test properties -- --nocapture

HOURS ?= 12
soak: build
	MOOD_SOAK_HOURS=$(HOURS) cargo test --release --workspace --test faults hours_of -- --nocapture

bench: setup
	scripts/bench.sh $(PARTS)

MINUTES ?= 1
fuzz:
	scripts/fuzz.sh $(MINUTES)

lint: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo check --manifest-path fuzz/Cargo.toml --bins
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	scripts/module_cycles.py

install: build
	install -d $(addprefix $(DESTDIR),$(PLUGIN_DIR) $(PREFIX)/lib/onnxruntime $(PREFIX)/share/gst-mood $(PREFIX)/bin)
	install -m 644 $(PLUGINS:%=target/release/libgst%.so) $(DESTDIR)$(PLUGIN_DIR)
	cp -P target/onnxruntime/* $(DESTDIR)$(PREFIX)/lib/onnxruntime
	install -m 644 models/mini_xception_large.onnx $(DESTDIR)$(PREFIX)/share/gst-mood
	install -m 755 target/release/gst-mood $(DESTDIR)$(PREFIX)/bin

clean:
	cargo clean
