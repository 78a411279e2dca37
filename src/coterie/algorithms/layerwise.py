r"""Pretraining one layer after another: a stack of denoising autoencoders.

Layer l reads what the layers before it make of a row, :math:`h = f_{l-1}(\dots f_1(x))`, and learns with the decoder
layer that mirrors it, :math:`g_l`, to return it from what dropout leaves of it and of the layer's own output:

.. math::
    \min_{f_l, g_l} \tfrac{1}{2n} \sum_i \|h_i - g_l(\mathrm{Drop}(f_l(\mathrm{Drop}(h_i))))\|^2

This is a sum over values where plain pretraining has a mean, with the half of the authors' framework: their rates of
learning mean nothing otherwise. When all layers are trained together their errors are made such sums too. Augmented
rows go in and the same ones without their noise are to come out, as in plain pretraining.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import dropout

from coterie.errors import InputError
from coterie.nn import Model, Stage, mirrored, mse, stages_of, walk
from coterie.training import Batch, Fit, Layerwise, Phase, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "layer-"


def phases(fit: Fit, schedule: Layerwise) -> list[Phase]:
    """Return a phase for each layer.

    Parameters
    ----------
    fit : Fit
        Its model's encoder and decoder must mirror each other.
    schedule : Layerwise
        How long and how fast.

    Returns
    -------
    list of Phase
        "layer-1", "layer-2" and so on.

    Raises
    ------
    InputError
        If the network cannot be taken apart.
    """
    _check(fit)
    return [
        fit.make_phase(f"{PREFIX}{number}", Turn("layer_terms", _names(pair), schedule))
        for number, pair in enumerate(_pairs(fit.model), 1)
    ]


def terms(fit: Fit, batch: Batch) -> dict[str, Tensor]:
    """Return the denoising error of the present phase's layer.

    Parameters
    ----------
    fit : Fit
        Amid one of :func:`phases`.
    batch : Batch
        Rows.

    Returns
    -------
    dict
        "denoising", half the squared norm of the error, a mean over rows.
    """
    assert fit.phase is not None
    number, share = int(fit.phase.name.removeprefix(PREFIX)), fit.settings["pretrain"].dropout
    pairs = _pairs(fit.model)
    before = [encoder for encoder, _ in pairs[: number - 1]]
    encoder, decoder = pairs[number - 1]
    seen = _through(before, batch.view)
    h = seen if batch.view is batch.wanted else _through(before, batch.wanted)  # (b, ...), what is to come back
    back = decoder(dropout(encoder(dropout(seen, share)), share))
    return {"denoising": 0.5 * h[0].numel() * mse(back.flatten(1), h.flatten(1))}


@torch.no_grad()
def _through(stages: Sequence[Stage], x: Tensor) -> Tensor:
    for stage in stages:
        x = stage(x)
    return x


def _pairs(model: Model) -> list[tuple[Stage, Stage]]:
    """Return each encoder stage with the decoder stage that mirrors it."""
    assert model.decoder is not None
    return list(zip(stages_of(model.encoder), stages_of(model.decoder)[::-1], strict=True))


@torch.no_grad()
def _check(fit: Fit) -> None:
    encoder, decoder = fit.model.encoder, fit.model.decoder
    assert decoder is not None
    # Between phases networks are in evaluation mode: batch norm does not take the zeros for rows.
    there = walk(stages_of(encoder), torch.zeros(2, *fit.source.spec.shape, device=fit.runtime.device))
    back = walk(stages_of(decoder), there[-1])
    if not mirrored(there, back):
        raise InputError(
            "The 'pretrain' parameter can be a Layerwise only where the encoder has at least two layers and the "
            "decoder mirrors them, as of MLP(hidden=(500, 500, 2000)) or a pair of nn.Sequential. "
            f"Got a network of {len(there)} and {len(back)} layers; a Schedule trains any."
        )


def _names(pair: tuple[Stage, Stage]) -> tuple[str, ...]:
    return tuple(
        f"{part}.{name}" if name else part
        for part, stage in zip(("encoder", "decoder"), pair, strict=True)
        for name in stage.names
    )
