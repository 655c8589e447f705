"""A worker (执行者): carries out orders one after another with one long-lived renderer.

It is forked from the zygote (``policy-brief build``), or started as a program of its own where forking is not to be
trusted. Orders and outcomes pass pickled over its connection.
"""

from __future__ import annotations

import socket
import sys
import threading
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

from ..errors import PolicyBriefError
from . import run
from .zygote import Line, _die_with_parent


def serve(connection: Connection, *, forked: bool = True) -> None:
    """Carry out orders until the other end hangs up."""
    line = Line(socket.socket(fileno=reduction.recv_handle(connection))) if forked else None
    renderers = Renderers()
    renderers.warm()
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        connection.send(run.perform(order, renderers.of(order), line))


class Renderers:
    """The renderers of one process, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def warm(self) -> None:
        """Import the renderer while the first notebook runs."""
        threading.Thread(target=_import_renderer, daemon=True).start()

    def of(self, order: run.Order) -> Any:
        """The renderer an order asks for; made when it first renders."""
        return _Late(self, order.renderer)

    def get(self, name: str) -> Any:
        """The renderer of that name."""
        if name not in self._made:
            if name == "quarto":
                from .quarto import QuartoRenderer

                self._made[name] = QuartoRenderer()
            else:
                from .render import Renderer

                self._made[name] = Renderer()
        return self._made[name]


class _Late:
    """Stands for a renderer until it is needed, so that its import overlaps the notebook."""

    def __init__(self, renderers: Renderers, name: str) -> None:
        self._renderers = renderers
        self._name = name

    def render(self, *arguments: Any) -> Any:
        return self._renderers.get(self._name).render(*arguments)


def _import_renderer() -> None:
    import contextlib
    import importlib

    with contextlib.suppress(ImportError, PolicyBriefError):  # said when it is used
        importlib.import_module("analysis.briefs.render")


if __name__ == "__main__":
    _die_with_parent()
    serve(Connection(int(sys.argv[1])), forked=False)
