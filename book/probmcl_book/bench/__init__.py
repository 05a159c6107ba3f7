"""How fast and how large: the loss against named alternatives, measured in one run."""

from probmcl_book.bench.cases import CASES, Case, Goal
from probmcl_book.bench.report import bench_table
from probmcl_book.bench.run import run_benchmarks

__all__ = ["CASES", "Case", "Goal", "bench_table", "run_benchmarks"]
