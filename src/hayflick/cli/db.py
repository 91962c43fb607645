"""``hayflick db``: the store of the service, kept up to date, copied, checked and pruned."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import ALARM, say, say_written

if TYPE_CHECKING:
    from hayflick.storage.backups import Copy

db_app = typer.Typer(
    name="db",
    help="Keep the service's store: upgrade, back up, check, prune.",
    epilog=examples("hayflick db backup monday.db"),
    rich_markup_mode=None,
)

DatabaseOption = Annotated[
    str,
    typer.Option(
        metavar="PLACE",
        help="The store: a SQLite file, or a URL such as postgresql://HOST/NAME.",
        envvar="HAYFLICK_DATABASE",
    ),
]
ProjectOption = Annotated[str, typer.Option(help="Name of the project.")]
PLACE = "hayflick.db"
PASSWORD_VARIABLE = "HAYFLICK_PASSWORD"


@db_app.command("upgrade", epilog=examples("hayflick db upgrade --database hayflick.db"))
def upgrade_command(database: DatabaseOption = PLACE) -> None:
    """Bring a store up to date with this version. The service does so too when it starts."""
    from hayflick.storage.maintenance import upgrade

    before, after = upgrade(database)
    done = "was up to date" if before == after else f"is brought up from version {before}"
    print(f"the store {done}: it has version {after}")


@db_app.command("backup", epilog=examples("hayflick db backup monday.db"))
def backup_command(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The SQLite file to write.")],
    database: DatabaseOption = PLACE,
    force: options.ForceOption = False,
) -> int:
    """Copy a store while it is used, and check the copy. It is a SQLite file in any case.

    Exit code 1: something is wrong with what the store holds; the copy is written.
    """
    from hayflick.storage.backups import back_up

    copy = back_up(database, out, force=force)
    say_written(out)
    return _print_copy(copy)


@db_app.command("restore", epilog=examples("hayflick db restore monday.db --database restored.db"))
def restore_command(
    backup: Annotated[Path, typer.Argument(metavar="FILE", help="What backup has written.")],
    database: DatabaseOption = PLACE,
    force: options.ForceOption = False,
) -> int:
    """Make a store from a backup.

    The store is a new file, or an empty database of a server.
    Exit code 1: something is wrong with what it holds; the store is made.
    """
    from hayflick.storage.backups import restore
    from hayflick.storage.database import Database

    copy = restore(backup, database, force=force)
    say(f"restored into {Database.named(database)}")
    return _print_copy(copy)


@db_app.command("check", epilog=examples("hayflick db check"))
def check_command(database: DatabaseOption = PLACE) -> int:
    """Check a store, which may be in use. Exit code 1: something is wrong with it."""
    from hayflick.storage.maintenance import check

    found = check(database)
    for finding in found:
        print(finding)
    if not found:
        print("the store is sound")
    return ALARM if found else 0


@db_app.command("prune", epilog=examples("hayflick db prune"))
def prune_command(database: DatabaseOption = PLACE) -> None:
    """Remove what is older than its stream keeps it. The service does so every hour."""
    from hayflick.service.housekeeping import prune, write_to
    from hayflick.storage.maintenance import OPERATOR, present_store

    with present_store(database) as store:
        pruned = prune(store, write_to(store), actor=OPERATOR, now=time.time())
    print(str(pruned) or "nothing was old enough")


@db_app.command(
    "erase", epilog=examples('hayflick db erase "help desk" --until 2026-10-01T00:00:00Z')
)
def erase_command(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    key: Annotated[
        str | None, typer.Option(help="The answer with this key.", show_default=False)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="The answers of this group.", show_default=False)
    ] = None,
    begins: Annotated[
        str | None,
        typer.Option("--from", help="Answers from this time on (ISO 8601).", show_default=False),
    ] = None,
    ends: Annotated[
        str | None,
        typer.Option("--until", help="Answers before this time (ISO 8601).", show_default=False),
    ] = None,
    database: DatabaseOption = PLACE,
    project: ProjectOption = "default",
) -> None:
    """Erase the answers of a stream that meet all conditions.

    In a store, or in a backup of one.
    The readings of their rounds stay: they are numbers over all answers of a round.
    """
    from hayflick.service.housekeeping import erase, write_to
    from hayflick.service.times import seconds_of
    from hayflick.storage.maintenance import OPERATOR, existing_stream, present_store
    from hayflick.storage.retention import Erasure

    times = [None if one is None else seconds_of(one) for one in (begins, ends)]
    what = Erasure(key=key, group=group, begins=times[0], ends=times[1])
    with present_store(database) as store:
        row = existing_stream(store, project, stream)
        found = erase(store, write_to(store), row, what, actor=OPERATOR, now=time.time())
    print(f"erased: {found.answers:,} answers, {found.reviews:,} of the review queue")


@db_app.command("token", epilog=examples("hayflick db token reporter --scopes ingest,read"))
def token_command(
    name: Annotated[str, typer.Argument(help="What lists call it.")],
    scopes: Annotated[
        str, typer.Option(help="Of ingest, read, review and admin, with commas between them.")
    ] = "ingest",
    database: DatabaseOption = PLACE,
    project: ProjectOption = "default",
) -> None:
    """Make a token, and print it: it is not shown again."""
    from hayflick.storage.maintenance import add_token

    names = options.split_columns(scopes)
    print(add_token(database, project=project, name=name, scopes=names))


@db_app.command("user", epilog=examples("hayflick db user anna --scopes read,review"))
def user_command(
    name: Annotated[str, typer.Argument(help="What the user types to log in.")],
    scopes: Annotated[
        str, typer.Option(help="Of read, review and admin, with commas between them.")
    ] = "read,review",
    database: DatabaseOption = PLACE,
    project: ProjectOption = "default",
) -> None:
    """Make a user of the dashboard, or give one another password.

    The password is asked for, or read from HAYFLICK_PASSWORD.
    """
    from hayflick.storage.maintenance import set_user

    made = set_user(
        database,
        project=project,
        name=name,
        password=_password(),
        scopes=options.split_columns(scopes),
    )
    print(f"the user {name} is made" if made else f"the user {name} has another password")


def _password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True))


def _print_copy(copy: Copy) -> int:
    """Print what is in a copy, and return the exit code."""
    for table, rows in sorted(copy.rows.items()):
        print(f"{table}: {rows:,}")
    for finding in copy.findings:
        print(f"wrong: {finding}")
    return ALARM if copy.findings else 0
