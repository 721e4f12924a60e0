"""The README.md of a model: what it is, what it was trained on, and under which licence that data stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import kineme


def model_card(
    name: str,
    what: str,
    use: str,
    settings: Mapping[str, object],
    *,
    data: Iterable[str],
    seconds: float,
    preset: str,
    seed: int,
    licence: str,
    command: str,
    checksum: str = "",
) -> str:
    """A YAML header for machines, then the same for people.

    name, what : of the model, short and in full. use : how, in a sentence. data : names of the training data.
    licence : of that data. checksum : of the corpus.
    """
    header: dict[str, object] = {
        "library_name": "kineme",
        "tags": ["motion", "mocap", "".join(c for c in name.lower() if c.isalnum())],
        "datasets": list(data),
        "data_licence": licence,
        "corpus_sha256": checksum,
        "seed": seed,
        "preset": preset,
        "command": command,
        "kineme": kineme.__version__,
    }
    names = ", ".join(header["datasets"])  # type: ignore[arg-type]
    return (
        f"---\n{_yaml(header)}{_yaml({'settings': settings})}---\n\n# {name}, {preset}\n\n"
        f"{what}, trained with kineme {kineme.__version__} on "
        f"{seconds / 60:.1f} minutes of motion: {names}.\n\nLicence of that data: {licence}. A model learns "
        "from data that has a licence of its own; look it up before you pass the model on.\n\n"
        f"Made by\n\n```\n{command}\n```\n\nUse it with {use}.\n"
    )


def _yaml(values: Mapping[str, object], indent: str = "") -> str:
    """Flat YAML: strings as JSON strings, which YAML reads as they are."""
    lines = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}:\n{_yaml(value, indent + '  ')}".rstrip("\n"))
        else:
            lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
