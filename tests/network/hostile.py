"""An endpoint that means harm: every reply is made by a function, and sent byte by byte."""

import base64
import codecs
import gzip
import itertools
import json
import socket
import threading
import zlib
from contextlib import suppress
from functools import cache
from urllib.parse import quote

KEY = "sk-Zq81Not4Anyone-77Xy_kLm"
# Connections are closed after a reply, and say so: else the client would ask on them again.
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def chat(text="It rains.", usage=None, **choice):
    reply = {"choices": [{"message": {"content": text}, **choice}]}
    return json.dumps(reply if usage is None else {**reply, "usage": usage}).encode()


def whole(body, *fields, status=b"200 OK"):
    head = HEAD.replace(b"200 OK", status)
    lines = b"".join(one + b"\r\n" for one in fields)
    return head + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


@cache
def bomb(wbits, size=2_000_000_000):
    """Return compressed blanks, many times smaller than what they stand for."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    piece = b" " * 10_000_000
    head = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush, the same bytes say the same again.
    again = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (size // len(piece))


def endless(start, piece):
    yield start
    yield from itertools.repeat(piece)


def dripping(body):
    yield HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 1000)
    for byte in itertools.chain(body, itertools.repeat(32)):
        yield bytes([byte])
        threading.Event().wait(0.05)


def forms(key=KEY):
    """Return texts that show a key, in forms that a person can read or decode."""
    data = key.encode()
    return {
        "plain": key,
        "upper": key.upper(),
        "lower": key.lower(),
        "reversed": key[::-1],
        "percent": quote(key, safe="").replace("-", "%2D"),
        "percent, every letter": "".join(f"%{byte:02x}" for byte in data),
        "percent, twice": "".join(f"%25{byte:02X}" for byte in data),
        **{
            f"base64, {before} before": base64.b64encode(b"key"[:before] + data).decode()
            for before in range(4)
        },
        "base64 in lines": "\r\n".join(
            base64.b64encode(data).decode()[start : start + 12] for start in range(0, 40, 12)
        ),
        "base64 for addresses": base64.urlsafe_b64encode(b"Bearer " + data).decode(),
        "hex": data.hex(),
        "hex with colons": data.hex(":").upper(),
        "blanks": " ".join(key),
        "lines": "\n".join(key),
        "no width": "\u200b".join(key),
        "tags": "<b></b>".join(key),
        "one tag": f"{key[:9]}<i class='x'>{key[9:]}</i>",
        "attribute": f'<a href="http://x/{key}">x</a>',
        "entities": "".join(f"&#{byte};" for byte in data),
        "escapes": "".join(f"\\u{byte:04x}" for byte in data),
        "bytes": "".join(f"\\x{byte:02x}" for byte in data),
        "list": json.dumps(list(key)),
        "full width": "".join(chr(byte + 0xFEE0) for byte in data),
        "hex of C": ", ".join(f"0x{byte:02x}" for byte in data),
        "decimal": " ".join(map(str, data)),
        "binary": " ".join(f"{byte:08b}" for byte in data),
        "UTF-16": key.encode("utf-16-be").hex(" "),
        "rot13": codecs.encode(key, "rot13"),
        "base85": base64.b85encode(data).decode(),
        "ascii85": base64.a85encode(data).decode(),
        "thirds": f"{key[:6]} and {key[6:18]}, and then {key[18:]}",
        "first half": key[:13],
        "second half": key[13:],
    }


class HostileServer:
    """Serves what a function of the request's number and body says, until it is closed."""

    def __init__(self, reply):
        self.reply = reply
        self.requests = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65_536)
                if not piece:
                    return
                head += piece
            head, _, body = head.partition(b"\r\n\r\n")
            fields = dict(
                line.split(b": ", 1) for line in head.lower().split(b"\r\n") if b": " in line
            )
            while len(body) < int(fields.get(b"content-length", 0)):
                body += connection.recv(65_536)
            self.requests += 1
            reply = self.reply(self.requests, body)
            for piece in [reply] if isinstance(reply, bytes) else reply:
                connection.sendall(piece)

    def close(self):
        self.listener.close()


GZIP = 31
FIELD = b"X-Field: " + b"x" * 4000
FAULTS = {
    "gzip bomb": lambda: whole(bomb(GZIP), b"Content-Encoding: gzip"),
    "deflate bomb": lambda: whole(bomb(15), b"Content-Encoding: deflate"),
    "raw deflate bomb": lambda: whole(bomb(-15), b"Content-Encoding: deflate"),
    "bomb in a bomb": lambda: whole(gzip.compress(bomb(GZIP)), b"Content-Encoding: gzip, gzip"),
    "br": lambda: whole(b"\x0b\x02\x80" * 1000, b"Content-Encoding: br"),
    "zstd": lambda: whole(b"\x28\xb5\x2f\xfd" * 1000, b"Content-Encoding: zstd"),
    "gzip cut off": lambda: whole(gzip.compress(chat())[:-9], b"Content-Encoding: gzip"),
    "no gzip": lambda: whole(chat(), b"Content-Encoding: gzip"),
    "bomb of an error": lambda: whole(
        bomb(GZIP), b"Content-Encoding: gzip", status=b"500 Internal Server Error"
    ),
    "endless body": lambda: endless(HEAD + b"\r\n", b" " * 65_536),
    "endless chunks": lambda: endless(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65_536 + b"\r\n"
    ),
    "endless text": lambda: endless(
        HEAD + b'\r\n{"choices": [{"message": {"content": "', b"x" * 65_536
    ),
    "endless headers": lambda: endless(b"HTTP/1.1 200 OK\r\n", FIELD + b"\r\n"),
    "endless header": lambda: endless(b"HTTP/1.1 200 OK\r\nX-Field: ", b"x" * 65_536),
    "endless hints": lambda: endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000),
    "drip": lambda: dripping(chat()),
    "deep": lambda: whole(b"[" * 3_000_000),
    "deep objects": lambda: whole(b'{"a":' * 600_000),
    "lists": lambda: whole(b'{"choices": [' + b"[]," * 1_300_000 + b"[]]}"),
    "digits": lambda: whole(b'{"choices": [' + b"9" * 3_000_000 + b"]}"),
    "long answer": lambda: whole(chat("word " * 700_000)),
}
"""Replies that no answer can be read from, by what is wrong."""
