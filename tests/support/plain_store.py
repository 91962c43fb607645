"""A store that keeps objects as Google Cloud Storage and Azure do, as far as hayflick asks it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_WRITTEN = "Sun, 29 Nov 2026 16:00:00 GMT"


class _Requests(BaseHTTPRequestHandler):
    def do_GET(self):
        place = urlsplit(self.path)
        if "list" in place.query:
            self._answer(200, self._listing(azure="comp=list" in place.query))
            return
        found = self.server.objects.get(unquote(place.path))
        if found is None:
            self._answer(404)
            return
        data, number = found
        if self.headers.get("If-Match") not in (None, f'"{number}"'):
            self._answer(412)
            return
        asked = self.headers.get("Range") or self.headers.get("x-ms-range")
        if asked is None:
            self._answer(200, data, number=number)
            return
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        where = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
        self._answer(206, part, number=number, where=where)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self):
        name = unquote(urlsplit(self.path).path)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        number = self.server.objects.get(name, (b"", 0))[1]
        known = self.headers.get("x-goog-if-generation-match", str(number))
        known = self.headers.get("If-Match", f'"{known}"').strip('"')
        if known != str(number):
            self._answer(412)
        elif number and self.headers.get("If-None-Match") == "*":
            self._answer(409)
        else:
            self.server.written += 1
            self.server.objects[name] = data, self.server.written
            azure = "x-ms-version" in self.headers
            self._answer(201 if azure else 200, number=self.server.written)

    def _listing(self, *, azure):
        items = [
            (name.split("/", 2)[2], len(data), number)
            for name, (data, number) in self.server.objects.items()
        ]
        if azure:
            blobs = "".join(
                f"<Blob><Name>{name}</Name><Properties><Last-Modified>{_WRITTEN}</Last-Modified>"
                f"<Etag>{number}</Etag><Content-Length>{size}</Content-Length>"
                "<Content-Type>text</Content-Type></Properties></Blob>"
                for name, size, number in items
            )
            found = f"<EnumerationResults><Blobs>{blobs}</Blobs></EnumerationResults>"
        else:
            found = "".join(
                f"<Contents><Key>{name}</Key><LastModified>2026-11-29T16:00:00Z</LastModified>"
                f'<ETag>"{number}"</ETag><Size>{size}</Size></Contents>'
                for name, size, number in items
            )
            found = f"<ListBucketResult>{found}</ListBucketResult>"
        return found.encode()

    def _answer(self, status, data=b"", *, number=None, where=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if where is not None:
            self.send_header("Content-Range", where)
        if number is not None:
            self.send_header("ETag", f'"{number}"')
            self.send_header("Last-Modified", _WRITTEN)
            self.send_header("x-goog-generation", str(number))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def plain_store():
    """Serve an empty store on loopback, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Requests)
    server.objects, server.written = {}, 0
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
