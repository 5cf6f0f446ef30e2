"""Merge an adapter into the weights and take it out again, to the bit.

Merging swaps a new Parameter in and keeps the old one; unmerging puts the same object back. No subtraction, so
nothing is lost in half precision, and a tied weight elsewhere is not touched.
"""

from __future__ import annotations

import torch
from torch import nn

from ..errors import AttachError, NotFoldable, explain
from .adapter import Adapter
from .host import MERGED, RECORD, _check
from .site import is_conv1d, is_plain, oriented


def merge(model: nn.Module, adapter: Adapter) -> nn.Module:
    """W <- W + B A at every site, and the parameters trained whole put in; no cost at inference.

    Raises:
        AttachError: an adapter is attached, or one is merged already.
        NotFoldable: a site is not a plain linear map (quantised, parallel), or the method does not fold.
        WrongBase: the adapter does not fit this model.
    """
    if hasattr(model, MERGED):
        raise AttachError("an adapter is merged into this model already. To take it out: unmerge(model)")
    if hasattr(model, RECORD):
        raise AttachError("an adapter is attached to this model. To take it off first: detach(model)")
    _check(model, {"default": adapter})
    for name in adapter.factors:
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
    kept: list[tuple[nn.Module, str, nn.Parameter]] = []
    with torch.no_grad():
        for name, tensor in adapter.whole.items():
            stem, _, leaf = name.rpartition(".")
            old = getattr(model.get_submodule(stem) if stem else model, leaf)
            new = nn.Parameter(tensor.to(old.device, old.dtype, copy=True), requires_grad=old.requires_grad)
            for owner in model.modules():
                for key, value in list(owner._parameters.items()):
                    if value is not None and value is old:
                        kept.append((owner, key, old))
                        owner._parameters[key] = new
        for name, factors in adapter.factors.items():
            layer = model.get_submodule(name)
            weight = oriented(layer)
            here = {n: t.to(weight.device) for n, t in factors.items()}
            summed = adapter.method.merge(weight, here)
            summed = summed.T.contiguous() if is_conv1d(layer) else summed
            old = layer._parameters["weight"]
            kept.append((layer, "weight", old))  # type: ignore[arg-type]
            layer._parameters["weight"] = nn.Parameter(summed, requires_grad=old.requires_grad)  # type: ignore[union-attr]
    setattr(model, MERGED, kept)
    return model


def unmerge(model: nn.Module) -> nn.Module:
    """Put the original Parameter objects back.

    Raises:
        AttachError: nothing is merged.
    """
    kept = getattr(model, MERGED, None)
    if kept is None:
        raise AttachError("nothing is merged into this model. To merge: merge(model, adapter)")
    for owner, key, old in reversed(kept):
        now = owner._parameters[key]
        if now is not None and now.device != old.device:
            old.data = old.data.to(now.device)
        owner._parameters[key] = old
    delattr(model, MERGED)
    return model
