"""Starts the benchmark: `python -m benchmarks`, or `make bench`."""

from benchmarks.bench.cli import main

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
