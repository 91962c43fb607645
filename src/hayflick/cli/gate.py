"""``hayflick gate``: whether a pipeline may go on, by the service or by a state of ``watch``."""

from __future__ import annotations

from typing import Annotated

import typer

from hayflick.cli.options import Format, FormatOption
from hayflick.cli.printing import ALARM, INCOMPLETE, print_json, say


def gate_command(
    stream: Annotated[
        str | None,
        typer.Argument(metavar="STREAM", help="A stream of the service.", show_default=False),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="In place of a stream: the file or object that hayflick watch --state wrote; it "
            "is only read.",
            show_default=False,
        ),
    ] = None,
    max_age: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --state: how long ago it may have been written, such as 1d; an older one "
            "is no reading.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The service, such as http://127.0.0.1:8080.",
            envvar="HAYFLICK_URL",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="A token with the scope read; others on this machine see it here, not in the "
            "environment.",
            envvar="HAYFLICK_TOKEN",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long the request may take.")
    ] = 10.0,
    output_format: FormatOption = Format.TABLE,
) -> int:
    """Stop a pipeline while an alarm stands.

    Reads a stream of the service, or with --state what hayflick watch has written.

    Exit code 0: there is a reading and no alarm. 1: an alarm stands. 3: no reading, as in the
    baseline or where no answer comes, or the service cannot be reached. 2: it refused the request,
    or there is no such state.
    """
    from hayflick.core.checks import positive_number
    from hayflick.core.display_text import display_text
    from hayflick.core.errors import HayflickError
    from hayflick.monitor.gate import gate
    from hayflick_client.pipeline_gate import GateError

    timeout_s = positive_number("timeout", timeout)
    if state is not None:
        # The environment names the service for all calls, those with a state too.
        url = token = None
    try:
        result = gate(
            stream, state=state, max_age=max_age, url=url, token=token, timeout_s=timeout_s
        )
    except GateError as fault:
        if fault.refused:
            raise HayflickError(str(fault)) from None
        say(f"error: {fault}")
        return INCOMPLETE
    except HayflickError:
        raise
    except ValueError as fault:
        raise HayflickError(str(fault)) from None
    if output_format is Format.JSON:
        print_json(result.to_dict())
    else:
        print(display_text(result.reason))
    if result.alarm:
        return ALARM
    return 0 if result.passed else INCOMPLETE
