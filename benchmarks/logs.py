"""``hayflick watch`` on a log of a million calls as LiteLLM exports it: plain, gzip, Zstandard."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pairs import Result
from watching import watch

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FOLDER = Path(__file__).parents[1] / "build" / "bench"
CALLS, DAYS, WORDS = 1_000_000, 30, 2000
MOST_SECONDS, MOST_MEGABYTES, MOST_SLOWER = 120.0, 1500, 1.3
_BEGIN = 1_790_035_200  # 2026-09-22


def _metadata(number: int) -> dict[str, object]:
    """Return what LiteLLM's logs hold beside a call: eight hundred bytes or so."""
    return {
        "trace_id": f"{number * 2654435761 % 2**64:016x}",
        "api_base": "https://api.openai.com/v1/",
        "cache_hit": False,
        "response_cost": number % 97 / 1e5,
        "total_tokens": 160,
        "prompt_tokens": 120,
        "completion_tokens": 40,
        "metadata": {
            "user_api_key_hash": f"{number % 50:064x}",
            "user_api_key_alias": f"team-{number % 50}",
            "requester_ip_address": f"10.0.{number % 250}.7",
            "headers": {f"x-header-{place}": "value of a header" for place in range(5)},
            "tags": ["batch", "nightly"],
        },
        "hidden_params": {f"parameter_{place}": None for place in range(10)},
        "model_parameters": {"temperature": 0.7, "max_tokens": 300, "stream": False},
    }


def calls(number: int) -> Iterator[dict[str, object]]:
    """Yield calls of 30 days, one after the other: answers of 30 words to a hundred prompts."""
    rng = random.Random(1)
    letters = "abcdefghijklmnoprstuvw"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(WORDS)]
    for call in range(number):
        begin = _BEGIN + call * DAYS * 86_400 / number
        answer = {"role": "assistant", "content": " ".join(rng.choices(words, k=30))}
        asked = f"Write a line about {words[call % 100]}."
        yield {
            "id": f"chatcmpl-{call}",
            "call_type": "acompletion",
            "status": "success",
            "model": "gpt-4o-mini",
            "model_group": "gpt-4o-mini",
            "startTime": begin,
            "endTime": begin + 1.5,
            "messages": [
                {"role": "system", "content": "You are a helpful assistant. " * 3},
                {"role": "user", "content": asked},
            ],
            "response": {
                "id": f"chatcmpl-{call}",
                "object": "chat.completion",
                "choices": [{"index": 0, "finish_reason": "stop", "message": answer}],
            },
            **_metadata(call),
        }


def make_log(path: Path, number: int = CALLS) -> None:
    """Write a log, and beside it the same as ``.gz`` and ``.zst``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(call) + "\n" for call in calls(number))
    with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=6) as file:
        shutil.copyfileobj(plain, file, 1 << 20)
    with open(path, "rb") as plain, zstd.open(f"{path}.zst", "wb") as file:
        shutil.copyfileobj(plain, file, 1 << 20)


def results() -> Iterator[Result]:
    log = FOLDER / "litellm-1m.jsonl"
    if not Path(f"{log}.zst").exists():
        make_log(log)
    plain = 0.0
    for suffix in ("", ".zst", ".gz"):
        path = Path(f"{log}{suffix}")
        spent = watch(["watch", str(path), "--every", "1d", "--format", "json", "--yes"])
        slower = spent.seconds / plain if plain else 1.0
        plain = plain or spent.seconds
        target = f"< {MOST_SECONDS:g} s" if not suffix else f"≤ {MOST_SLOWER:g} × plain"
        size = f"{path.stat().st_size / 1e9:.2g} GB"
        yield Result(
            name=f"watch, a log of LiteLLM of {CALLS:,} calls, `{path.suffix}`, {size}",
            ours=f"`hayflick watch --every 1d`, {spent.processor:.3g} s of processors",
            alternative="",
            figure=f"{spent.seconds:.3g} s" + (f", {slower:.2f} × plain" if suffix else ""),
            target="–" if suffix == ".gz" else target,
            met=spent.seconds < MOST_SECONDS if not suffix else slower <= MOST_SLOWER,
        )
        yield Result(
            name=f"memory of the same, `{path.suffix}`",
            ours="`hayflick watch`",
            alternative="",
            figure=f"{spent.megabytes} MB",
            target=f"< {MOST_MEGABYTES:,} MB",
            met=spent.megabytes < MOST_MEGABYTES,
        )
