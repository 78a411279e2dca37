"""A network stage by stage: a stage is a layer that has weights and what follows it, up to the next such layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import dropout


@dataclass(frozen=True)
class Stage:
    """A layer with weights, and the activation, normalisation and reshaping around it.

    Parameters
    ----------
    names : tuple of str
        What the network calls its modules.
    modules : tuple of nn.Module
        The modules, in order.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import Stage
    >>> Stage(("0", "1"), (torch.nn.Flatten(), torch.nn.ReLU()))(torch.full((1, 2, 2), -1.0))
    tensor([[0., 0., 0., 0.]])
    """

    names: tuple[str, ...]
    modules: tuple[nn.Module, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """Return what the stage makes of x."""
        for module in self.modules:
            x = module(x)
        return x


def stages_of(network: nn.Module) -> list[Stage]:
    """Cut a network into its stages.

    Parameters
    ----------
    network : nn.Module
        As a rule an ``nn.Sequential``, perhaps of others. Of any other module nothing is known of what is within: it is
        one stage.

    Returns
    -------
    list of Stage
        One after the other they are the network.

    Examples
    --------
    >>> from torch import nn
    >>> from coterie.nn import stages_of
    >>> [s.names for s in stages_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))]
    [('0', '1', '2'), ('3',)]
    """
    cut: list[list[tuple[str, nn.Module]]] = [[]]
    weighed = False  # what comes before the first weights belongs to the first stage
    for name, module in _flat(network, ""):
        weighs = any(p.ndim > 1 for p in module.parameters())  # normalisations have only vectors
        # Maps are flattened for the layer that follows, so that what comes out of a stage is what its mirror takes.
        if weighed and (weighs or isinstance(module, nn.Flatten)):
            cut.append([])
            weighed = False
        weighed = weighed or weighs
        cut[-1].append((name, module))
    if not weighed and len(cut) > 1:
        rest = cut.pop()
        cut[-1] += rest
    return [Stage(tuple(name for name, _ in part), tuple(module for _, module in part)) for part in cut]


def walk(stages: list[Stage], x: Tensor, *, noise: float = 0.0) -> list[Tensor]:
    """Return the output of each stage.

    Parameters
    ----------
    stages : list of Stage
        What :func:`stages_of` returned.
    x : Tensor of shape (b, ...)
        What goes into the first.
    noise : float, default=0.0
        Share of a hidden stage's values that are set to zero at random, before they are returned and go on; the others
        grow so that the mean stays. The last stage's are left alone. In [0, 1).

    Returns
    -------
    list of Tensor
        As many as there are stages; the last is the network's output.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import stages_of, walk
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    >>> [tuple(h.shape) for h in walk(stages_of(network), torch.zeros(5, 4))]
    [(5, 3), (5, 2)]
    """
    outputs: list[Tensor] = []
    for number, stage in enumerate(stages, 1):
        x = stage(x)
        if noise and number < len(stages):
            x = dropout(x, noise)
        outputs.append(x)
    return outputs


def mirrored(there: list[Tensor], back: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Pair the decoder's hidden outputs with those of the encoder that they should be.

    Parameters
    ----------
    there : list of Tensor
        Outputs of the encoder's stages, from :func:`walk`.
    back : list of Tensor
        Outputs of the decoder's stages.

    Returns
    -------
    list of (Tensor, Tensor)
        Decoder's and encoder's, each of shape (b, entries), from the code outwards; empty if the decoder does not
        mirror the encoder.

    Examples
    --------
    >>> import torch
    >>> from coterie.nn import mirrored
    >>> x, h, z = torch.zeros(1, 4), torch.ones(1, 3), torch.zeros(1, 2)
    >>> mirrored([h, z], [h + 1, x])
    [(tensor([[2., 2., 2.]]), tensor([[1., 1., 1.]]))]
    >>> mirrored([h, z], [x])
    []
    """
    pairs = [(b.flatten(1), t.flatten(1)) for b, t in zip(back[:-1], there[-2::-1], strict=False)]
    alike = len(there) == len(back) and all(b.shape == t.shape for b, t in pairs)
    return pairs if alike else []


def _flat(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(module, nn.Sequential):
        yield name, module
        return
    for child, inner in module.named_children():
        yield from _flat(inner, f"{name}.{child}" if name else child)
