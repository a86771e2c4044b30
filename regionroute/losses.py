"""Attention losses: Focus (where does the style token look?) and Cover (is the whole object covered?), in three modes.

- ``exact``: maps normalised over space. The gradient depends on the mask, and neither vanishes at the magnitudes that
  attention has (1e-4) nor changes with them.
- ``paper``: the formulas as printed (RegionRoute, arXiv 2602.19254).
- ``official``: what the released code computes, a softmax over the style tokens alone. Its gradient does not depend on
  the mask, and is zero with one style token; it is here to be compared with.

``docs/attention-supervision.md`` shows what each does. Everywhere: maps (layers, B, H, N, T) probabilities over all
keys, masks (B, N) in [0, 1], valid (B, T) bool.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from rses.errors import InputError, Place, did_you_mean

Mode = Literal["exact", "paper", "official"]
MODES: tuple[str, ...] = get_args(Mode)

# Share of a map that is spread evenly before its logarithm is taken: a zero then costs ln 1e6 and has a gradient.
SPREAD = 1e-6
# Least total of a map that is divided by: far below any that attention has, far above what would overflow.
LEAST = 1e-20
DEFAULT_ALPHA = {"exact": 1.0, "paper": 2.0, "official": 2.0}


def mean_map(maps: Tensor, valid: Tensor) -> Tensor:
    """Return the mean over layers, heads and the valid style tokens, (B, N) float32.

    Example:
        >>> maps = torch.tensor([0.1, 0.3]).reshape(1, 1, 1, 1, 2)
        >>> mean_map(maps, torch.tensor([[True, False]])).tolist()
        [[0.10000000149011612]]
    """
    _check_maps(maps, valid)
    return _token_mean(maps.mean(dim=(0, 2), dtype=torch.float32), valid[:, None])


def log_odds(mean: Tensor) -> Tensor:
    """Return the log-odds (B, N) of every cell of a mean map against a uniform one, zero where the map is uniform.

    That is logit(p) - logit(1 / N), p the map over its sum.

    Example:
        >>> [round(x, 3) for x in log_odds(torch.tensor([[0.2, 0.1, 0.1]]))[0].tolist()]
        [0.693, -0.405, -0.405]
    """
    distribution = _distribution(mean.float())
    cells = distribution.shape[-1]
    inside = distribution + SPREAD / cells
    # Summed, not 1 - inside: that loses all digits when one cell has nearly everything.
    outside = (1 - distribution).clamp_min(0) + SPREAD * (cells - 1) / cells
    return inside.log() - outside.log() + math.log(cells - 1)


def mass_inside(maps: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
    """Return the share (B,) of the mean map inside the mask; a map that looks everywhere alike has the mask's mean.

    That mean is the area share, unless :func:`~regionroute.grid.mask_to_grid` raised a mask that fills no cell.
    """
    _check(maps, masks, valid)
    return (_distribution(mean_map(maps, valid)) * masks.float()).sum(dim=-1)


def focus_loss(maps: Tensor, masks: Tensor, valid: Tensor, mode: Mode = "exact", tau: float = 0.1) -> Tensor:
    """Focus, (B,) float32: divergence between where the style tokens look and the mask.

    With m the mask divided by its sum, M the mean map:

    - exact: KL(m || M / sum M).
    - paper: KL(softmax(M / tau) || m), infinite outside the mask as printed; here ``SPREAD`` of m is spread evenly.
    - official: A_k / sum_k A_k averaged over heads; KL(m || softmax(that / tau)) averaged over layers and tokens.

    ``tau`` is the temperature of the modes ``paper`` and ``official``.

    Raises:
        InputError: The mode is unknown, a mask is empty or a shape does not fit.
    """
    _check_mode(mode)
    _check(maps, masks, valid)
    masks = masks.float()
    target = masks / masks.sum(dim=-1, keepdim=True)
    if mode == "exact":
        return _kl(target, _spread(_distribution(mean_map(maps, valid))).log())
    if mode == "paper":
        log_prediction = (mean_map(maps, valid) / tau).log_softmax(dim=-1)
        return (log_prediction.exp() * (log_prediction - _spread(target).log())).sum(dim=-1)
    log_prediction = (_among_style_tokens(maps, valid) / tau).log_softmax(dim=-1)
    return _token_mean(_kl(target[:, None], log_prediction), valid).mean(dim=0)


def cover_loss(maps: Tensor, masks: Tensor, valid: Tensor, mode: Mode = "exact", alpha: float | None = None) -> Tensor:
    """Cover, (B,) float32: binary cross-entropy of every cell against the mask, averaged over cells.

    With p = M / sum M, M the mean map of N cells:

    - exact: logits alpha * (logit(p) - logit(1 / N)), zero where the map is uniform; alpha 1 by default.
    - paper: logits alpha * M as printed, so never below ln 2 outside the mask; alpha 2 by default.
    - official: logits alpha * A_k / sum_k A_k, averaged over layers and tokens; alpha 2 by default.

    Raises:
        InputError: The mode is unknown, a mask is empty or a shape does not fit.
    """
    _check_mode(mode)
    _check(maps, masks, valid)
    masks = masks.float()
    alpha = DEFAULT_ALPHA[mode] if alpha is None else alpha
    if mode == "official":
        logits = alpha * _among_style_tokens(maps, valid)
        cells = F.binary_cross_entropy_with_logits(logits, masks[:, None].expand_as(logits), reduction="none")
        return _token_mean(cells.mean(dim=-1), valid).mean(dim=0)
    mean = mean_map(maps, valid)
    logits = alpha * (log_odds(mean) if mode == "exact" else mean)
    return F.binary_cross_entropy_with_logits(logits, masks, reduction="none").mean(dim=-1)


def _distribution(maps: Tensor) -> Tensor:
    return maps / maps.sum(dim=-1, keepdim=True).clamp_min(LEAST)


def _spread(distribution: Tensor) -> Tensor:
    return (distribution + SPREAD / distribution.shape[-1]) / (1 + SPREAD)


def _among_style_tokens(maps: Tensor, valid: Tensor) -> Tensor:
    """Softmax over the style tokens alone, averaged over heads: (layers, B, T, N)."""
    # A softmax rather than a quotient: with one token its gradient is zero exactly, as in the released code.
    logits = maps.float().clamp_min(LEAST).log().masked_fill(~valid[:, None, None], -torch.inf)
    return logits.softmax(dim=-1).mean(dim=2).transpose(-1, -2)


def _kl(target: Tensor, log_prediction: Tensor) -> Tensor:
    return (torch.xlogy(target, target) - target * log_prediction).sum(dim=-1)


def _token_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over the last axis (tokens) where valid."""
    return (values * valid).sum(dim=-1) / valid.sum(dim=-1)


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise InputError(
            f'Unknown loss mode "{mode}", expected one of {", ".join(MODES)}.{did_you_mean(mode, MODES)}',
            code="unknown-value",
            place=Place(field="mode"),
        )


def _check_maps(maps: Tensor, valid: Tensor) -> None:
    if maps.ndim != 5:
        raise InputError(
            f"Maps must have the shape (layers, B, H, N, T), got {tuple(maps.shape)}.",
            code="wrong-shape",
            place=Place(field="maps"),
        )
    if valid.shape != (maps.shape[1], maps.shape[4]):
        expected = (maps.shape[1], maps.shape[4])
        raise InputError(
            f"valid must have the shape (B, T) = {expected} of the maps, got {tuple(valid.shape)}.",
            code="wrong-shape",
            place=Place(field="valid"),
        )
    if not bool(valid.any(dim=-1).all()):
        raise InputError("Every sample needs at least one valid style token.", code="empty", place=Place(field="valid"))


def _check(maps: Tensor, masks: Tensor, valid: Tensor) -> None:
    _check_maps(maps, valid)
    expected = (maps.shape[1], maps.shape[3])
    if expected[1] < 2:
        raise InputError(
            "Maps need at least two cells: one cell has no outside.", code="wrong-length", place=Place(field="maps")
        )
    if masks.shape != expected:
        raise InputError(
            f"Masks must have the shape (B, N) = {expected} of the maps, got {tuple(masks.shape)}. "
            "Bring them to the grid of image tokens with mask_to_grid.",
            code="wrong-shape",
            place=Place(field="masks"),
        )
    # Written so that NaN counts as empty.
    empty = [index for index, total in enumerate(masks.sum(dim=-1).tolist()) if not total > 0]
    if empty:
        raise InputError(
            f"The masks of samples {empty} are empty: there is no object to attend to. Leave them out.",
            code="empty",
            place=Place(field="masks"),
        )
