"""What the style encoder is shown, and RSM from it."""

from __future__ import annotations

import pytest
import torch

from rses.backbones import load_style
from rses.functional import background_view, region_view, rsm
from tests.helpers.refusals import refused

FILL = (0.5, 0.25, 0.75)


@pytest.fixture(scope="module")
def style():
    return load_style("rses-mini", "cpu")


def sample(height=60, width=90):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, height, width, generator=generator)
    mask = torch.zeros(1, 1, height, width)
    mask[..., 10:30, 40:80] = 1
    return image, mask


def test_masked_shows_nothing_but_the_region():
    image, mask = sample()
    other = torch.where(mask.bool(), image, torch.rand_like(image))
    assert torch.equal(region_view(image, mask, 32, FILL, "masked"), region_view(other, mask, 32, FILL, "masked"))
    assert not torch.equal(region_view(image, mask, 32, FILL, "crop"), region_view(other, mask, 32, FILL, "crop"))


def test_crop_is_square_and_not_stretched():
    """A checkerboard of period 4 keeps its period in both directions."""
    image = ((torch.arange(60)[:, None] // 2 + torch.arange(90)[None] // 2) % 2).float().expand(1, 3, 60, 90)
    _, mask = sample()
    view = region_view(image, mask, 48, FILL, "crop", crop_pad=0.1)
    assert view.shape == (1, 3, 48, 48)
    # Box 40 wide, padded by 4 on both sides: a square window of 48, taken as it is.
    assert torch.equal(view, image[..., :48, 36:84]) or torch.equal(view[..., :, :], image[..., 0:48, 36:84])


def test_frame_is_black_outside_and_whole():
    image, mask = sample(64, 64)
    assert torch.equal(region_view(image, mask, 64, FILL, "frame"), image * mask)
    assert torch.equal(region_view(image, mask, 64, FILL, "image"), image)


def test_background_view_is_blind_to_the_region():
    image, mask = sample(64, 64)
    other = torch.where(mask.bool(), 1 - image, image)
    assert torch.equal(background_view(image, mask, 64, FILL), background_view(other, mask, 64, FILL))
    inside = background_view(image, mask, 64, FILL)[0, :, 20, 50]
    assert inside.tolist() == list(FILL)


def test_rsm_is_the_mapped_cosine(style):
    image, mask = sample()
    view = region_view(image, mask, style.image_size, style.mean, "crop")
    cosine = (style.encode_images(view) @ style.encode_texts(["mosaic"]).T).item()
    assert rsm(image, mask, ["mosaic"], style).item() == pytest.approx((1 + cosine) / 2, abs=1e-6)


def test_an_empty_mask_and_an_unknown_region_are_errors(style):
    image, mask = sample()
    with refused(ValueError, "empty"):
        rsm(image, mask * 0, ["mosaic"], style)
    with refused(ValueError, "unknown-value", "region"):
        region_view(image, mask, 32, FILL, "box")
