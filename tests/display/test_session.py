"""Names in a real kernel: taken once in a straight run, taken again by a cell that a person runs again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

HEAD = "import pandas as pd\nfrom analysis import display\ndisplay.use()"
TABLE = "display.table(pd.DataFrame({'件': [1]}), name='表', caption='表')"

Run = Callable[..., str | None]


@contextmanager
def kernel() -> Iterator[Run]:
    """A kernel whose cells are sent as JupyterLab sends them (with a cell id), or as nbclient does (without)."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")

    def run(code: str, cell: str | None = None) -> str | None:
        request = client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": False,  # else a request close behind a failed one is dropped
            },
            metadata={"cellId": cell} if cell else {},
        )
        client.shell_channel.send(request)
        while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request["msg_id"]:
            pass
        return reply["content"].get("evalue")

    try:
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_cell_run_again_in_jupyterlab_takes_its_names_again() -> None:
    with kernel() as run:
        assert run(HEAD, "head") is None
        assert run(f"display.result('数', 1)\n{TABLE}", "a") is None
        assert run(f"display.result('数', 2)\n{TABLE}", "a") is None
        assert run("assert display.finding('共{数}件') == '共2件'", "b") is None
        # Twice in one run stays an error: two tables cannot have one file.
        assert "已被本简报" in str(run(f"{TABLE}\n{TABLE}", "a"))
        assert "两个不同的值" in str(run("display.result('新', 1)\ndisplay.result('新', 2)", "c"))


@pytest.mark.parametrize("code", [TABLE, "display.result('数', 2)"])
def test_a_straight_run_refuses_a_name_that_another_cell_took(code: str) -> None:
    with kernel() as run:
        assert run(f"{HEAD}\ndisplay.result('数', 1)\n{TABLE}") is None
        assert run(code) is not None


def test_a_kernel_goes_on_showing_figures() -> None:
    with kernel() as run:
        assert run(HEAD) is None
        assert run("import matplotlib\nassert 'inline' in matplotlib.get_backend()") is None
