"""P13: no state of the caller's process changes a number: all columns, bit by bit, under one state after another."""

from __future__ import annotations

import contextlib
import locale
import os
import random
import warnings

import numpy as np
import pytest
import torch

from rses import RSES
from rses.backbones import load_perceptual, load_style
from rses.functional import boundary_mse, masked_lpips, masked_mse, masked_ssim, region_view, rsm
from rses.metrics import MaskedLPIPS, MaskedMSE, MaskedSSIM, RegionalStyleMatching


def picture(size=(97, 128), seed=0):
    rng = np.random.default_rng(seed)
    height, width = size
    smooth = np.cumsum(rng.normal(0, 6, (height, width, 3)), axis=1)
    return np.clip(128 + smooth, 0, 255).astype(np.uint8)


def inputs():
    source = picture()
    noise = np.random.default_rng(1).integers(-30, 30, source.shape)
    pred = np.clip(source.astype(int) + noise, 0, 255).astype(np.uint8)
    mask = np.zeros(source.shape[:2], bool)
    mask[20:70, 30:80] = True
    return pred, source, mask


def numbers(scorer=None):
    """Return every column of a sample, floats in hexadecimal."""
    scorer = scorer or RSES("rses-mini", device="cpu")
    sample = scorer.score(*inputs(), "pixel art", styles=["line art", "watercolor"], object="cat")
    return {key: value.hex() if isinstance(value, float) else value for key, value in sample.to_dict().items()}


def tensors():
    pred, source, mask = inputs()
    images = (torch.from_numpy(array).permute(2, 0, 1)[None].to(torch.float32) / 255 for array in (pred, source))
    return (*images, torch.from_numpy(mask)[None, None])


def functions():
    """Return what each public function gives, in hexadecimal."""
    pred, source, mask = tensors()
    style, trunk = load_style("rses-mini"), load_perceptual("rses-mini")
    found = {
        "mse": masked_mse(pred, source, mask),
        "ssim": masked_ssim(pred, source, mask),
        "lpips": masked_lpips(pred, source, mask, trunk),
        "boundary": boundary_mse(pred, source, mask),
        "rsm": rsm(pred, mask, ["pixel art"], style),
        "view": region_view(pred, mask, 128, (0.5, 0.5, 0.5)).double().sum((1, 2, 3)),
    }
    return {name: (value.dtype, [number.hex() for number in value.tolist()]) for name, value in found.items()}


@contextlib.contextmanager
def put_back(read, write, value):
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)


def dtype(value):
    return put_back(torch.get_default_dtype, torch.set_default_dtype, value)


@contextlib.contextmanager
def default_device(name):
    with torch.device(name):
        yield


@contextlib.contextmanager
def float32_precision(name):
    flags = [torch.backends.cuda.matmul, torch.backends.cudnn]
    new = (
        [
            torch.backends.cudnn.conv,
            torch.backends.cuda.matmul,
            torch.backends.mkldnn.matmul,
            torch.backends.mkldnn.conv,
        ]
        if hasattr(torch.backends.cudnn, "conv")
        else []
    )
    before = [owner.fp32_precision for owner in new] or [owner.allow_tf32 for owner in flags]
    torch.set_float32_matmul_precision(name)
    try:
        yield
    finally:
        if new:
            for owner, value in zip(new, before, strict=True):
                owner.fp32_precision = value
        else:
            torch.set_float32_matmul_precision("highest")
            for owner, value in zip(flags, before, strict=True):
                owner.allow_tf32 = value


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextlib.contextmanager
def seeded():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    yield


@contextlib.contextmanager
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextlib.contextmanager
def other_locale():
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "C"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            break
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


@contextlib.contextmanager
def elsewhere():
    with put_back(os.getcwd, os.chdir, "/"):
        yield


STATES = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast-cuda": lambda: torch.autocast("cuda") if torch.cuda.is_available() else contextlib.nullcontext(),
    "autocast-float16": lambda: torch.autocast("cpu", torch.float16),
    "float64": lambda: dtype(torch.float64),
    "float16": lambda: dtype(torch.float16),
    "bfloat16": lambda: dtype(torch.bfloat16),
    "device-meta": lambda: default_device("meta"),
    "precision-medium": lambda: float32_precision("medium"),
    "precision-high": lambda: float32_precision("high"),
    "mkldnn-off": lambda: put_back(
        lambda: torch.backends.mkldnn.enabled, lambda v: setattr(torch.backends.mkldnn, "enabled", v), False
    ),
    "deterministic": deterministic,
    "inference-mode": torch.inference_mode,
    "no-grad": torch.no_grad,
    "grad": torch.enable_grad,
    "anomaly": torch.autograd.detect_anomaly,
    "threads-2": lambda: put_back(torch.get_num_threads, torch.set_num_threads, 2),
    "threads-4": lambda: put_back(torch.get_num_threads, torch.set_num_threads, 4),
    "seeds": seeded,
    "numpy-raises": lambda: np.errstate(all="raise"),
    "warnings-are-errors": warnings_are_errors,
    "locale": other_locale,
    "cwd": elsewhere,
    "umask": lambda: put_back(lambda: 0o022, os.umask, 0o077),
}


@pytest.fixture(scope="module")
def plain():
    with put_back(torch.get_num_threads, torch.set_num_threads, 1):
        yield numbers(), functions()


@pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore:In CPU autocast")
@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_process_changes_a_number(state, plain):
    before = RSES("rses-mini", device="cpu")
    numbers(before)
    with STATES[state]():
        again = numbers(), functions()
        known = numbers(before)
    assert again == plain
    assert known == plain[0]


@pytest.mark.parametrize("state", [name for name in STATES if name not in ("seeds", "umask", "cwd", "locale")])
def test_the_state_is_as_before_afterwards(state):
    def read():
        return (
            torch.get_default_dtype(), torch.get_default_device(), torch.is_autocast_enabled("cpu"),
            torch.get_num_threads(), torch.get_deterministic_debug_mode(), torch.is_inference_mode_enabled(),
            torch.is_grad_enabled(), torch.backends.mkldnn.enabled, torch.backends.cudnn.benchmark,
            torch.get_float32_matmul_precision() if not hasattr(torch.backends.cudnn, "conv")
            else torch.backends.cuda.matmul.fp32_precision,
        )  # fmt: skip

    with STATES[state]():
        before = read()
        numbers()
        assert read() == before


def random_states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_random_states_are_left_alone():
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = random_states()
    numbers()
    functions()
    assert random_states() == before


@pytest.mark.parametrize("cast", ["half", "bfloat16", "float", "cpu"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_cast_of_the_module_takes_nothing_from_a_running_metric(cast, nested):
    pred, source, mask = tensors()
    metric = MaskedMSE()
    module = torch.nn.ModuleDict({"metric": metric, "layer": torch.nn.Linear(2, 2)}) if nested else metric
    for _ in range(150):
        metric.update(pred, source, mask)
    getattr(module, cast)()
    for _ in range(150):
        metric.update(pred, source, mask)
    assert metric.count.item() == 300
    assert metric.compute().dtype == torch.float64
    assert metric.compute().item() == pytest.approx(masked_mse(pred, source, mask).item(), rel=1e-12)


def test_a_metric_made_in_inference_mode_goes_on_outside():
    pred, source, mask = tensors()
    with torch.inference_mode():
        metric = MaskedMSE()
        metric.update(pred, source, mask)
    metric.update(pred, source, mask)
    assert metric.count.item() == 2


class OnMps(torch.Tensor):
    """Stands for a tensor of a device without float64: it says so, and refuses float64 as that device does."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if func is torch.Tensor.device.__get__:
            return torch.device("mps")
        if name in ("cpu", "to") and (
            name == "cpu" or any(str(part) == "cpu" for part in (*args[1:], *kwargs.values()))
        ):
            plain = args[0].as_subclass(torch.Tensor)
            return plain if name == "cpu" else plain.to(*args[1:], **kwargs)
        result = super().__torch_function__(func, types, args, kwargs)
        for item in result if isinstance(result, tuple | list) else [result]:
            if isinstance(item, OnMps) and torch.Tensor.dtype.__get__(item.as_subclass(torch.Tensor)) == torch.float64:
                raise TypeError(
                    "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
                )
        return result


def test_the_stand_in_refuses_float64():
    with pytest.raises(TypeError, match="MPS"):
        torch.rand(2).as_subclass(OnMps).double()
    with pytest.raises(TypeError, match="MPS"):
        torch.rand(2).as_subclass(OnMps).to(torch.float64)


def test_a_device_without_float64_gives_the_same_numbers(plain, monkeypatch):
    from rses.scoring.measure import Measurer

    pred, source, mask = (tensor.as_subclass(OnMps) for tensor in tensors())
    assert masked_mse(pred, source, mask).item().hex() == plain[1]["mse"][1][0]
    original = Measurer._stack
    monkeypatch.setattr(Measurer, "_stack", lambda self, parts: original(self, parts).as_subclass(OnMps))
    assert numbers() == plain[0]
    for metric in (MaskedMSE(), MaskedSSIM(), MaskedLPIPS(load_perceptual("rses-mini"))):
        metric.update(pred, source, mask)
        assert metric.count.item() == 1
    style = RegionalStyleMatching(load_style("rses-mini"))
    style.update(pred, mask, ["pixel art"])
    assert style.compute().item() == pytest.approx(float.fromhex(plain[1]["rsm"][1][0]))
    heat = RSES("rses-mini", device="cpu").heatmap(*inputs())
    assert heat.shape == (97, 128)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_number_of_a_folder(threads, tmp_path):
    from rses.images.tensors import write_png
    from rses.inputs.sample import Sample
    from rses.scoring.options import RunOptions

    pred, source, mask = inputs()
    units = []
    for index in range(5):
        for role, array in (("pred", np.roll(pred, index)), ("image", source), ("mask", mask)):
            write_png(tmp_path / role / f"{index}.png", array)
        paths = {role: tmp_path / role / f"{index}.png" for role in ("pred", "image", "mask")}
        units.append(Sample(str(index), style="pixel art", **paths))
    with put_back(torch.get_num_threads, torch.set_num_threads, threads):
        found = RSES("rses-mini", device="cpu").score_samples(units, RunOptions(styles=["pixel art", "line art"]))
        assert torch.get_num_threads() == threads
    alone = [
        RSES("rses-mini", device="cpu").score(*inputs_of(unit), "pixel art", styles=["line art"]) for unit in units
    ]
    columns = ("mse_bg", "ssim_bg", "lpips_bg", "rsm", "leakage", "rses_p", "style_correct")
    assert [[getattr(s, name) for name in columns] for s in found.samples] == [
        [getattr(s, name) for name in columns] for s in alone
    ]


def inputs_of(unit):
    return unit.pred, unit.image, unit.mask
