"""A table of a network's layers, shapes and parameter counts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from coterie.nn.model import Model, device_of


def summarise_network(model: Model, shape: tuple[int, ...]) -> str:
    """Describe the parts of a model, a line for each layer.

    Parameters
    ----------
    model : Model
        The network; left as it is.
    shape : tuple of int
        Shape of one row.

    Returns
    -------
    str
        Lines of layer, output shape and number of parameters, with the total last.

    Examples
    --------
    >>> from coterie.nn import Model, StudentT, summarise_network
    >>> from torch import nn
    >>> print(summarise_network(Model(nn.Linear(4, 2), nn.Linear(2, 4), StudentT(3, 2)), (4,)))
    part     layer     output  parameters
    encoder  Linear    2               10
    decoder  Linear    4               12
    head     StudentT  3                6
    total                              28
    """
    rows: list[tuple[str, str, str, int]] = []
    handles = [
        layer.register_forward_hook(_recorder(rows, part))
        for part, network in model.named_children()
        for layer in ([network] if not list(network.children()) else network.modules())
        if not list(layer.children())
    ]
    device = device_of(model)
    try:
        with torch.no_grad():
            model.run_all(torch.zeros(1, *shape, device=device))
    finally:
        for handle in handles:
            handle.remove()
    total = sum(p.numel() for p in model.parameters())
    return _table([*rows, ("total", "", "", total)])


def _recorder(
    rows: list[tuple[str, str, str, int]], part: str
) -> Callable[[nn.Module, tuple[Tensor, ...], object], None]:
    def record(layer: nn.Module, _inputs: tuple[Tensor, ...], output: object) -> None:
        count = sum(p.numel() for p in layer.parameters(recurse=False))
        # Recurrent layers give several tensors: no one shape says it.
        shape = " x ".join(str(s) for s in output.shape[1:]) if isinstance(output, Tensor) else "-"
        rows.append((part, type(layer).__name__, shape, count))

    return record


def _table(rows: list[tuple[str, str, str, int]]) -> str:
    lines = [("part", "layer", "output", "parameters"), *((a, b, c, f"{d:,}") for a, b, c, d in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    text = [
        "  ".join([*(v.ljust(w) for v, w in zip(line, widths, strict=False)), ""])[: sum(widths[:3]) + 6]
        for line in lines
    ]
    return "\n".join(t + line[3].rjust(widths[3]) for t, line in zip(text, lines, strict=True))
