"""Without a network the hub is given up at once, and its client says nothing of its own."""

from __future__ import annotations

import logging
import socket

import pytest

from kineme.errors import InputError
from kineme.formats import hub


def _refuse(*_, **__):
    raise OSError("no network")


def test_no_network_is_one_sentence_without_retries(monkeypatch, caplog, tmp_path) -> None:
    monkeypatch.setattr("kineme.formats.hub.socket.create_connection", _refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="no model of that name could be fetched"):
        hub.model_folder("someone/walks", ["config.json"], "`kineme train` writes one")
    assert not caplog.records


@pytest.mark.parametrize(
    "name", ["/nonexistent", "./none", "a4mer-smal", "a/b/c", "../x/y", "no name/of hub"]
)
def test_what_cannot_be_a_name_of_the_hub_is_not_asked_for(name, monkeypatch) -> None:
    monkeypatch.setattr(
        "kineme.formats.hub.socket.create_connection", lambda *_, **__: pytest.fail("network")
    )
    with pytest.raises(InputError, match="there is no such folder") as caught:
        hub.model_folder(name, ["config.json"], "`kineme train` writes one")
    assert ("did you mean a4mer-small?" in str(caught.value)) == (name == "a4mer-smal")


def test_a_proxy_is_the_way_to_the_hub(monkeypatch, tmp_path) -> None:
    asked = []

    def connect(place, timeout):
        asked.append(place)
        return socket.socket()

    monkeypatch.setattr("kineme.formats.hub.socket.create_connection", connect)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://hub.example")
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with hub.hub_options() as options:
        assert options == {} and logging.getLogger("huggingface_hub").level == logging.CRITICAL
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    with hub.hub_options() as options:
        assert options == {}
    for here in (str(tmp_path), tmp_path):
        with hub.hub_options(here) as options:  # nothing is to be fetched
            assert options == {"local_files_only": True}
    assert asked == [("hub.example", 443), ("proxy.example", 3128)]
