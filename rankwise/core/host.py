"""Host: an ordinary model with adapters attached. Attach, detach, and a with-block; merging is in merge.py.

Module swap: each site's linear map is wrapped by an Adapted module whose factors are registered parameters, so
accelerate, DDP, gradient checkpointing and .to() work. Detaching puts the same module objects back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..errors import AttachError, UnknownName, WrongBase, explain
from .adapted import Adapted, Attached
from .adapter import Adapter
from .head import Head
from .head import apply as apply_head
from .site import Factors, dtype_of, is_linear, site_of

RECORD = "_rankwise_host"
MERGED = "_rankwise_merged"
HEADS = "rankwise_heads"


def attach(model: nn.Module, adapter: Adapter | Mapping[str, Adapter]) -> nn.Module:
    """Attach one adapter, or several by name; the model itself is changed and given back.

    With one, every row uses it. With several, `rows(model, names)` says which row uses which; rows without a
    name see the base model. Base parameters stop requiring gradients until detach.

    Raises:
        AttachError: something is attached already, or a site is not a linear map here.
        WrongBase: a site is missing, or has other sizes, or two adapters both train the host's parameters.
    """
    adapters = dict(adapter) if isinstance(adapter, Mapping) else {"default": adapter}
    if hasattr(model, RECORD):
        names = ", ".join(getattr(model, RECORD).adapters)
        raise AttachError(
            explain(
                f"the model already has an adapter attached ({names}).",
                "Several go on together: attach(model, {'a': one, 'b': two}).",
                "To take off what is there: detach(model)",
            )
        )
    _check(model, adapters)
    record = Attached(adapters)
    setattr(model, RECORD, record)
    record.grads = [(p, p.requires_grad) for p in model.parameters()]
    for parameter, _ in record.grads:
        parameter.requires_grad_(False)
    for number, one in enumerate(adapters.values()):
        _put_factors(model, record, number, one)
        _put_whole(model, record, one)
    _put_heads(model, adapters)
    return model


def _check(model: nn.Module, adapters: Mapping[str, Adapter]) -> None:
    modules = dict(model.named_modules())
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for adapter in adapters.values():
        for site in adapter.sites:
            layer = modules.get(site.name)
            if layer is None or not is_linear(layer):
                raise _wrong_base(model, adapter, f"it has no linear map {site.name!r}")
            here = site_of(site.name, layer)
            if (here.in_features, here.out_features) != (site.in_features, site.out_features):
                raise _wrong_base(
                    model,
                    adapter,
                    f"{site.name!r} is {here.in_features} -> {here.out_features} there and "
                    f"{site.in_features} -> {site.out_features} in the adapter",
                )
        for name, tensor in adapter.whole.items():
            if name not in parameters or parameters[name].shape != tensor.shape:
                raise _wrong_base(model, adapter, f"it has no parameter {name!r} of shape {tuple(tensor.shape)}")
    replacing = [name for name, a in adapters.items() if a.whole]
    if len(replacing) > 1:
        raise AttachError(
            explain(
                f"{' and '.join(replacing)} both train parameters of the host, "
                f"such as {min(adapters[replacing[0]].whole)!r}.",
                "The host has one of each, so that only one adapter may replace them.",
                "Heads that go on together are rankwise's own: new(model, ..., heads={'task': Head(...)})",
            ),
            names=replacing,
        )


def _wrong_base(model: nn.Module, adapter: Adapter, why: str) -> WrongBase:
    return WrongBase(
        explain(
            f"the adapter does not fit this {type(model).__name__}: {why}.",
            f"It was trained for {adapter.base.get('name') or 'an unnamed base model'}"
            + (f" ({adapter.base['class']})." if adapter.base.get("class") else "."),
            "To see what an adapter needs: rankwise show <folder>",
        ),
        base=adapter.base,
    )


def _put_factors(model: nn.Module, record: Attached, number: int, adapter: Adapter) -> None:
    for name, factors in adapter.factors.items():
        if name not in record.modules:
            layer = model.get_submodule(name)
            site = next(s for s in adapter.sites if s.name == name)
            wrapped = Adapted(layer, site, record)
            wrapped.train(layer.training)
            _swap(model, layer, wrapped)
            record.modules[name] = wrapped
        wrapped = record.modules[name]
        device = next(wrapped.layer.parameters()).device
        wrapped.add(number, adapter.method, {n: t.detach().clone().to(device) for n, t in factors.items()})


def _put_whole(model: nn.Module, record: Attached, adapter: Adapter) -> None:
    for name, tensor in adapter.whole.items():
        stem, _, leaf = name.rpartition(".")
        old = getattr(_holder(model, stem), leaf)
        new = nn.Parameter(tensor.detach().to(old.device, old.dtype, copy=True))  # a half host computes in half
        for owner in list(model.modules()):  # tied weights: one parameter at several places
            for key, value in list(owner._parameters.items()):
                if value is not None and value is old:
                    record.swapped.append((name, owner, key, old))
                    owner._parameters[key] = new


def _put_heads(model: nn.Module, adapters: Mapping[str, Adapter]) -> None:
    if any(a.head_weights for a in adapters.values()):
        device = next(model.parameters()).device
        boxes = nn.ModuleList()
        for adapter in adapters.values():
            of_one = nn.ModuleList()
            for weights in adapter.head_weights.values():
                of_one.append(
                    nn.ParameterDict({n: nn.Parameter(t.detach().clone().to(device)) for n, t in weights.items()})
                )
            boxes.append(of_one)
        model.add_module(HEADS, boxes)


def _holder(model: nn.Module, stem: str) -> nn.Module:
    """The module at `stem`, looking through an Adapted wrapper (a bias trained whole under a low-rank site)."""
    found = model.get_submodule(stem) if stem else model
    return found.layer if isinstance(found, Adapted) else found


def _swap(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put `new` wherever `old` is: a module may be used at several places."""
    for owner in list(model.modules()):
        if owner is not new:
            for key, child in owner._modules.items():
                if child is old:
                    owner._modules[key] = new


def record_of(model: nn.Module) -> Attached:
    """The bookkeeping of a host.

    Raises:
        AttachError: nothing is attached.
    """
    found = getattr(model, RECORD, None)
    if found is None:
        raise AttachError(
            explain("no adapter is attached to this model.", "To attach one: attach(model, adapter)"),
        )
    return found  # type: ignore[no-any-return]


def live(model: nn.Module, name: str | None = None) -> dict[str, Factors]:
    """The factors in use, as the Parameter objects that train: site -> factors."""
    record = record_of(model)
    number = record.number(name) if name else 0  # the first
    found = {}
    for site, wrapped in record.modules.items():
        for (n, _), box in zip(wrapped.slots, wrapped.boxes, strict=True):
            if n == number:
                found[site] = dict(box.items())  # type: ignore[operator]
    return found


def live_whole(model: nn.Module) -> dict[str, nn.Parameter]:
    """Host parameters that are trained whole, by name."""
    return {name: owner._parameters[key] for name, owner, key, _ in record_of(model).swapped}  # type: ignore[misc]


def live_heads(model: nn.Module, name: str | None = None) -> dict[str, dict[str, Tensor]]:
    """Head tensors in use: task -> tensors (Parameter objects)."""
    record = record_of(model)
    name = name or next(iter(record.adapters))
    adapter = record.adapters[name]
    if not adapter.head_weights:
        return {}
    boxes = getattr(model, HEADS)[record.number(name)]
    return {task: dict(box.items()) for task, box in zip(adapter.head_weights, boxes, strict=True)}


def current(model: nn.Module, name: str | None = None) -> Adapter:
    """The adapter as it is now, copied off the model (CPU), the host untouched."""
    record = record_of(model)
    name = name or next(iter(record.adapters))
    given = record.adapters[name]

    def off(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {n: t.detach().to("cpu", copy=True) for n, t in tensors.items()}

    return replace(
        given,
        factors={site: off(f) for site, f in live(model, name).items()},
        whole=off(live_whole(model)) if given.whole else {},
        head_weights={task: off(w) for task, w in live_heads(model, name).items()},
    )


def detach(model: nn.Module) -> Adapter | dict[str, Adapter]:
    """Take everything off again: the same module and parameter objects go back, bit for bit.

    Returns the adapter as trained, or a dict of them where several were attached.
    """
    record = record_of(model)
    taken = {name: current(model, name) for name in record.adapters}
    for _, owner, key, old in reversed(record.swapped):  # a tied parameter may be swapped under two names
        owner._parameters[key] = old
    for wrapped in record.modules.values():
        wrapped.layer.train(wrapped.training)
        _swap(model, wrapped, wrapped.layer)
    if HEADS in model._modules:
        del model._modules[HEADS]
    for parameter, flag in record.grads:
        parameter.requires_grad_(flag)
    delattr(model, RECORD)
    return taken["default"] if list(taken) == ["default"] else taken


@contextmanager
def attached(model: nn.Module, adapter: Adapter | Mapping[str, Adapter]) -> Iterator[nn.Module]:
    """`with attached(model, adapter) as host:` and off again at the end of the block, error or not."""
    attach(model, adapter)
    try:
        yield model
    finally:
        detach(model)


@contextmanager
def rows(model: nn.Module, names: Sequence[str | None]) -> Iterator[nn.Module]:
    """Inside the block, row i of every batch uses the adapter `names[i]` (None: the base model).

    Where a layer gets an input that all rows share (DeBERTa's table of positions goes through its query and key
    maps), rows of several adapters at once are possible only if no adapter has a site there.

    Raises:
        AttachError: nothing, or no adapter of that name, is attached; in a forward pass, the batch does not fit.
    """
    record = record_of(model)
    before, record.rows = record.rows, torch.tensor([record.number(n) for n in names])
    try:
        yield model
    finally:
        record.rows = before


def run_head(model: nn.Module, task: str, hidden: Tensor, mask: Tensor, spans: Tensor | None = None) -> Tensor:
    """Logits of one task's head of the (first) attached adapter; see head.apply for shapes. Raises UnknownName."""
    record = record_of(model)
    adapter = next(iter(record.adapters.values()))
    if task not in adapter.heads:
        known = ", ".join(adapter.heads) or "none"
        raise UnknownName(explain(f"no head {task!r} is attached.", f"There are: {known}."), name=task)
    head: Head = adapter.heads[task]
    return apply_head(head, live_heads(model)[task], hidden, mask, spans, training=model.training)


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Every parameter that trains: factors, parameters trained whole, heads."""
    return [p for p in model.parameters() if p.requires_grad]


def compute_dtype(model: nn.Module) -> torch.dtype:
    return dtype_of(model)
