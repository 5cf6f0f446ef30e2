"""Merge an adapter into the weights and take it out again, to the bit.

Merging swaps a new Parameter in and keeps the old one; unmerging puts the same object back. No subtraction, so
nothing is lost in half precision, and a tied weight elsewhere is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from ..errors import AttachError, NotFoldable, explain
from .adapter import Adapter
from .host import MERGED, RECORD, _check
from .site import is_conv1d, is_plain, oriented

Place = tuple[nn.Module, str, nn.Parameter]  # a module, the name of a parameter in it, and the parameter


def merge(model: nn.Module, adapter: Adapter) -> nn.Module:
    """W <- W + B A at every site, and the parameters trained whole put in; no cost at inference.

    Raises:
        AttachError: an adapter is attached, or one is merged already.
        NotFoldable: a site is not a plain linear map (quantised, parallel), or the method does not fold.
        WrongBase: the adapter does not fit this model.
    """
    if hasattr(model, MERGED):
        raise AttachError(
            explain("an adapter is merged into this model already.", "To take it out: unmerge(model)"),
        )
    _nothing_attached(model)
    _check(model, {"default": adapter})
    with torch.no_grad():
        new = [*_whole(model, adapter), *_summed(model, adapter)]  # all of it, before anything is changed
    kept = []
    for owner, key, parameter in new:
        kept.append((owner, key, owner._parameters[key]))
        owner._parameters[key] = parameter
    setattr(model, MERGED, kept)
    return model


def _nothing_attached(model: nn.Module) -> None:
    if hasattr(model, RECORD):
        raise AttachError(
            explain("an adapter is attached to this model.", "To take it off first: detach(model)"),
        )


def _whole(model: nn.Module, adapter: Adapter) -> Iterator[Place]:
    """Parameters trained whole, at each place where the host uses them."""
    for name, tensor in adapter.whole.items():
        stem, _, leaf = name.rpartition(".")
        old = getattr(model.get_submodule(stem) if stem else model, leaf)
        new = nn.Parameter(tensor.to(old.device, old.dtype, copy=True), requires_grad=old.requires_grad)
        for owner in model.modules():
            yield from ((owner, key, new) for key, value in owner._parameters.items() if value is old)


def _summed(model: nn.Module, adapter: Adapter) -> Iterator[Place]:
    """W + B A of every site, stored as the layer stores its weight."""
    for name, factors in adapter.factors.items():
        layer = model.get_submodule(name)
        if not is_plain(layer):
            raise NotFoldable(
                explain(
                    f"{name} is a {type(layer).__name__}: its weight cannot take W + B A exactly.",
                    "Merging needs nn.Linear or Conv1D in a floating dtype.",
                    "It runs unmerged: attach(model, adapter)",
                ),
                site=name,
            )
        weight = oriented(layer)
        summed = adapter.method.merge(weight, {n: t.to(weight.device) for n, t in factors.items()})
        summed = summed.T.contiguous() if is_conv1d(layer) else summed
        flag = layer._parameters["weight"].requires_grad  # type: ignore[union-attr]
        yield layer, "weight", nn.Parameter(summed, requires_grad=flag)


def unmerge(model: nn.Module) -> nn.Module:
    """Put the original Parameter objects back.

    Raises:
        AttachError: nothing is merged, or an adapter is attached, of which parameters would be lost.
    """
    kept = getattr(model, MERGED, None)
    if kept is None:
        raise AttachError(
            explain("nothing is merged into this model.", "To merge: merge(model, adapter)"),
        )
    _nothing_attached(model)
    for owner, key, old in reversed(kept):
        now = owner._parameters[key]
        if now is not None and (now.device, now.dtype) != (old.device, old.dtype):  # model.to(...) meanwhile
            old.data = old.data.to(now.device, now.dtype)
        owner._parameters[key] = old
    delattr(model, MERGED)
    return model
