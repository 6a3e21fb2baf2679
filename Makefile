# SPDX-License-Identifier: MIT
# The words of the project. Each installs what it needs, prints what it runs, and does one job.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PY := build/deps/bin/python
PREFIX := build/prefix
OCR_MODELS := build/deps/lib/python3*/site-packages/rapidocr_onnxruntime/models
export PYTHONDONTWRITEBYTECODE := 1
# Checkouts in other folders share what the compiler cache holds.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: help release demo test build quick conformance bench micro format tidy asan tsan docs clean

help:
	@echo "make demo    read the text in a picture with three real models, then profile one of them"
	@echo "make test    build the release and run every test"
	@echo "make build   build the release into $(PREFIX) (bin lib include python)"
	@echo "make quick   build for development and run the tests that take under a minute"
	@echo "make conformance  run the official ONNX cases on ref and cpu and count those that pass"
	@echo "make bench   compare with ONNX Runtime and OpenVINO; tables go to bench/results"
	@echo "make micro   single operators against peers and the machine's limits; tables go to bench/results"
	@echo "make asan    the quick tests under AddressSanitizer and UBSan;  make tsan: ThreadSanitizer"
	@echo "make format  clang-format on the changed sources;  make tidy: clang-tidy on them"
	@echo "make docs    write docs/operators.md, onnx.md and tensorflow.md; check that documents name what exists"

build:
	tools/install_deps.sh build
	@$(MAKE) --no-print-directory release

demo:
	tools/install_deps.sh demo
	@$(MAKE) --no-print-directory release
	PYTHONPATH=$(PREFIX)/python $(PY) examples/ocr/ocr.py
	$(PREFIX)/bin/migraphx-driver perf $(OCR_MODELS)/ch_PP-OCRv4_rec_infer.onnx --input-dim @x 1 3 48 320 | sed -n '/^Summary/,$$p'

# The tests, which need GoogleTest, are built for the words that run them.
TESTS := OFF
release:
	cmake --preset release -DMIGRAPHX_TESTS=$(TESTS) >/dev/null
	cmake --build --preset release
	cmake --install build/release --prefix $(PREFIX) >/dev/null

test:
	tools/install_deps.sh test
	@$(MAKE) --no-print-directory release TESTS=ON
	$(PY) tools/run_tests.py --build build/release

quick:
	tools/install_deps.sh test
	cmake --preset dev >/dev/null
	cmake --build --preset dev
	$(PY) tools/run_tests.py --build build/dev --quick

conformance:
	tools/install_deps.sh test
	@$(MAKE) --no-print-directory release
	PYTHONPATH=$(PREFIX)/python $(PY) tests/conformance/run.py --out build/conformance

asan tsan:
	tools/install_deps.sh test
	cmake --preset $@ >/dev/null
	cmake --build --preset $@
	$(PY) tools/run_tests.py --build build/$@ --quick

bench:
	tools/install_deps.sh test
	@$(MAKE) --no-print-directory release
	$(PY) bench/compare.py

micro:
	tools/install_deps.sh micro
	@$(MAKE) --no-print-directory release
	cmake --preset release -DMIGRAPHX_MICRO=ON >/dev/null
	cmake --build --preset release --target bench_micro
	$(PY) bench/micro.py
	build/release/bench/bench_micro build/micro

format:
	tools/install_deps.sh lint
	tools/format.sh

tidy:
	tools/install_deps.sh lint
	tools/tidy.sh

docs:
	tools/install_deps.sh test
	@$(MAKE) --no-print-directory release
	$(PY) tools/make_docs.py --driver $(PREFIX)/bin/migraphx-driver
	$(PY) tools/check_docs.py

clean:
	rm -rf build/dev build/release build/asan build/tsan build/tidy $(PREFIX)
