"""Render many sources at once, in processes when there are enough of them to pay for starting some."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain

from gitops_stack.gitops_tree.kustomize import kustomization_file
from gitops_stack.tree_check.render import RENDERS, load_kept_render, render_sources
from gitops_stack.tree_check.result_cache import prune_entries
from gitops_stack.tree_check.source import Render, Request

_WORTH_PROCESSES = 64
_GIVE_UP = 64  # misses, and half of all: the processes look again
_CHUNK = 24  # one process of kustomize builds most of them


def render_all(requests: Sequence[Request]) -> list[Render]:
    """Render all, in their order. Equal requests are rendered once."""
    places: dict[str, int] = {}
    order = [places.setdefault(repr(request), len(places)) for request in requests]
    distinct = dict(zip(order, requests, strict=True))
    renders = _render([distinct[place] for place in sorted(distinct)])
    return [renders[place] for place in order]


def _render(requests: list[Request]) -> list[Render]:
    kept = _load_kept(requests)
    made = iter(_make([request for request, found in zip(requests, kept, strict=True) if found is None]))
    return [next(made) if found is None else found for found in kept]


def _load_kept(requests: list[Request]) -> list[Render | None]:
    """Look for what is kept, which is quicker than handing the question to a process; give up where little is."""
    found: list[Render | None] = []
    missed = 0
    for request in requests:
        if missed > _GIVE_UP + len(found) // 2:
            break
        found.append(load_kept_render(request))
        missed += found[-1] is None and kustomization_file(request.folder) is not None
    return [*found, *[None] * (len(requests) - len(found))]


def _make(requests: list[Request]) -> list[Render]:
    workers = min(os.cpu_count() or 1, 8)
    size = min(_CHUNK, -(-len(requests) // workers)) or 1
    chunks = [requests[start : start + size] for start in range(0, len(requests), size)]
    if len(requests) < _WORTH_PROCESSES or workers == 1:
        with ThreadPoolExecutor(workers) as pool:
            return list(chain.from_iterable(pool.map(render_sources, chunks)))
    # Not fork: threads of the caller may hold locks. A worker imports in a third of a second.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        renders = list(chain.from_iterable(pool.map(render_sources, chunks)))
    prune_entries(RENDERS)
    return renders
