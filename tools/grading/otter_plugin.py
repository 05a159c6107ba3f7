"""The grader as a plugin of otter-grader, so that every way in which otter grades goes through the sandbox.

Otter itself executes an empty notebook. What was handed in runs in a kernel of its own (:mod:`grade`), and
the outcomes replace those of the empty one: the same in ``otter run``, ``otter grade`` and on Gradescope.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from otter.plugins import AbstractOtterPlugin
from otter.test_files import GradingResults
from otter.test_files.abstract_test import TestCaseResult
from otter.test_files.exception_test import ExceptionTestFile

from grading.grade import Grader, Rules

KEPT = ("tests", "__init__.py")


class Sandboxed(AbstractOtterPlugin):  # type: ignore[misc]
    """Grades in a sandbox; its configuration are the :class:`Rules`."""

    def before_grading(self, config: Any) -> None:
        """Take the submission's files out of the folder in which otter, with its own rights, works."""
        notebook = Path(self.submission_path)
        notebook.parents[1].chmod(0o700)  # tests and results are there, beside the submission
        self.files = {}
        for path in list(notebook.parent.iterdir()):
            if path == notebook or path.name in KEPT:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
                continue
            if path.is_file() and not path.is_symlink():
                self.files[path.name] = path.read_bytes()
            path.unlink()

    def before_execution(self, submission: NotebookNode) -> NotebookNode:
        """Keep what was handed in, and give otter an empty notebook."""
        self.notebook = submission
        return NotebookNode(  # type: ignore[no-untyped-call]
            cells=[], metadata={}, nbformat=4, nbformat_minor=5
        )

    def after_grading(self, results: GradingResults) -> None:
        """Grade what was handed in."""
        tests = [ExceptionTestFile.from_file(str(path)) for path in sorted(Path("tests").glob("*.py"))]
        cases = {test.name: test.test_cases for test in tests}
        with Grader(Rules(**self.plugin_config)) as grader:
            graded = grader.grade(self.notebook, self.files, cases)
        for test in tests:
            test.test_case_results = [
                TestCaseResult(case, f"{'✅' if one.passed else '❌'} {one.message}", one.passed)
                for case, one in zip(test.test_cases, graded.outcomes[test.name], strict=True)
            ]
        results.results = {test.name: test for test in tests}
        results.set_output("\n".join(graded.stopped) or "All cells ran.")
