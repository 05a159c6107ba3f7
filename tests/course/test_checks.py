"""Checkers: the truth passes, each known mistake fails with its hint, and nothing ends in a traceback."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas
import pytest
import torch
from course import MASTERS

from probmcl.loss import log_expected_likelihood_kernel, overlap, positive_set
from probmcl.model import GaussianMixture
from probmcl_book.claims import read_ledger
from probmcl_book.course import asymmetric, metrics, mixtures, objective, positive_sets, replication
from probmcl_book.course.comparison import Mistake, WrongAnswerError, check_function, check_value, feedback
from probmcl_book.course.student import instance_seed
from probmcl_book.reference import Mixture, mixture_nll

FUNCTIONS = [
    (module, name)
    for module, names in (
        (metrics, "label_statistics average_precision mean_average_precision best_thresholds macro_f1"),
        (positive_sets, "jaccard positive_mask contrastive_loss loss_floor weights_above"),
        (mixtures, "log_normal log_prob mixture_parameters log_similarity nll log_kappa variances"),
        (objective, "effective_rank"),
        (asymmetric, "asymmetric_loss"),
    )
    for name in names.split()
]


@pytest.fixture(scope="module", autouse=True)
def each_instance_is_drawn_once() -> Iterator[None]:
    """And the ledger, which takes half a second, is read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replication, "read_ledger", cache(read_ledger))
        for module in (metrics, mixtures, positive_sets):
            patch.setattr(module, "instance", cache(module.instance))
        yield


@pytest.fixture(params=FUNCTIONS, ids=lambda pair: pair[1])
def known(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Callable[..., None], Callable[..., Any], list[Mistake]]:
    """A checker, its truth, and the mistakes it knows."""
    module, name = request.param
    seen: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(module, "check_function", lambda *args, **_: seen.append(args))
        patch.setattr(module, "_without_loops", lambda *_: None, raising=False)
        patch.setattr(module, "_gradients_of_nll", lambda *_: None, raising=False)
        getattr(module, name)(lambda: None)
    _, truth, _, mistakes = seen[0]
    return getattr(module, name), truth, list(mistakes)


class TestFunctions:
    def test_each_known_mistake_gets_its_own_hint(self, known) -> None:
        checker, _, mistakes = known
        assert mistakes
        for mistake in mistakes:
            for seed in (0, 1, 2, 3, 4):
                with pytest.raises(WrongAnswerError) as raised:
                    checker(mistake.answer, seed=seed)
                assert mistake.hint in str(raised.value)

    @pytest.mark.parametrize("empty", [None, ..., lambda *_: None, lambda *_: ...])
    def test_an_empty_answer_is_called_so(self, known, empty) -> None:
        with pytest.raises(WrongAnswerError, match="not answered yet"):
            known[0](empty)

    @pytest.mark.parametrize(
        "odd", [3.0, "text", lambda: 1, lambda *_: "text", lambda *_: torch.zeros(1, 1, 1)]
    )
    def test_an_odd_answer_is_no_traceback(self, known, odd) -> None:
        with pytest.raises(WrongAnswerError):
            known[0](odd)


class TestSpecialCases:
    def test_without_any_positive_loss_and_floor_are_zero(self) -> None:
        def loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            log_p = logits.clone().fill_diagonal_(-1e300).log_softmax(1)
            count = mask.sum(1)
            return (-(mask * log_p).sum(1) / count)[count > 0].mean()

        with pytest.raises(WrongAnswerError, match="Here the loss is 0"):
            positive_sets.contrastive_loss(loss)
        positive_sets.contrastive_loss(lambda logits, mask: loss(logits, mask).nan_to_num())

        def floor(mask: torch.Tensor) -> torch.Tensor:
            count = mask.sum(1)
            return count[count > 0].log().mean()

        with pytest.raises(WrongAnswerError, match="Here the bound is 0"):
            positive_sets.loss_floor(floor)
        positive_sets.loss_floor(lambda mask: floor(mask).nan_to_num())

    @pytest.mark.parametrize("fails", [torch.bool, torch.float32])
    def test_labels_come_in_more_than_one_dtype(self, fails: torch.dtype) -> None:
        def jaccard(labels: torch.Tensor) -> torch.Tensor:
            return overlap(labels).double() if labels.dtype != fails else torch.zeros(0)

        with pytest.raises(WrongAnswerError, match="wrong on 1 of 5 cases"):
            positive_sets.jaccard(jaccard)

    @pytest.mark.parametrize("change", [torch.Tensor.flatten, lambda part: part.T])
    def test_parameters_of_another_shape_are_wrong(self, change: Callable[..., torch.Tensor]) -> None:
        def flat(*raw: Any) -> tuple[torch.Tensor, ...]:
            weights, means, sigmas = mixtures.mistakes.parameters_of(*raw)
            return change(weights), means, sigmas

        with pytest.raises(WrongAnswerError, match=r"Part 1: The result should have shape \(2, 3\)"):
            mixtures.mixture_parameters(flat)
        with pytest.raises(WrongAnswerError, match="should be a tuple of 3 tensors"):
            mixtures.mixture_parameters(lambda *raw: mixtures.mistakes.parameters_of(*raw)[:2])

    @pytest.mark.parametrize("way", ["in place", "numpy"])
    def test_a_likelihood_that_stops_the_gradient_is_no_traceback(self, way: str) -> None:
        def nll(*parts: torch.Tensor) -> torch.Tensor:
            weights = parts[0]
            if way == "in place":
                weights += 0
            else:
                weights = torch.from_numpy(weights.numpy())
            return mixture_nll(Mixture(weights, *parts[1:3]), parts[3].detach())

        with pytest.raises(WrongAnswerError, match="stops with an error where a gradient is wanted"):
            mixtures.nll(nll)


def harmonic_thresholds(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The highest thresholds with the best 2PR/(P+R), whose last bit is not that of 2TP/(2TP+FP+FN)."""
    found = []
    for column, truth in zip(scores.T, labels.T.double(), strict=True):
        candidates = column.unique().flip(0)
        predicted = (column >= candidates[:, None]).double()
        precision, recall = predicted @ truth / predicted.sum(1), predicted @ truth / truth.sum()
        f1 = (2 * precision * recall / (precision + recall)).nan_to_num(0)
        found.append(candidates[f1.argmax()].item() if truth.any() else float("inf"))
    return torch.tensor(found, dtype=torch.float64)


def single(answer: Callable[..., Any]) -> Callable[..., Any]:
    """An answer that computes in float32."""
    return lambda *parts: answer(*(part.float() for part in parts))


class TestEquivalentAnswers:
    """Another right way is right for every draw of the cases, and for every student."""

    def test_f1_by_precision_and_recall(self) -> None:
        for seed in range(200):
            metrics.best_thresholds(harmonic_thresholds, seed=seed)
            own = metrics.instance(f"student {seed // 4}")
            right = metrics.mistakes.thresholds_of(own.validation_scores, own.validation_labels)
            assert torch.equal(harmonic_thresholds(own.validation_scores, own.validation_labels), right)

    def test_single_precision(self) -> None:
        def log_prob(*parts: torch.Tensor) -> torch.Tensor:
            return GaussianMixture(*parts[:3]).log_prob(parts[3])

        def log_similarity(*parts: torch.Tensor) -> torch.Tensor:
            kernel = log_expected_likelihood_kernel(GaussianMixture(*parts))
            itself = kernel.diagonal()
            return kernel - (itself[:, None] + itself) / 2

        for seed in range(50):
            mixtures.log_prob(single(log_prob), seed=seed)
            mixtures.log_similarity(single(log_similarity), seed=seed)

    def test_three_decimals(self) -> None:
        for n in range(0, 200, 8):
            labels = positive_sets.instance(f"student {n}").labels
            counts = positive_set(labels, threshold=0.5).sum(1)
            mean, share = counts.double().mean().item(), (counts == 0).double().mean().item()
            for digits in (3, 5):
                rounded = (round(mean, digits), round(share, digits))
                positive_sets.own_statistics(rounded, f"student {n}", tell=True)

    @pytest.mark.parametrize("kind", [list, torch.Tensor.numpy, torch.Tensor.tolist, lambda t: [*t.numpy()]])
    def test_numbers_come_in_any_container(self, kind: Callable[[torch.Tensor], Any]) -> None:
        positive_sets.jaccard(lambda labels: kind(overlap(labels)))
        mixtures.mixture_parameters(lambda *raw: [kind(p) for p in mixtures.mistakes.parameters_of(*raw)])
        metrics.best_thresholds(lambda *case: pandas.Series(metrics.mistakes.thresholds_of(*case)))

    def test_a_row_without_labels_counts(self) -> None:
        def labelled_only(labels: torch.Tensor) -> dict[str, Any]:
            right = metrics.mistakes.statistics_of(labels)
            return right | {"cardinality": labels.sum().item() / labels.any(1).sum().item()}

        for seed in range(25):
            with pytest.raises(WrongAnswerError, match="also those without a label"):
                metrics.label_statistics(labelled_only, seed=seed)


def record_of(
    student: str, root: Path, baseline: str = "BCE", method: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The book's record of digits, as if the student had run it; ``baseline`` stands for its BCE."""
    content = json.loads((root / "book" / "results" / "digits.json").read_text(encoding="utf-8"))
    own = replication.instance(student)
    renamed = dict(zip(content["seeds"], own.seeds, strict=False)) | {None: None}
    content["rows"] = [
        {**row, "seed": renamed[row["seed"]], "method": row["method"].replace("BCE", baseline)}
        for row in content["rows"]
        if row["seed"] in renamed and row["method"] in ("BCE", "ProbMCL")
    ]
    bce, *_, probmcl = content["recipe"]["methods"]
    content["recipe"]["methods"] = [{**bce, "name": baseline, **(method or {})}, probmcl]
    content["recipe"]["data"]["seed"] = own.data_seed
    return content | {"seeds": list(own.seeds), "wall_seconds": 60.0, "differences": []}


OPINION = "The tests cover small inputs and edges; whether the choice is that of the paper they cannot say."


class TestReplication:
    @pytest.mark.parametrize("empty", [None, ..., {}, {"claim": ...}])
    def test_an_empty_answer_is_no_traceback(self, empty) -> None:
        calls = [
            (replication.protocol, empty),
            (replication.chosen, empty, empty),
            (replication.record, empty, empty, empty),
            (replication.record, empty, {"baseline": "BCE", "measure": "mAP", "minutes": 5}, "ProbMCL"),
            (replication.verdict, (empty, empty), empty, empty, empty),
            (replication.audit, empty),
        ]
        for checker, *answers in calls:
            with pytest.raises(WrongAnswerError):
                checker(*answers, "ada")

    def test_every_row_can_be_audited(self) -> None:
        entries = {entry.id: entry for entry in read_ledger() if entry.kind == "M"}
        students = {replication.instance(f"student {n}").row: f"student {n}" for n in range(200)}
        assert students.keys() == entries.keys()
        for row, student in students.items():
            entry = entries[row]
            answer = {"row": row.lower(), "status": entry.status.upper(), "opinion": OPINION}
            answer |= {"tags": list(entry.tags), "tests": tuple(entry.tests)}
            replication.audit(answer, student, tell=True)
            with pytest.raises(WrongAnswerError, match="the tests are not those listed"):
                replication.audit(answer | {"tests": ["other"]}, student, tell=True)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"claim": "C4"}, "mAP says nothing about the others"),
            ({"measure": "AUROC"}, "measure is 'mAP'"),
            ({"hypothesis": "It is better."}, "hypothesis needs a whole sentence"),
            ({"hypothesis": "a b c d e f g h"}, "hypothesis needs a whole sentence"),
            ({"refuted_by": "word " * 15}, "refuted_by needs a whole sentence"),
            ({"refuted_by": "this METHOD reaches a higher mAP than that one from the start"}, "another sent"),
            ({"minutes": 90}, "minutes is a number up to 60"),
            ({"minutes": "sixty"}, "minutes is a number up to 60"),
            ({"seeds": 3}, "seeds is a list of whole numbers"),
            ({"seeds": ["one", 2, 3]}, "seeds is a list of whole numbers"),
            ({"claim": ["C3"]}, "claim is one of C1, C2, C3"),
            ({"claim": "C1"}, "C1 is compared with ProbMCL, any label, got 'BCE'"),
            ({"claim": "C2"}, "C2 is compared with SupCon, threshold, got 'BCE'"),
            ({"baseline": "SupCon, threshold"}, "C3 is compared with BCE or ASL"),
        ],
    )
    def test_a_protocol_that_the_run_cannot_answer_is_told(self, change: dict[str, Any], told: str) -> None:
        whole = {"hypothesis": "This method reaches a higher mAP than that one from the start."}
        whole |= {"refuted_by": "The interval of the difference in mAP lies as a whole below zero."}
        whole |= {"claim": "C3", "measure": "mAP", "baseline": "BCE"}
        whole |= {"seeds": replication.instance("ada").seeds, "chosen_on": "validation"}
        whole |= {"interval": "paired bootstrap", "minutes": 20}
        replication.protocol(whole, "ada")
        otherwise = {"claim": "c3", "chosen_on": "validation images", "measure": "MAP"}
        replication.protocol(whole | otherwise, "ada")
        with pytest.raises(WrongAnswerError, match=told):
            replication.protocol(whole | change, "ada")

    @pytest.mark.parametrize(("claim", "names"), replication.BASELINES.items())
    def test_every_baseline_of_a_claim_is_known(self, claim: str, names: tuple[str, ...]) -> None:
        text = (MASTERS / "a4_replication.md").read_text(encoding="utf-8")
        row = next(line for line in text.splitlines() if line.startswith(f"| {claim},"))
        assert tuple(re.findall(r'"([A-Z][^"]*)"', row)) == names
        assert set(names) <= replication.CRITERIA.keys()

    @pytest.mark.parametrize("odd", [["ProbMCL, a"], {"ProbMCL": 1}, 3, [["P"]]])
    def test_an_odd_answer_is_no_traceback(self, odd: Any, root: Path) -> None:
        search, whole = record_of("ada", root), {"baseline": "BCE", "measure": "mAP", "minutes": 20}
        replication.record(search, whole, "ProbMCL", "ada")
        for name in ("baseline", "measure"):
            with pytest.raises(WrongAnswerError, match=f"`{name}`: expected a str"):
                replication.record(search, whole | {name: odd}, "ProbMCL", "ada")
        with pytest.raises(WrongAnswerError, match="minutes is a number"):
            replication.record(search, whole | {"minutes": str(odd)}, "ProbMCL", "ada")
        overall = next(row for row in search["rows"] if row["seed"] is None)
        search["rows"] = [{**overall, "method": f"ProbMCL, {name}"} for name in "abc"]
        with pytest.raises(WrongAnswerError, match="`chosen`: expected a text"):
            replication.chosen(odd, search, "ada")
        with pytest.raises(WrongAnswerError, match="`chosen`: expected a str"):
            replication.record(search, whole, odd, "ada")
        answer = {
            "row": replication.instance("ada").row,
            "status": "open",
            "tests": [odd],
            "opinion": OPINION,
        }
        with pytest.raises(WrongAnswerError, match="tests is a list of texts"):
            replication.audit(answer | {"tags": ["P"]}, "ada", tell=True)

    @pytest.mark.parametrize(
        ("baseline", "method", "told"),
        [
            ("BCE", {"criterion": "asl"}, "the criterion of 'BCE' is 'asl'"),
            ("ProbMCL, any label", {"criterion": "bce"}, "asks for 'probmcl'"),
            ("ProbMCL, any label", {"criterion": "probmcl", "options": {}}, r"options=\{\"rule\": \"any\"\}"),
            (
                "SupCon, threshold",
                {"criterion": "supcon", "options": {"threshold": 0.3}},
                "have different positives",
            ),
        ],
    )
    def test_a_method_that_is_not_what_its_name_says_is_told(
        self, baseline: str, method: dict[str, Any], told: str, root: Path
    ) -> None:
        right = {"criterion": replication.CRITERIA[baseline], "options": {}}
        if baseline == "ProbMCL, any label":
            right["options"] = {"rule": "any"}
        protocol = {"baseline": baseline, "measure": "mAP", "minutes": 20}
        replication.record(record_of("ada", root, baseline, right), protocol, "ProbMCL", "ada")
        with pytest.raises(WrongAnswerError, match=told):
            replication.record(
                record_of("ada", root, baseline, {**right, **method}), protocol, "ProbMCL", "ada"
            )


class TestComparison:
    def test_the_smallest_case_that_fails_is_shown(self) -> None:
        def total(x: torch.Tensor) -> float:
            return x.sum().item()

        cases = [(torch.ones(3),), (torch.ones(2),), (torch.zeros(1),)]
        with pytest.raises(WrongAnswerError, match=r"wrong on 2 of 3 cases.*\n  x = \[1\.0, 1\.0\]\n"):
            check_function(lambda x: 2 * x.sum(), total, cases)

    def test_a_hint_needs_every_case(self) -> None:
        def same(x: float) -> float:
            return x

        hint = [Mistake("tripled", lambda x: 3 * x)]
        with pytest.raises(WrongAnswerError) as raised:
            check_function(lambda x: 3 * x if x < 2 else 0.0, same, [(1.0,), (5.0,)], hint)
        assert "tripled" not in str(raised.value)

    def test_an_answer_may_not_change_the_case(self) -> None:
        def first(x: torch.Tensor) -> float:
            return x[0].item()

        def changing(x: torch.Tensor) -> float:
            value = x[0].item()
            x.zero_()
            return value

        check_function(changing, first, [(torch.ones(2),)])

    def test_a_value_is_not_told_before_grading(self) -> None:
        check_value("x", 0.7, 0.5, tell=False)
        with pytest.raises(WrongAnswerError, match="`x` is not right"):
            check_value("x", 0.7, 0.5)

    @pytest.mark.parametrize("odd", ["0.5", float("nan"), float("inf"), [0.5, 0.5], object()])
    def test_a_value_of_the_wrong_kind_is_told(self, odd) -> None:
        with pytest.raises(WrongAnswerError, match="expected a finite number"):
            check_value("x", odd, 0.5, tell=False)

    def test_feedback_prints_and_does_not_raise(self, capsys: pytest.CaptureFixture[str]) -> None:
        feedback(positive_sets.jaccard, ...)
        assert capsys.readouterr().out.startswith("[ ] `jaccard`: not answered yet")

    def test_feedback_calls_no_number_right_that_only_the_grader_knows(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        feedback(metrics.by_hand, 0.1234, "ada")
        assert capsys.readouterr().out.startswith("[?] by_hand: no common mistake found")
        scores, labels = metrics.instance("ada")[4:]
        feedback(metrics.by_hand, metrics.mistakes.ranked_precision(scores, labels), "ada", tell=True)
        assert capsys.readouterr().out.startswith("[x] by_hand: passed")


class TestInstances:
    @pytest.mark.parametrize("module", [metrics, mixtures, positive_sets])
    def test_differ_between_students_and_terms_and_repeat(self, module: ModuleType) -> None:
        def same(a: Any, b: Any) -> bool:
            return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))

        assert same(module.instance("ada"), module.instance(" ADA "))
        assert not same(module.instance("ada"), module.instance("grace"))
        assert not same(module.instance("ada"), module.instance("ada", "2031"))

    def test_no_mistake_is_right_by_luck(self) -> None:
        drawn = set()
        for student in map("student {}".format, range(40)):
            scores, labels = metrics.instance(student)[4:]
            drawn.add((*scores.tolist(), *labels.tolist()))
            for mistake in metrics.mistakes.AP[:-1]:  # the last is of scores without a positive
                with pytest.raises(WrongAnswerError, match="is not right"):
                    metrics.by_hand(mistake.answer(scores, labels), student, tell=True)
        assert len(drawn) > 35
        for student in ("student 153", "student 165", "student 191"):  # what they draw first hides one
            for _, loss in positive_sets._losses(positive_sets.instance(student))[1]:
                with pytest.raises(WrongAnswerError, match="is not right"):
                    positive_sets.own_loss(loss, student, tell=True)

    def test_the_own_seed_is_stable(self) -> None:
        assert instance_seed("ada", "public") == 2281646350
        assert replication.instance("ada").row.startswith("M")
