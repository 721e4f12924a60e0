"""The page's server: what it answers, and all that it refuses."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_takes import demo_payload
from kineme.errors import InputError
from kineme.report.names import read_names
from kineme.report.page import write_page
from kineme.report.serve import PageServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    write_page(demo_payload(2), tmp_path / "report.html")
    with PageServer(tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _ask(
    server: PageServer,
    method: str = "GET",
    place: str = "",
    body: bytes | None = None,
    token: str | None = None,
    **headers: str,
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    own = {"Origin": server.origins[0], "Content-Type": "application/json"} if method == "POST" else {}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{server.token if token is None else token}/{place}", body, own)
    answer = connection.getresponse()
    content = answer.read(), answer.headers
    connection.close()
    return answer.status, *content


def _name(server: PageServer, motif: str = "m1", name: str = "wave", **headers: str) -> int:
    return _ask(server, "POST", "names", json.dumps({"id": motif, "name": name}).encode(), **headers)[0]


def test_the_page_is_served_and_knows_it(server: PageServer) -> None:
    status, body, headers = _ask(server)
    assert status == 200 and b'"served":true' in body
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
    assert server.server_address[0] == "127.0.0.1" and server.url.startswith("http://127.0.0.1:")


def test_a_name_is_saved_and_shown(server: PageServer, tmp_path: Path) -> None:
    assert _name(server, "m1", "arrives  at\nthe door") == 204
    assert read_names(tmp_path / "names.json").names == {"m1": "arrives at the door"}
    assert b"arrives at the door" in _ask(server)[1]
    assert _name(server, "m1", "") == 204
    assert read_names(tmp_path / "names.json").names == {}


def test_names_given_at_once_are_all_kept(server: PageServer, tmp_path: Path) -> None:
    threads = [threading.Thread(target=_name, args=(server, f"m{k}", f"name {k}")) for k in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_names(tmp_path / "names.json").names == {f"m{k}": f"name {k}" for k in range(1, 7)}


def test_the_page_on_disk_has_the_names_when_the_server_ends(tmp_path: Path) -> None:
    write_page(demo_payload(2), tmp_path / "report.html")
    with PageServer(tmp_path) as server:
        server.give("m2", "strolls")
        assert "strolls" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "strolls" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_token_is_needed(server: PageServer) -> None:
    for token in ("", "x", server.token[:-1], server.token + "x", "é"):
        assert _ask(server, token=token.encode("ascii", "ignore").decode())[0] == 404
    assert not (server.page.parent / "names.json").exists()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1"])
def test_another_host_is_refused(server: PageServer, host: str) -> None:
    assert _ask(server, Host=host)[0] == 403
    assert _name(server, Host=host) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_another_origin_saves_nothing(server: PageServer, tmp_path: Path, origin: str) -> None:
    assert _name(server, Origin=origin) == 403
    assert not (tmp_path / "names.json").exists()


def test_what_is_no_name_is_refused(server: PageServer, tmp_path: Path) -> None:
    def post(body: bytes, **headers: str) -> int:
        return _ask(server, "POST", "names", body, **headers)[0]

    assert post(b"x" * 5000) == 413
    assert post(b"", Content_Length="99999999999") == 413
    assert post(b"{}") == post(b"[]") == post(b'{"id": 1, "name": 2}') == post(b"not json") == 400
    assert post(b'{"id": "m1", "name": "a"}', Content_Type="text/plain") == 415
    assert _name(server, "m99") == _name(server, "m1", "x" * 81) == 400
    assert _ask(server, "POST", "", b"{}")[0] == 404
    assert not (tmp_path / "names.json").exists()


@pytest.mark.parametrize(
    "place",
    ["names.json", "../names.json", "report_data/../names.json", "report_data/part-000-00000000.js", "x"],
)
def test_no_other_file_is_given(server: PageServer, tmp_path: Path, place: str) -> None:
    (tmp_path / "names.json").write_text('{"format": 1, "library": "", "names": {}}')
    assert _ask(server, place=place)[0] == 404


def test_side_files_are_given(server: PageServer, tmp_path: Path) -> None:
    (tmp_path / "report_data").mkdir()
    (tmp_path / "report_data" / "part-001-0123abcd.js").write_text("kinemePart({});")
    status, body, headers = _ask(server, place="report_data/part-001-0123abcd.js")
    assert (status, body) == (200, b"kinemePart({});") and headers["Content-Type"].startswith(
        "text/javascript"
    )


def test_other_methods_are_refused(server: PageServer) -> None:
    assert {_ask(server, method)[0] for method in ("PUT", "DELETE", "OPTIONS", "HEAD")} == {501}


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="report.html"):
        PageServer(tmp_path)
