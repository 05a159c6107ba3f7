"""Grade a notebook: it runs in a sandboxed kernel, and otter-grader's tests run here, on answers from there.

A test is a function whose parameters are names of the notebook. It gets plain values in their place, and for
a function of the student one that calls it where it is (:class:`RemoteAnswer`). So a test compares in this
process what came of the student's code in another, and nothing of a student is executed or unpickled here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from grading.inside import plain
from grading.kernels import AnswerLateError, Kernel, Kernels, KernelStoppedError, Limits
from probmcl_book.course import metrics, mixtures, positive_sets, replication
from probmcl_book.course.comparison import AnswerStoppedError, WrongAnswerError

DATA_OF: dict[str, Callable[[str, str], Any]] = {
    "metrics": metrics.instance,
    "positive_sets": positive_sets.instance,
    "mixtures": mixtures.instance,
    "replication": replication.instance,
}
MOST_TOLD = 4000
"""Characters of a message: a student's own values can be long."""


@dataclass(frozen=True)
class Rules:
    """What an assignment's notebooks may import, beside the standard library: the plugin's configuration.

    Attributes:
        packages: distributions, with what they require.
        without: modules of these that are left out.
        also: for some questions more packages; they are graded in a kernel of their own.
    """

    packages: list[str]
    without: list[str] = field(default_factory=list)
    also: dict[str, list[str]] = field(default_factory=dict)

    def of(self, question: str) -> frozenset[str]:
        """The packages that an answer may import."""
        return frozenset([*self.packages, *self.also.get(question, ())])

    @property
    def kernels(self) -> set[frozenset[str]]:
        """Packages of each kernel that a notebook is run in, one beside the common one for what differs."""
        return {self.of(question) for question in ("", *self.also)}


@dataclass(frozen=True)
class Outcome:
    """How a check of a question went.

    Attributes:
        passed: whether it did.
        message: what the student is told; of a hidden check without the case that failed.
        full: what the teacher is told.
    """

    passed: bool
    message: str = "Test case passed"
    full: str = "Test case passed"


@dataclass
class Graded:
    """What came of a notebook.

    Attributes:
        outcomes: for each question those of its checks.
        stopped: which cells stopped, and why.
        student_id: that the notebook has set.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    student_id: str = ""


class RemoteAnswer:
    """A function of the student: called here, executed in the student's kernel."""

    def __init__(self, kernel: Kernel, name: str):
        self._kernel, self.__name__ = kernel, name
        self._late: AnswerLateError | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns, as a plain value; once it took too long, it is not called any more."""
        if self._late:
            raise self._late
        try:
            return self.measured("result", arguments)
        except AnswerLateError as late:
            self._late = late
            raise

    def measured(self, kind: str, arguments: Sequence[Any]) -> Any:
        """What a function of :mod:`grading.inside.answers` says of the answer."""
        return self._kernel.ask(self.__name__, kind, arguments)["value"]


class Answers:
    """The names of a notebook that has run, as the tests of otter-grader look them up.

    Attributes:
        can: what its notebook could do that it should not, as this system has no whole sandbox.
        known: the values that were asked for before, by name.
        stopped: which cells stopped, and why.
    """

    def __init__(self, kernel: Kernel, cells: Sequence[str], can: Sequence[str]):
        self._kernel, self.can = kernel, can
        self.known: dict[str, Any] = {}
        self.stopped: list[str] = []
        try:
            for number, reason in kernel.run(cells):
                first = cells[number - 1].strip().partition("\n")[0]
                self.stopped.append(f"code cell {number} ({first[:60]}) stopped: {reason}")
        except KernelStoppedError as error:
            self.stopped.append(str(error))

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name; a function as :class:`RemoteAnswer`.

        Raises:
            WrongAnswerError: if there is none.
        """
        if name not in self.known:
            try:
                answer = self._kernel.ask(name, "value")
            except AnswerStoppedError as error:
                raise WrongAnswerError(f"`{name}`: there is no answer: {error}.") from None
            if "missing" in answer:
                reasons = "".join(f"\n  {reason}" for reason in self.stopped)
                raise WrongAnswerError(f"`{name}` is not there after the notebook has run.{reasons}")
            self.known[name] = (
                RemoteAnswer(self._kernel, name) if "function" in answer else answer.get("value")
            )
        return self.known[name]


def data_of(prompt: str) -> str:
    """Answer a kernel that asks for a student's data; anything else that it asks gets an empty text."""
    try:
        module, student_id, term = plain.loads(prompt)
        instance = DATA_OF[module](str(student_id)[:200], str(term)[:200])
    except WrongAnswerError as error:
        return plain.dumps(str(error))
    except (ValueError, TypeError, KeyError):
        return ""
    return plain.dumps(instance._asdict())


def run_test(body: Any, answers: Answers, *, hidden: bool) -> Outcome:
    """Run a test of otter-grader on the answers of a notebook."""
    try:
        body.call_func(answers)
    except WrongAnswerError as wrong:
        full = str(wrong)[:MOST_TOLD]
    except Exception as error:  # an answer of a kind that no checker expects
        full = f"The answer cannot be checked: {type(error).__name__}: {error}"[:MOST_TOLD]
    else:
        return Outcome(True)
    return Outcome(False, without_case(full) if hidden else full, full)


def without_case(message: str) -> str:
    r"""A checker's message without the case that failed: its first line and the hint.

    Example:
        >>> print(without_case("`half` is wrong on 1 of 2 cases. The smallest:\n  x = 1\n  Hint: twice?"))
        `half` is wrong on 1 of 2 hidden cases.
          Hint: twice?
    """
    first, *others = message.splitlines()
    first = first.replace(" cases. The smallest:", " hidden cases.")
    return "\n".join([first, *(line for line in others if line.startswith("  Hint: "))])


class Grader:
    """Grades notebooks of one assignment; a context, as it keeps a process that kernels are forked from."""

    def __init__(self, rules: Rules, limits: Limits | None = None):
        self.rules, self.limits = rules, limits or Limits()
        self._kernels: dict[frozenset[str], Kernels] = {}
        self._open = ExitStack()

    def __enter__(self) -> Grader:
        for packages in self.rules.kernels:
            started = Kernels(packages, self.rules.without, self.limits)
            self._open.callback(started.close)
            self._kernels[packages] = started
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @contextmanager
    def answers(self, question: str, notebook: NotebookNode, files: Mapping[str, bytes]) -> Iterator[Answers]:
        """The answers of a notebook that has run where ``question`` may be answered."""
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        kernels = self._kernels[self.rules.of(question)]
        with kernels.start(files, data_of) as kernel:
            yield Answers(kernel, cells, kernels.can)

    def grade(
        self, notebook: NotebookNode, files: Mapping[str, bytes], tests: Mapping[str, Sequence[Any]]
    ) -> Graded:
        """Grade a notebook.

        Args:
            notebook: as it was handed in.
            files: that lie beside it, by name.
            tests: for each question otter-grader's test cases.
        """
        graded, own = Graded(), dict[str, Any]()
        for packages in sorted(self._kernels, key=len):  # last the one in which most cells can run
            asked = [question for question in tests if self.rules.of(question) == packages]
            if not asked:
                continue
            with self.answers(asked[0], notebook, files) as answers:
                answers.known |= own
                cases = [(question, n) for question in asked for n in range(len(tests[question]))]
                found = {}
                for question, n in sorted(cases, key=lambda at: tests[at[0]][at[1]].hidden):
                    case = tests[question][n]  # the hidden ones last: no public message can tell of them
                    found[question, n] = run_test(case.body, answers, hidden=case.hidden)
                graded.outcomes |= {q: [found[q, n] for n in range(len(tests[q]))] for q in asked}
                graded.stopped = answers.stopped
                with suppress(WrongAnswerError):  # one id for all kernels of a notebook
                    own = {"student_id": answers.get("student_id")}
        graded.student_id = str(own.get("student_id", ""))[:200]
        return graded
