# Targets for users and developers. `make demo` and `make test` are complete on a fresh Debian 12 machine.

PREFIX ?= /usr/local
PLUGIN_DIR ?= $(PREFIX)/lib/gstreamer-1.0
MOOD_TEST_DATA ?= $(abspath ../shared/data)
export MOOD_TEST_DATA

.PHONY: help setup build demo test test-checked test-faults test-asan soak bench fuzz lint install uninstall deb test-deb test-analytics test-bare notices sbom \
  audit element-pages reproducible clean

help:
	@echo 'make demo     install what is missing, build, run the built-in demo and leave its results in target/demo'
	@echo 'make test     install what is missing, build, and run all the tests'
	@echo 'make test-checked  the same tests with overflow checks and debug assertions'
	@echo 'make test-faults  failing cameras, loudspeakers, disks, clocks and processes, at length; FACTOR=40'
	@echo 'make test-asan  the SIMD kernels and the readers of foreign bytes under AddressSanitizer'
	@echo 'make soak     hours of media at full speed: memory, files and threads stay flat; HOURS=12'
	@echo 'make setup    only install what is missing'
	@echo 'make build    plugins and command line into target/release'
	@echo 'make bench    benchmarks against other programs, into benches/RESULTS.md; PARTS=haar for a part'
	@echo 'make fuzz     random files of every kind that is read, MINUTES=1 for each'
	@echo 'make lint     formatting, clippy, documentation, module cycles, licences and sources of dependencies'
	@echo 'make install  plugins, ONNX Runtime, the large model, gst-mood, man pages and completions into PREFIX ($(PREFIX))'
	@echo 'make uninstall  removes them again'
	@echo 'make deb      Debian packages for this distribution in target/debian; make test-deb tries them in a fresh root;'
	@echo '              SUITE=trixie, SUITE=noble: built in a root of Debian 13 or Ubuntu 24.04, in target/debian-SUITE'
	@echo 'make test-analytics  the feature v1_24, metas of GStreamer 1.24 and later, in a root of Debian 13'
	@echo 'make test-bare SUITE=trixie  make demo and make test of a clean clone in a new root that holds make, git and Rust only'
	@echo 'make notices  licences of what is linked in; make sbom: a CycloneDX bill of materials; make audit: known vulnerabilities'
	@echo 'make element-pages  docs/elements, after a change of an element'
	@echo 'make reproducible  builds the last commit twice, in two folders, and compares the bytes'

setup:
	@scripts/setup.sh

build:
	@scripts/build.sh

demo: build
	target/release/gst-mood demo --output target/demo

# The end-to-end tests run the release build of the plugins in other processes, so it is built first. The tests are built with
# the same profile: another would build every dependency once more, which takes longer than all tests.
# Test programs run two at a time: LANES=1 runs one after the other, as cargo does.
LANES ?= 2
test:
	@scripts/build.sh tests
	@scripts/run_tests.py $(LANES)

# The same tests with overflow checks and debug assertions, before a release.
test-checked: build
	cargo test --workspace --no-fail-fast

# The short form is a part of `make test`; here what is repeated is repeated FACTOR times: 40 gives 1,000 state cycles.
FACTOR ?= 40
test-faults: build
	MOOD_FAULTS=$(FACTOR) cargo test --release --workspace --test faults --test properties -- --nocapture

# Tests of the SIMD kernels and of what reads foreign bytes, under AddressSanitizer. Sanitizers need a nightly compiler, or
# RUSTC_BOOTSTRAP with a stable one. What the process keeps until its end counts as a leak.
ASAN_CRATES = gray-image haar frame-witness face-track media-container
test-asan:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=0 cargo test --no-fail-fast --lib --tests \
		--target $$(rustc -vV | sed -n 's/^host: //p') --target-dir target/asan $(ASAN_CRATES:%=-p %)

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
	cargo check --manifest-path fuzz/Cargo.toml --bins --all-features
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	scripts/module_cycles.py
	@scripts/setup.sh supply-chain
	target/supply-chain/bin/cargo-deny --log-level error check bans licenses sources

# What is installed is listed in scripts/install.sh, once for both.
install: build
	PREFIX=$(PREFIX) PLUGIN_DIR=$(PLUGIN_DIR) DESTDIR=$(DESTDIR) scripts/install.sh install

uninstall:
	PREFIX=$(PREFIX) PLUGIN_DIR=$(PLUGIN_DIR) DESTDIR=$(DESTDIR) scripts/install.sh uninstall

ifndef SUITE
deb: build notices
	scripts/deb.sh
else
deb:
	scripts/foreign_root.sh $(SUITE) scripts/foreign_deb.sh
	rm -rf target/debian-$(SUITE)
	cp -r target/roots/$(SUITE)/src/target/debian target/debian-$(SUITE)
endif

# Installs the packages in a fresh root of the distribution, below target/, and runs everything there.
test-deb: deb
	SUITE=$(SUITE) scripts/test_deb.sh

# The root is of Debian 13, below target/; made at the first time.
test-analytics:
	scripts/foreign_root.sh trixie scripts/test_analytics.sh

# A clean clone of the last commit on a bare machine: SUITE=bookworm is Debian 12, SUITE=trixie Debian 13.
test-bare:
	scripts/bare_root.sh $(or $(SUITE),bookworm)

notices:
	scripts/third_party.py notices target/third-party-notices.txt

sbom:
	@scripts/setup.sh supply-chain
	target/supply-chain/bin/python scripts/third_party.py sbom target/sbom.cdx.json

# docs/elements from the elements' own docs; a test compares.
element-pages:
	MOOD_UPDATE_DOCS=1 cargo test --release --workspace --test inspect pages_of_the_elements

# Known vulnerabilities and yanked crates; it fetches RustSec's database from GitHub.
audit:
	@scripts/setup.sh supply-chain
	target/supply-chain/bin/cargo-deny check advisories

# Builds twice in two folders, which takes long, and compares.
reproducible:
	scripts/reproducible.sh

clean:
	cargo clean
