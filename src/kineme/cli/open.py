"""Shows a library's page in the browser, on this machine only; names given on it are saved in the library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from kineme.cli.console import put


@dataclass(frozen=True)
class Args:
    library: tyro.conf.Positional[Path]
    """The folder that `kineme index` wrote."""
    browser: bool = True
    """Do not open the browser; only print the address."""
    port: int = 0
    """The port on 127.0.0.1; 0 takes any that is free."""


def run(args: Args) -> int:
    import webbrowser

    from kineme.errors import UsageError

    if not 0 <= args.port < 2**16:
        raise UsageError(f"--port is a number from 0 to 65535, not {args.port}")

    from kineme.report.serve import PageServer

    with PageServer(args.library, args.port) as server:
        put(
            f"{args.library}: {server.url}",
            "Names that you give on the page are saved. Ctrl-C ends this.",
        )
        if args.browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            put()
    return 0
