"""What the service is put together from: the workers that run, and the parts of its interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.service.service import Service, Worker
from hayflick.service.settings import Role

if TYPE_CHECKING:
    from fastapi import APIRouter


def workers_of(service: Service) -> list[Worker]:
    """Return the workers of a service, as its role says."""
    from hayflick.service.alerts import AlertWorker
    from hayflick.service.events import Broadcast
    from hayflick.service.housekeeping import Housekeeper
    from hayflick.service.round_keeper import RoundKeeper

    role = service.settings.role
    workers: list[Worker] = [] if role == "rounds" else [Broadcast(service)]
    if role != "ingest":
        workers += [AlertWorker(service), RoundKeeper(service), Housekeeper(service)]
    return workers


def routers(role: Role) -> list[APIRouter]:
    """Return the parts of the interface that a process with a role has."""
    from hayflick.service import api_health

    return [api_health.router()] if role == "rounds" else _all_routers()


def _all_routers() -> list[APIRouter]:
    from hayflick.service import (
        api_accounts,
        api_actions,
        api_alerts,
        api_events,
        api_export,
        api_health,
        api_ingest,
        api_otlp,
        api_readings,
        api_reviews,
        api_rules,
        api_streams,
        api_targets,
    )
    from hayflick.service.pages import (
        accounts,
        actions,
        alerts,
        live,
        login,
        overview,
        reviews,
        rules,
        settings,
        static,
        stream,
        targets,
    )

    interface = (
        api_health,
        api_events,
        api_streams,
        api_readings,
        api_export,
        api_ingest,
        api_otlp,
        api_actions,
        api_alerts,
        api_reviews,
        api_rules,
        api_targets,
        api_accounts,
    )
    pages = (
        static,
        login,
        live,
        overview,
        stream,
        alerts,
        actions,
        reviews,
        rules,
        settings,
        accounts,
        targets,
    )
    return [part.router() for part in (*interface, *pages)]
