from __future__ import annotations

import dataclasses

import pytest

from rses.errors import ProtocolError
from rses.protocol import PROTOCOLS, get_protocol

NAMES = ["rses-v1", "rses-mini", "regionroute-paper", "pie-bench", "brushbench"]


def test_the_five_protocols_exist():
    assert list(PROTOCOLS) == NAMES


def test_every_knob_is_on_the_card_and_in_the_hash():
    base = get_protocol("rses-v1")
    card = base.card()
    assert base.hash in card
    changes = {
        "style_backbone": "rses-mini", "perceptual_backbone": "lpips:vgg", "template": "a {style} picture",
        "text": "prompt", "region": "masked", "crop_pad": 0.2, "lpips_form": "strict", "pixel_form": "full_frame",
        "ssim_form": "none", "perfect_psnr": "1000", "border": "forced_edit", "ignore_band": 3, "boundary_width": 8,
        "force_size": 512,
    }  # fmt: skip
    assert set(changes) == set(base.knobs)
    for knob, value in changes.items():
        assert knob in card
        changed = dataclasses.replace(base, **{knob: value})
        assert changed.hash != base.hash, knob


def test_title_and_notes_do_not_change_the_hash():
    base = get_protocol("rses-v1")
    assert dataclasses.replace(base, title="other", notes=()).hash == base.hash


def test_a_changed_protocol_says_so():
    changed = get_protocol("rses-v1").replace(ignore_band=2)
    assert changed.id == "rses-v1+custom"
    assert changed.replace(crop_pad=0.0).id == "rses-v1+custom"
    assert get_protocol("rses-v1").replace(ignore_band=0) is get_protocol("rses-v1")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_protocol("rses-v2"), 'Did you mean "rses-v1"'),
        (lambda: get_protocol("rses-v1").replace(lpips_form="neutrall"), 'Did you mean "neutral"'),
        (lambda: get_protocol("rses-v1").replace(lpip_form="x"), 'Did you mean "lpips_form"'),
        (lambda: get_protocol("rses-v1").replace(template="no slot"), "{style}"),
        (lambda: get_protocol("rses-v1").replace(boundary_width=0), "at least"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ProtocolError) as caught:
        call()
    assert message in str(caught.value)


def test_mini_differs_from_v1_in_the_backbones_and_what_they_see():
    a, b = get_protocol("rses-v1").knobs, get_protocol("rses-mini").knobs
    assert {key for key in a if a[key] != b[key]} == {"style_backbone", "perceptual_backbone", "region"}
