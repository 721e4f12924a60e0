"""Shows a library's page on this machine and saves the names that are given on it.

The server listens on 127.0.0.1 alone, under a path that holds a random token. It answers three things: the
page, the page's own side files, and a name for one motif of at most `_LARGEST` bytes. Every other request is
refused, and so is one whose Host or Origin is another's: a web page elsewhere that guesses the port learns
nothing.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kineme.errors import InputError, UsageError
from kineme.formats.lock import folder_lock
from kineme.report.names import FILE, Names, check_known, names_for, write_names
from kineme.report.page import DATA_FOLDER, page_motifs, page_with_names, rename

PAGE = "report.html"
_LARGEST = 4096
_SIDE_FILE = re.compile(r"part-\d{3,6}-[0-9a-f]{8}\.js")
_SECONDS = 20  # a client that is silent for so long is dropped
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the page's own policy stands in the page
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer(ThreadingHTTPServer):
    """Serves the page of the library in `folder`; `url` is its address. Use it in a `with` block.

    Raises InputError if the folder has no page that kineme wrote.
    """

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0):
        self.page = Path(folder) / PAGE
        self.library, self.motifs = page_motifs(self.page)
        self.token = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self.origins = tuple(f"http://{host}:{self.server_port}" for host in ("127.0.0.1", "localhost"))

    @property
    def url(self) -> str:
        return f"{self.origins[0]}/{self.token}/"

    def names(self) -> Names:
        """The names as the library has them now."""
        return names_for(self.library, self.page.parent)

    def html(self) -> str:
        """The page with those names, told that it can save more."""
        return page_with_names(self.page, self.names().names, served=True)

    def give(self, motif: str, name: str) -> None:
        """Saves a name; InputError if the motif is not there or the name is too long."""
        check_known({motif: name}, self.motifs)
        with self._lock, folder_lock(self.page.parent, "kineme open"):
            write_names(self.names().with_name(motif, name), self.page.parent / FILE)

    def server_close(self) -> None:
        """Stops, and leaves the names in the page, so that it shows them when it is opened from disk, too."""
        super().server_close()
        if self.page.is_file():
            with folder_lock(self.page.parent, "kineme open"):
                rename(self.page, self.names().names)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = _SECONDS
    server_version, sys_version = "kineme", ""

    def do_GET(self) -> None:
        place = self._place()
        if place is None:
            return
        if place == "":
            self._answer(HTTPStatus.OK, self.server.html().encode("utf-8"), "text/html; charset=utf-8")
            return
        folder, _, name = place.partition("/")
        path = self.server.page.parent / DATA_FOLDER / name
        if folder == DATA_FOLDER and _SIDE_FILE.fullmatch(name) and path.is_file():
            self._answer(HTTPStatus.OK, path.read_bytes(), "text/javascript; charset=utf-8")
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self) -> None:
        place = self._place()
        if place is None:
            return
        if place != "names":
            return self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
        if self.headers.get("Origin") not in self.server.origins:
            return self._refuse(HTTPStatus.FORBIDDEN, "names are only taken from the library's own page")
        if self.headers.get_content_type() != "application/json":
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a name is sent as JSON")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _LARGEST:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a name takes at most {_LARGEST} bytes")
        try:
            wish = json.loads(self.rfile.read(int(length)))
            motif, name = wish["id"], wish["name"]
            if not (isinstance(motif, str) and isinstance(name, str)):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError):
            return self._refuse(HTTPStatus.BAD_REQUEST, "a name is sent as {id, name}")
        try:
            self.server.give(motif, name)
        except (InputError, UsageError, OSError) as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        self._answer(HTTPStatus.NO_CONTENT, b"", "text/plain")

    def _place(self) -> str | None:
        """What is asked for behind the token; None where the request was refused."""
        allowed = [origin.removeprefix("http://") for origin in self.server.origins]
        token, _, place = self.path.removeprefix("/").partition("/")
        if self.headers.get("Host") not in allowed:
            self._refuse(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 only")
        elif not hmac.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            self._refuse(
                HTTPStatus.NOT_FOUND, "there is nothing here; use the address that kineme open printed"
            )
        else:
            return place
        return None

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._answer(status, why.encode("utf-8"), "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal belongs to the user."""
