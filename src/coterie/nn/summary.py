"""A table of a network's layers, shapes and parameter counts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from coterie.errors import InputError
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
        Lines of a layer's name, kind, output shape and number of parameters, with the total last.

    Examples
    --------
    >>> from coterie.nn import Model, StudentT, summarise_network
    >>> from torch import nn
    >>> print(summarise_network(Model(nn.Linear(4, 2), nn.Linear(2, 4), StudentT(3, 2)), (4,)))
    name     layer     output  parameters
    encoder  Linear    2               10
    decoder  Linear    4               12
    head     StudentT  3                6
    total                              28
    """
    rows: list[tuple[str, str, str, int]] = []
    handles = [
        layer.register_forward_hook(_recorder(rows, name))
        for name, layer in model.named_modules()
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


def layer_outputs(model: Model, name: str) -> Callable[[Tensor], Tensor]:
    """Return the function from rows to one layer's flattened output.

    Parameters
    ----------
    model : Model
        The network; left as it is.
    name : str
        A layer of encoder or decoder by the name that :func:`summarise_network` lists it under.

    Returns
    -------
    callable
        From rows, shape (b, *shape), to outputs, shape (b, ...) flattened; of a layer that is used several times, the
        last one.

    Raises
    ------
    InputError
        If there is no such layer, or its output is not one tensor with a row for each row.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Model, StudentT, layer_outputs
    >>> encoder = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> model = Model(encoder, torch.nn.Linear(3, 4), StudentT(2, 3))
    >>> layer_outputs(model, "encoder.0")(torch.zeros(5, 4)).shape
    torch.Size([5, 3])
    """
    layers = {
        path: layer
        for path, layer in model.named_modules()
        if path.split(".")[0] in ("encoder", "decoder") and not list(layer.children())
    }
    if name not in layers:
        raise InputError(f"The network has no layer {name!r}; it has {', '.join(layers)}.")

    def read(x: Tensor) -> Tensor:
        kept: list[object] = []
        handle = layers[name].register_forward_hook(lambda _layer, _inputs, output: kept.append(output))
        try:
            z = model.decoder_input(x)
            if model.decoder is not None and name.startswith("decoder"):
                model.decoder(z)
        finally:
            handle.remove()
        output = kept[-1] if kept else None
        if not isinstance(output, Tensor) or len(output) != len(x):
            raise InputError(f"The layer {name!r} does not give one tensor with a row for each row.")
        return output.flatten(1)

    return read


def _recorder(
    rows: list[tuple[str, str, str, int]], name: str
) -> Callable[[nn.Module, tuple[Tensor, ...], object], None]:
    def record(layer: nn.Module, _inputs: tuple[Tensor, ...], output: object) -> None:
        count = sum(p.numel() for p in layer.parameters(recurse=False))
        # Recurrent layers give several tensors: no one shape says it.
        shape = " x ".join(str(s) for s in output.shape[1:]) if isinstance(output, Tensor) else "-"
        rows.append((name, type(layer).__name__, shape, count))

    return record


def _table(rows: list[tuple[str, str, str, int]]) -> str:
    lines = [("name", "layer", "output", "parameters"), *((a, b, c, f"{d:,}") for a, b, c, d in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    text = []
    for line in lines:
        words = [value.ljust(width) for value, width in zip(line[:3], widths[:3], strict=True)]
        text.append("  ".join([*words, line[3].rjust(widths[3])]))
    return "\n".join(text)
