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
