"""What the service is put together from: the workers that run, and the parts of its interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.service.service import Service, Worker

if TYPE_CHECKING:
    from fastapi import APIRouter


def workers_of(service: Service) -> list[Worker]:
    """Return the workers of a service."""
    from hayflick.service.alerts import AlertWorker
    from hayflick.service.events import Broadcast

    return [Broadcast(service), AlertWorker(service)]


def routers() -> list[APIRouter]:
    """Return the parts of the interface."""
    from hayflick.service import api_events, api_health
    from hayflick.service.pages import alerts, live, login, overview, static

    parts = (api_health, api_events, static, login, live, overview, alerts)
    return [part.router() for part in parts]
