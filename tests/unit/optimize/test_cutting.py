"""Networks that are cut compute what the whole ones do without the cut channels, and are Ultralytics' own blocks."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchsuite.optimize.blocks import put_together, take_apart
from benchsuite.optimize.cutting import GUARD, CutPlan, cut
from benchsuite.optimize.gradients import LabelledBatch
from benchsuite.optimize.statistics import is_folded, unfold
from benchsuite.terms.errors import DataError, ModelError

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.slow
NETWORKS = ("yolov8n", "yolo11n", "yolo26n")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on the one core that there is."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _network(name: str, classes: int = 6) -> Any:
    """Build a network with random weights and batch norms that know what they normalise."""
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    network = DetectionModel(f"{name}.yaml", nc=classes, verbose=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    network.args = {"imgsz": 128}
    return network.eval()


def _images(px: int = 128) -> list[Any]:
    return [torch.rand(2, 3, px, px, generator=torch.Generator().manual_seed(seed)) for seed in range(2)]


@pytest.mark.parametrize("name", NETWORKS)
def test_taken_apart_and_put_together_is_the_same_network(name: str) -> None:
    """Not a bit of it changes, and nothing of ours is left in it."""
    network = _network(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    take_apart(network)
    put_together(network)
    after = network.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not [module for module in network.modules() if "forward" in module.__dict__]


@pytest.mark.parametrize("widths", ["free", "yaml"])
@pytest.mark.parametrize("ratio", [0.2, 0.6])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_cut_network_computes_what_the_whole_one_does_without_those_channels(
    name: str, ratio: float, widths: Any
) -> None:
    """Raw outputs agree, it runs, it is smaller, and it loads where this project is not known."""
    whole = _network(name)
    found = cut(copy.deepcopy(whole), name, CutPlan(ratio, 8, "l1", widths), _images())
    assert found.apart <= 1e-4
    sizes = [sum(it.numel() for it in network.parameters()) for network in (found.network, whole)]
    assert sizes[0] < (1 - 0.8 * ratio) * sizes[1]
    file = io.BytesIO()
    torch.save(found.network, file)
    foreign = {type(module).__module__.partition(".")[0] for module in found.network.modules()}
    assert foreign == {"torch", "ultralytics"}
    assert b"benchsuite" not in file.getvalue()
    with torch.no_grad():
        assert torch.isfinite(found.network(_images(160)[0])[0]).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_widths_of_a_yaml_are_those_that_it_builds(name: str) -> None:
    """Whoever trains the file by its yaml trains the narrower network: every weight has its place."""
    from ultralytics.nn.tasks import DetectionModel

    network = cut(_network(name), name, CutPlan(0.4, 8, "l2", "yaml"), _images()).network
    rebuilt = DetectionModel(copy.deepcopy(network.yaml), nc=6, verbose=False)
    rebuilt.load_state_dict(network.state_dict(), strict=True)


def test_free_widths_stop_whoever_would_train_the_full_network() -> None:
    """The name of the module that cannot be built says why."""
    from ultralytics.nn.tasks import DetectionModel

    network = cut(_network("yolov8n"), "yolov8n", CutPlan(0.2, 8, "bn", "free"), _images()).network
    with pytest.raises(KeyError, match=GUARD):
        DetectionModel(copy.deepcopy(network.yaml), nc=6, verbose=False)


def test_folded_batch_norms_are_given_their_statistics_back() -> None:
    """Outputs stay what they were, and batches in training are normalised as they were when it was trained."""
    network = _network("yolov8n")
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.zeros_(module.running_mean)
            torch.nn.init.ones_(module.running_var)
    assert is_folded(network)
    before = copy.deepcopy(network)
    unfold(network, _images())
    assert not is_folded(network)
    with torch.no_grad():
        one, other = (it(_images()[0])[0] for it in (before, network))
        assert torch.allclose(one, other, atol=1e-3, rtol=1e-4)


def test_blocks_that_nobody_looked_at_are_refused() -> None:
    """A network of another family is named with its blocks, before anything of it is changed."""
    from ultralytics.nn.tasks import DetectionModel

    network = DetectionModel("yolov10n.yaml", nc=6, verbose=False)
    with pytest.raises(ModelError, match=r"has blocks that pruning does not know: .*CIB"):
        cut(network, "yolov10n", CutPlan(0.2, 8, "l1", "free"), _images())


def test_fused_networks_are_refused() -> None:
    """Their batch norms are gone for good."""
    network = _network("yolo11n").fuse(verbose=False)
    with pytest.raises(ModelError, match="is fused: give the checkpoint that training wrote"):
        cut(network, "yolo11n", CutPlan(0.2, 8, "l1", "free"), _images())


def _labelled(seed: int) -> LabelledBatch:
    generator = torch.Generator().manual_seed(seed)
    return LabelledBatch(
        torch.rand(2, 3, 128, 128, generator=generator),
        torch.tensor([0.0, 1.0, 1.0]),
        torch.tensor([[0.0], [1.0], [5.0]]),
        torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.3, 0.3, 0.2, 0.5], [0.6, 0.6, 0.5, 0.3]]),
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_the_loss_decide_which_channels_go(name: str) -> None:
    """They choose others than sizes of weights do, the cut holds all the same, and no gradient is left."""
    plan = CutPlan(0.4, 8, "taylor", "free")
    by_loss = cut(_network(name), name, plan, _images(), [_labelled(1), _labelled(2)])
    by_size = cut(_network(name), name, replace(plan, importance="l1"), _images())
    assert by_loss.apart <= 1e-4
    one, other = (found.network.model[1].conv.weight for found in (by_loss, by_size))
    assert one.shape == other.shape
    assert not torch.equal(one, other)
    assert all(parameter.grad is None for parameter in by_loss.network.parameters())


def test_gradients_without_labels_are_refused() -> None:
    """Their loss would say nothing of objects."""
    nothing = LabelledBatch(_images()[0], torch.zeros(0), torch.zeros(0, 1), torch.zeros(0, 4))
    with pytest.raises(DataError, match="--importance taylor needs labels"):
        cut(_network("yolov8n"), "yolov8n", CutPlan(0.2, 8, "taylor", "free"), _images(), [nothing])
