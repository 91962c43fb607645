"""An object store on this machine, which answers as S3 does."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import count

import obstore
from moto.server import ThreadedMotoServer
from obstore.store import from_url

ACCESS_KEY, SECRET_KEY = "AKIAQUITEPUBLIC00", "wJalrXUtnFEMIsecretEXAMPLEKEY"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for a test; its address is in the environment."""

    name: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes | str) -> str:
        """Write an object and return its URL."""
        obstore.put(self._store, key, data.encode() if isinstance(data, str) else data)
        return f"{self.url}/{key}"

    def get(self, key: str) -> bytes:
        return bytes(obstore.get(self._store, key).bytes())

    def keys(self) -> list[str]:
        return sorted(one["path"] for one in obstore.list(self._store).collect())

    @property
    def _store(self):
        return from_url(self.url, client_options={"allow_http": True})


class Server:
    """The store, as long as it runs."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def bucket(self) -> Bucket:
        """Make a bucket."""
        import httpx

        bucket = Bucket(f"answers-{next(_NUMBERS)}")
        with httpx.Client(trust_env=False) as client:
            client.put(f"{self.environment['AWS_ENDPOINT_URL']}/{bucket.name}").raise_for_status()
        return bucket

    def stop(self) -> None:
        self._server.stop()
