"""Student code runs in a sandbox, and only plain values come from there."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas
import psutil
import pytest
import torch

pytest.importorskip("resource", reason="students' kernels are forked")

from grading import kernels
from grading.account import student_is
from grading.grade import Answers, Grader, Rules, data_of, run_test, without_case
from grading.inside import plain
from grading.kernels import Limits

from probmcl_book.course import WrongAnswerError, positive_sets
from probmcl_book.course.measures import gradients, steps

pytestmark = pytest.mark.filterwarnings("ignore:no whole sandbox")

CELLS = """
import os; import socket; import torch; import numpy as np
from probmcl_book.course import feedback, positive_sets as check
own = check.instance("ada", "public")
feedback(check.jaccard, None)
def double(x): return 2 * x
def broken(x): raise ValueError(f"no {x}")
def loops(x): return torch.stack([row.sum() for row in x])
values = {"a": [1, 2.5, None, True, ...], "b": np.arange(3), "c": torch.ones(2, requires_grad=True)}
odd = object()
import sklearn
import probmcl
torch.distributions.Normal(0, 1)
exit()
files = os.listdir(".")
""".strip().splitlines()
FORBIDDEN = [
    f"open({__file__!r})",
    "open('/etc/hostname')",
    "open(f'/proc/{os.getppid()}/environ')",
    "open(torch.__path__[0] + '/distributions/normal.py')",
    "open('/usr/x', 'w')",
    "os.listdir('/home')",
    "os.kill(os.getppid(), 0) if os.getppid() else open('/')",  # there is no parent in a namespace of its own
    "socket.create_connection(('127.0.0.1', 22))",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
]
TRY = """
done = []
for text in {}:
    try: done.append(f"{{text}}: {{eval(text)}}")
    except OSError: pass
"""


ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
os.wait()
"""


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.fixture(scope="module", params=["as it is", "without namespaces"])
def grader(request: pytest.FixtureRequest) -> Iterator[Grader]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without namespaces":
            without = "sandbox._unshare = lambda: False\nsandbox.main"
            patch.setattr(kernels, "LAUNCH", kernels.LAUNCH.replace("sandbox.main", without))
        with Grader(Rules(["torch", "numpy"], ["torch.distributions"]), Limits(seconds=60)) as started:
            yield started


@pytest.fixture(scope="module")
def answers(grader: Grader) -> Iterator[Answers]:
    notebook = notebook_of(*CELLS, TRY.format(FORBIDDEN))
    with grader.answers("", notebook, {"given.json": b"{}"}) as found:
        yield found


class TestKernel:
    def test_values_come_back_plain(self, answers: Answers) -> None:
        values = answers.get("values")
        assert values["a"] == [1, 2.5, None, True, ...]
        assert values["b"].tolist() == [0, 1, 2]
        assert not values["c"].requires_grad

    def test_functions_are_called_where_they_are(self, answers: Answers) -> None:
        double, broken = answers.get("double"), answers.get("broken")
        assert torch.equal(double(torch.ones(2)), torch.full((2,), 2.0))
        assert double.measured("gradients", [torch.tensor(3.0)])[0] == 2
        few, many = (answers.get("loops").measured("steps", [torch.ones(n, 2)]) for n in (4, 8))
        assert many >= few + 4
        with pytest.raises(RuntimeError, match=r"^ValueError: no 3$"):
            broken(3)

    @pytest.mark.parametrize(("name", "told"), [("nobody", "is not there after"), ("odd", "got object")])
    def test_what_is_no_answer_is_told(self, answers: Answers, name: str, told: str) -> None:
        with pytest.raises(WrongAnswerError, match=told):
            answers.get(name)

    def test_a_students_own_data_come_from_the_grader(self, answers: Answers) -> None:
        assert torch.equal(answers.get("own")[0], positive_sets.instance("ada").labels)

    def test_what_is_not_allowed_is_not_there(self, answers: Answers) -> None:
        told = "\n".join(answers.stopped)
        for part in ("'sklearn'", "'probmcl'", "Normal is not installed here", "SystemExit"):
            assert part in told

    def test_the_machine_is_not_there(self, answers: Answers) -> None:
        assert "given.json" in answers.get("files")
        if answers.can:
            pytest.skip("this system has no whole sandbox")
        assert answers.get("done") == []

    def test_nothing_outlives_its_kernel(self, grader: Grader) -> None:
        with grader.answers("", notebook_of(ORPHAN), {}) as answers:
            assert not answers.stopped
            kernel = psutil.Process(answers._kernel.process)
            family = [kernel, *kernel.parent().children(recursive=True)]
        assert len(family) > 2
        assert not psutil.wait_procs(family, timeout=60)[1]

    def test_files_are_limited_together(self, grader: Grader) -> None:
        many = "for n in range(30): open(str(n), 'wb').write(bytes(10_000_000))\nwhile True: pass"
        with grader.answers("", notebook_of(many), {}) as answers:
            assert re.search("No space left|wrote more than 256 MB", answers.stopped[0])


class TestPlain:
    @pytest.mark.parametrize(
        "text",
        [
            "[" * 100_000,
            "[" * 40 + "]" * 40,
            "x",
            '{"a": 1, "b": 2}',
            '{"pickle": "x"}',
            json.dumps({"array": ["object", [1], ""]}),
            json.dumps({"array": ["float64", [10**9, 10**9], ""]}),
            json.dumps({"array": ["float64", [-1], ""]}),
            json.dumps({"array": ["int8", [True], base64.b64encode(b"x").decode()]}),
            json.dumps({"array": ["int8", [1], "no base64!"]}),
            "1" * (plain.MOST_CHARACTERS + 1),
        ],
    )
    def test_what_is_no_value_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            plain.loads(text)

    def test_a_table_of_pandas_is_an_array(self) -> None:
        assert torch.equal(plain.loads(plain.dumps(pandas.Series([1, 2]))), torch.tensor([1, 2]))

    @pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", torch.zeros(2, dtype=torch.complex64)])
    def test_other_kinds_are_not_sent(self, value: Any) -> None:
        with pytest.raises((TypeError, ValueError)):
            plain.loads(plain.dumps(value))

    @pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float16, torch.float32, torch.float64])
    def test_tensors_keep_dtype_and_shape(self, dtype: torch.dtype) -> None:
        for shape in ((), (0, 3), (2, 3)):
            tensor = torch.ones(shape, dtype=dtype)
            assert torch.equal(plain.loads(plain.dumps(tensor)), tensor)


@pytest.mark.parametrize(
    "asked", ["", "{", '["os", "system", "ls"]', '["metrics", [], {}]', '["metrics"]', "[" * 9999]
)
def test_the_grader_gives_data_and_nothing_else(asked: str) -> None:
    given = data_of(asked)
    assert given == "" or isinstance(plain.loads(given), dict)


def test_a_message_of_a_hidden_check_has_no_case() -> None:
    def check(answers: Any) -> None:
        positive_sets.jaccard(lambda labels: labels.double() @ labels.double().T)

    body = type("Body", (), {"call_func": staticmethod(check)})
    outcome = run_test(body, None, hidden=True)  # type: ignore[arg-type]
    assert "expected" in outcome.full
    assert "expected" not in outcome.message
    assert "Hint: Divide the shared labels by the size of the union." in outcome.message
    assert without_case("only this") == "only this"


def test_steps_and_gradients_here_are_those_of_the_kernel() -> None:
    assert steps(torch.exp, [torch.ones(4)]) == steps(torch.exp, [torch.ones(40)])
    assert gradients(lambda x: x.detach(), [torch.ones(2)]) is None
    (found,) = gradients(lambda x: (x * x).sum(), [torch.ones(2)]) or [None]
    assert torch.equal(found, torch.full((2,), 2.0))


def test_what_one_piece_does_harms_no_other(root: Path) -> None:
    script = """
import os, sys, time
from grading.apart import apart
def fails(): raise ValueError("no")
works = dict(fine=lambda: [1], fails=fails, ends=lambda: os._exit(3), kills=lambda: os.kill(os.getpid(), 9),
             hangs=lambda: time.sleep(1000), large=lambda: len(bytearray(2_000_000_000)))
for name, result in apart(works, at_once=2, seconds=5, memory=1000):
    print(name, result, flush=True)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root / "tools")
    assert sorted(done.stdout.splitlines()) == [
        "ends its process ended without a result",
        "fails ValueError: no",
        "fine [1]",
        "hangs it was ended after 5 s",
        "kills its process ended without a result",
        "large MemoryError: ",
    ]


def test_the_id_is_that_of_the_one_who_submitted(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"users": [{"sid": 1815, "email": "Ada@example.org"}]}))
    for known in ("1815", "ada", "ada@example.org"):
        student_is(known, metadata)
    with pytest.raises(WrongAnswerError, match="neither the id"):
        student_is("grace", metadata)
    student_is("grace", tmp_path / "none.json")
    with pytest.raises(WrongAnswerError, match="not set yet"):
        student_is("your-id", metadata)
