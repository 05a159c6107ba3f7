"""Many processes: W ranks with gloo compute what one process does, count every image once, and end together.

The ranks run ``work_on_ranks.py``; here its results are compared.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from probmcl.model import build_encoder
from probmcl.train.distributed import replicate
from probmcl_book.records import read_record
from probmcl_book.replicate import RECIPES

WORKER = Path(__file__).with_name("work_on_ranks.py")
MANY = (2, 3, 4)
CRITERIA = ("supcon", "supcon-zero", "mulsupcon", "probmcl", "probmcl-moving-target", "probmcl-queue")
PATIENCE = 1800  # seconds until ranks that wait for each other for ever are ended; gloo's own patience


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[Any, Any]]:
    """What each of four processes found as a rank of 1, 2, 3 and 4."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-W", "error", str(WORKER)]
    started = [subprocess.Popen([*command, str(n), str(folder)], stderr=subprocess.PIPE) for n in range(4)]
    try:
        end = time.monotonic() + PATIENCE
        while any(process.poll() is None for process in started) and time.monotonic() < end:
            if any(process.poll() for process in started):  # one has failed: do not wait for the others
                break
            time.sleep(0.1)
    finally:
        for process in started:
            process.kill()
    errors = [process.communicate()[1].decode() for process in started]
    assert all(process.returncode == 0 for process in started), "\n".join(errors)
    return [torch.load(folder / f"{rank}.pt") for rank in range(4)]


def of_each_rank(ranks: list[dict[Any, Any]], count: int, name: Any) -> list[Any]:
    return [found[count][name] for found in ranks[:count]]


@pytest.mark.parametrize("count", [1, *MANY])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
@pytest.mark.parametrize("batch", ["uneven", "rank without positives"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_loss_and_gradient_are_those_of_one_process(ranks, criterion, batch, dtype, tolerance, count) -> None:
    for found in of_each_rank(ranks, count, (criterion, batch, dtype)):
        for name in ("loss", "part", "gradient"):
            expected = found[f"expected {name}"]
            assert expected.abs().max() > 0.01
            assert torch.allclose(found[name], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("count", [1, *MANY])
@pytest.mark.parametrize("stage", ["contrastive", "end to end"])
def test_a_stage_over_ranks_is_that_of_one_process(ranks, stage: str, count: int) -> None:
    alone = ranks[0]["alone"][stage]
    for found in of_each_rank(ranks, count, stage):
        assert found["losses"] == pytest.approx(alone["losses"], abs=1e-5)
        # AdamW divides small gradients by themselves, so their last digits grow over twelve steps.
        assert torch.allclose(found["weights"], alone["weights"], atol=5e-4)


@pytest.mark.parametrize("count", MANY)
@pytest.mark.parametrize("stage", ["contrastive", "end to end", "batch norm"])
def test_ranks_end_with_the_same_weights_and_the_epoch_that_rank_0_liked(ranks, stage, count) -> None:
    found = of_each_rank(ranks, count, stage)
    for rank in found:
        assert torch.equal(rank["weights"], found[0]["weights"])
        assert rank["watched"] == [0.1, 0.9, 0.5]
        assert rank["best epoch"] == 2
    assert [rank["wrote"] for rank in found] == [True, *[False] * (count - 1)]  # rank 0 alone


@pytest.mark.parametrize("count", [1, *MANY])
def test_all_ranks_resume_within_an_epoch_from_the_checkpoint_of_rank_0(ranks, count: int) -> None:
    whole, resumed = (of_each_rank(ranks, count, name) for name in ("contrastive", "resumed"))
    for one, other in zip(whole, resumed, strict=True):
        # From three ranks on the order of a sum over ranks changes after the first step of a process.
        exact = count <= 2
        assert other["losses"] == pytest.approx(one["losses"], rel=0, abs=0 if exact else 1e-6)
        assert torch.allclose(one["weights"], other["weights"], rtol=0, atol=0 if exact else 5e-4)


@pytest.mark.parametrize("count", [1, *MANY])
def test_predictions_hold_every_image_once_and_in_order(ranks, count: int) -> None:
    outputs, labels = ranks[0]["alone"]["predictions"]
    for found_outputs, found_labels in of_each_rank(ranks, count, "predictions"):
        assert torch.allclose(found_outputs, outputs, atol=1e-6)
        assert torch.equal(found_labels, labels)
    assert of_each_rank(ranks, count, "kinds") == [[torch.float32, torch.bool]] * count


ENCODERS = {recipe().encoder: recipe().views.channels for recipe in RECIPES.values()}
ACTIVATION_INSIDE = ("timm/densenet121", "timm/mobilenetv2_100", "timm/efficientnet_lite0")


@pytest.mark.parametrize(("name", "channels"), (ENCODERS | dict.fromkeys(ACTIVATION_INSIDE, 3)).items())
def test_synchronised_batch_normalisation_leaves_the_output_as_it_is(name, channels, monkeypatch) -> None:
    monkeypatch.setattr("probmcl.train.distributed.DistributedDataParallel", lambda model, device_ids: model)
    encoder = build_encoder(name, in_channels=channels).eval()
    images = torch.rand(2, channels, *((1, 1) if name == "feature-mlp" else (64, 64)))
    normalised = [layer for layer in encoder.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    for layer in normalised:  # blocks begin with a factor of 0, and would not count
        nn.init.uniform_(layer.weight, 0.5, 1.5)
    with torch.no_grad():
        before = encoder(images)
        after = replicate(encoder, torch.device("cuda"))(images)
    assert torch.equal(after, before)
    synchronised = [layer for layer in encoder.modules() if isinstance(layer, nn.SyncBatchNorm)]
    assert len(synchronised) == len(normalised)
    assert not any(layer.training for layer in synchronised)


def torchrun(script: Path, text: str) -> subprocess.CompletedProcess[str]:
    script.write_text(text)
    options = ["--standalone", "--local-addr=127.0.0.1"]  # the machine's name need not lead anywhere
    command = [sys.executable, "-m", "torch.distributed.run", *options, "--nproc-per-node", "2", str(script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_an_error_on_one_rank_ends_all_with_its_traceback(tmp_path: Path) -> None:
    found = torchrun(
        tmp_path / "fails.py",
        """
import torch.distributed as dist
from probmcl.train import process_group, this_share

def load_images():
    raise OSError("the disk of rank 1 is full")

with process_group("cpu"):
    if this_share().rank == 1:
        load_images()
    dist.barrier()  # half an hour of waiting for rank 1
    print("survived")
""",
    )
    assert found.returncode != 0
    assert "survived" not in found.stdout
    _, _, report = found.stderr.partition("Root Cause")
    assert "rank      : 1" in report
    assert "in load_images" in report
    assert "OSError: the disk of rank 1 is full" in report


def test_the_command_under_torchrun_writes_one_record_and_goes_on_from_checkpoints(tmp_path: Path) -> None:
    printed = ""
    for name in ("whole", "again"):  # the second time all is read back from the checkpoints of rank 0
        options = f"--device cpu --out {tmp_path}/{name}.json --checkpoints {tmp_path}/saved".split()
        found = torchrun(
            tmp_path / "run.py",
            f"""
import warnings
from probmcl.__main__ import main
from probmcl_book.commands import run
from probmcl_book.replicate.recipe import DigitsData, LettersStart, Method, Recipe
from probmcl.train import TrainingSettings

warnings.simplefilter("error")
tiny = TrainingSettings(epochs=1, batch_size=15, learning_rate=1e-3)
methods = (Method("BCE", "bce", tiny), Method("ProbMCL", "probmcl", tiny, trunk=(16, 8)))
data = DigitsData(train=45, validation=45, test=45, difficulty="easy")
run.RECIPES["digits"] = lambda: Recipe("tiny", data, LettersStart(31, tiny), "small-cnn", methods, tiny)
raise SystemExit(main(["run", "digits", *{options!r}]))
""",
        )
        assert found.returncode == 0, found.stderr
        printed += found.stdout
    whole, again = (read_record(tmp_path / f"{name}.json") for name in ("whole", "again"))
    command = "torchrun --nproc-per-node 2 -m probmcl run digits --device cpu"
    assert whole.command == f"{command} --out whole.json --checkpoints saved"
    assert printed.count("record written to") == 2
    assert {row.method: row.image_views for row in whole.rows}["ProbMCL"] == 2 * 45
    assert [row.metrics for row in again.rows] == [row.metrics for row in whole.rows]
    assert "Went on from checkpoints" in " ".join(again.notes)
