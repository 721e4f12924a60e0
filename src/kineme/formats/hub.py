"""Model folders by name: one on this machine, one of the package, or a repository of the Hugging Face hub."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kineme.errors import InputError, did_you_mean
from kineme.formats.model_folder import of_run

#: seconds that the hub has to answer
_PATIENCE = 5.0
#: names of the hub
_OF_HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*")
#: models that come with the package, a folder each
SHIPPED = Path(__file__).resolve().parents[1] / "weights"


def shipped_folder(name: str | Path) -> Path | None:
    """The folder of the package's weights of that name, unless something else here is called so."""
    path = Path(name)
    plain = str(name).isprintable() and len(path.parts) == 1 and not path.exists()
    return SHIPPED / path if plain and (SHIPPED / path / "config.json").is_file() else None


def check_name(name: str | Path, what: str, otherwise: str) -> None:
    """Raises InputError for a name that is no folder here, none of the package's and cannot be one of the hub, whose
    names are an owner's and a model's with a slash between them: nothing is to be fetched to find that out.

    what : is looked for, such as ``model``. otherwise : what can be named instead.
    """
    path, text = Path(name), str(name)
    if path.exists() or shipped_folder(name) is not None or _OF_HUB.fullmatch(text):
        return
    there = [folder.name for folder in SHIPPED.iterdir() if (folder / "config.json").is_file()]
    near = did_you_mean(text, sorted(there)) if len(path.parts) == 1 else ""
    none = f"there is no such folder, and no {what} of kineme is called so"
    raise InputError(f"{none}; {near or otherwise}", name)


@contextmanager
def hub_options(name: str | Path = "", *, fetch: bool = True) -> Iterator[dict[str, Any]]:
    """Options for what fetches `name` from the hub, whose loggers are quiet meanwhile: without a network only
    what was fetched before is looked for, in place of retries for half a minute. The hub is not asked for what
    is a folder here, and for nothing where not to `fetch`: where a file names the model, and no person."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "transformers")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        here = bool(name) and Path(name).exists()
        yield {} if fetch and not here and _hub_answers() else {"local_files_only": True}
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def reason(error: Exception) -> str:
    """The first line of what the hub's client, or transformers, says of a failure; they say much."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _hub_answers() -> bool:
    """Whether the hub, or the proxy on the way to it, can be connected to."""
    from huggingface_hub.constants import ENDPOINT

    place = urlsplit(ENDPOINT)
    proxies = getproxies()
    proxy = proxies.get(place.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(place.hostname or ""):
        place = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        socket.create_connection((place.hostname or "", port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def model_folder(name: str | Path, files: Sequence[str], makers: str) -> Path:
    """The folder `name` (or the model in it where it is a training's run), the package's weights of that name, or
    else the `files` of the hub's repository with that id, fetched.

    makers : which commands write such a folder, for the InputError where there is neither.
    """
    path = Path(name)
    if path.exists():
        return of_run(path)
    shipped = shipped_folder(name)
    if shipped is not None:
        return shipped
    check_name(
        name, "model", f"give the path of a model folder ({makers}), or a name of the Hugging Face hub"
    )
    from huggingface_hub import snapshot_download

    try:
        with hub_options() as options:
            return Path(snapshot_download(str(name), allow_patterns=list(files), **options))
    except (OSError, ValueError) as error:  # what the hub's client raises, network and names alike
        raise InputError(
            "is no model folder here, and no model of that name could be fetched from the Hugging Face hub; "
            f"give the path of a model folder ({makers})",
            name,
        ) from error
