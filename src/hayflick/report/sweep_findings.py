"""What a sweep says: its verdict, its cells in words, and which of them keep the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from hayflick.report.language import Language
from hayflick.sweeps.network_quantities import COMPONENTS, DISTANCE, TOTAL, WITHIN, WORDS
from hayflick.sweeps.results import SweepResult

_ERRORS = 2.0
"""A cell closer to the target than so many standard errors is not decided."""


@dataclass(frozen=True, eq=False)
class SweepFindings:
    """The findings of a sweep in the reader's language.

    Parameters
    ----------
    result
        The sweep.
    language
        The reader's language.
    """

    result: SweepResult
    language: Language

    @cached_property
    def cells(self) -> pl.DataFrame:
        """The finished cells: the summary, and ``keeps``: yes, no, or null if not decided."""
        frame = self.result.to_frame().filter(pl.col("kept").is_not_null())
        keep = self.result.study.keep
        if keep is None:
            return frame.with_columns(keeps=pl.lit(None, pl.Boolean))
        away = _ERRORS * pl.col("standard_error").fill_null(0.0) + pl.col("error")
        near = pl.col("law").eq("simulated") & ((pl.col("kept") - keep).abs() < away)
        keeps = pl.when(near).then(None).otherwise(pl.col("kept") >= keep)
        return frame.with_columns(keeps=keeps)

    @property
    def sufficient(self) -> pl.DataFrame:
        """The cells that keep the target."""
        return self.cells.filter(pl.col("keeps"))

    @property
    def undecided(self) -> int:
        """Number of cells within two standard errors of the target."""
        return 0 if self.result.study.keep is None else self.cells["keeps"].null_count()

    @property
    def missed(self) -> bool:
        """Whether there is a target and no cell keeps it."""
        return self.result.study.keep is not None and self.sufficient.is_empty()

    @property
    def least_real(self) -> Mapping[str, Any] | None:
        """The cell that keeps the target with the fewest real items a round; None for none.

        Without a target, and among cells whose real items are not the same in every round, there
        is none either.
        """
        if self.real_items is None:
            return None
        known = self.sufficient.with_columns(self.real_items).drop_nulls("real")
        if known.is_empty():
            return None
        by = ["real", "kept"]
        found = known.sort(by, descending=[False, True], maintain_order=True)
        return found.row(0, named=True)

    @property
    def real_items(self) -> pl.Expr | None:
        """The real items of a round, as the column ``real``; None where they are not told.

        None of distances either: agents that read the same real texts become alike, so that fewer
        of them keep more.
        """
        study = self.result.study
        if study.measures_distance or study.real_setting not in self.cells.columns:
            return None
        real = pl.col(study.real_setting)
        is_share = study.real_setting == "share"
        return (real * pl.col("samples") if is_share else real).alias("real")

    @cached_property
    def least_sufficient(self) -> pl.DataFrame | None:
        """The smallest setting of real data that keeps the target, for each of the others.

        A row per combination of the other settings that are varied, seeds apart: they must all
        keep it. The setting, ``real`` (items a round) and ``kept`` are null where none of its
        values is enough. None without a target, without several values, and of a Latin hypercube.
        """
        study, setting = self.result.study, self.result.study.real_setting
        if study.keep is None or study.number_of_points is not None or self.real_items is None:
            return None
        known = self.cells.filter(pl.col(setting).is_not_null()).with_columns(self.real_items)
        if known[setting].n_unique() < 2:
            return None
        others = [name for name in self.result.varied if name not in (setting, "regime", "seed")]
        group = ["all", *others, setting]
        measures = (
            pl.col("keeps").fill_null(value=False).all(),
            pl.col("real").first(),
            pl.col("kept").mean(),
        )
        marked = known.with_columns(all=pl.lit(0))
        each = marked.group_by(group, maintain_order=True).agg(*measures)
        enough = each.filter(pl.col("keeps")).sort(setting, maintain_order=True)
        least = enough.group_by("all", *others, maintain_order=True).first()
        combinations = each.select("all", *others).unique(maintain_order=True)
        found = combinations.join(least, on=["all", *others], how="left", maintain_order="left")
        return found.select(*others, setting, "real", "kept")

    @cached_property
    def over_seeds(self) -> pl.DataFrame | None:
        """What is kept on average over the seeds, for each of the other settings.

        ``standard_error`` is that of this mean, from the spread of the seeds; null for one seed.
        None where seeds are not varied, or all cells are answered by law.
        """
        if "seed" not in self.result.varied or not self.cells["runs"].max():
            return None
        others = [name for name in self.result.varied if name != "seed"]
        kept, number = pl.col("kept"), pl.len()
        measures = (
            number.alias("seeds"),
            kept.mean(),
            (kept.std() / number.sqrt()).alias("standard_error"),
        )
        marked = self.cells.with_columns(all=pl.lit(0))
        return marked.group_by("all", *others, maintain_order=True).agg(*measures).drop("all")

    def seeds_headings(self) -> list[str]:
        """Return the headings of the table of means over the seeds."""
        frame, text = self.over_seeds, self.language.text
        assert frame is not None
        names = [self.label(name) for name in frame.columns[:-3]]
        return [*names, text("seeds"), text("kept"), text("standard error")]

    def seeds_rows(self, *, most: int) -> list[list[str]]:
        """Return the rows of the table of means over the seeds."""
        frame = self.over_seeds
        assert frame is not None
        return [
            [
                *(self.value(name, row[name]) for name in frame.columns[:-3]),
                self.language.number(row["seeds"]),
                self.language.percent(row["kept"]),
                "–" if row["standard_error"] is None else f"{row['standard_error']:.2g}",
            ]
            for row in frame.head(most).iter_rows(named=True)
        ]

    @property
    def real_label(self) -> str:
        """What the setting of real data is called."""
        return self.label(self.result.study.real_setting)

    def least_headings(self) -> list[str]:
        """Return the headings of the table of the smallest sufficient settings."""
        frame = self.least_sufficient
        assert frame is not None
        text = self.language.text
        names = [self.label(name) for name in frame.columns[:-3]]
        share = self.share(self.result.study.keep or 0.0)
        least = text("least that keeps {share}", share=share)
        return [*names, f"{self.real_label}: {least}", text("real items a round"), text("kept")]

    def least_rows(self, *, most: int) -> list[list[str]]:
        """Return the rows of the table of the smallest sufficient settings."""
        frame, text = self.least_sufficient, self.language.text
        assert frame is not None
        *others, setting, _, _ = frame.columns
        rows = []
        for row in frame.head(most).iter_rows(named=True):
            names = [self.value(name, row[name]) for name in others]
            if row["kept"] is None:
                rows.append([*names, text("none of these"), "–", "–"])
                continue
            real = self.language.number(round(row["real"]))
            percent = self.language.percent(row["kept"])
            rows.append([*names, self.value(setting, row[setting]), real, percent])
        return rows

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that tell cells apart."""
        return self.result.varied or self.result.study.settings()[:1]

    @property
    def map_settings(self) -> tuple[str, str] | None:
        """The settings up and across of the map of what is kept; None for none.

        Of lines of models the fresh share and the items a round; of networks the real items, if
        they are varied, and other numbers.
        """
        study = self.result.study
        if not study.is_network:
            return "share", "samples"
        kinds = study.columns()
        numbers = [name for name in study.varied if kinds[name] in (int, float) and name != "seed"]
        # Rounds are in the other picture.
        numbers.sort(key=lambda name: (name != study.real_setting, name == "rounds"))
        return (numbers[0], numbers[1]) if len(numbers) > 1 else None

    def label(self, name: str) -> str:
        """Return what a setting is called."""
        text = self.language.text
        return {
            "family": text("family"),
            "estimator": text("estimator"),
            "resampler": text("trainer"),
            "regime": text("regime"),
            "share": text("fresh real data in every round"),
            "samples": text("items a round"),
            "generations": text("rounds"),
            "seed": text("seed"),
            "topology": text("who reads whom"),
            "components": text("components"),
            "deviation": text("deviation of a component"),
            "agents": text("agents"),
            "draws": text("posts of an agent a round"),
            "share_read": text("share of the pool that is read"),
            "read": text("posts that an agent reads a round"),
            "originals": text("real posts at the start"),
            "injected": text("real posts added a round"),
            "rounds": text("rounds"),
            "pool.inject": text("real texts added a round"),
            "retrieval": text("what is read"),
            "answers": text("answers of an agent a round"),
        }.get(name, name)

    def value(self, name: str, value: Any) -> str:
        """Return a value of a setting as it is shown."""
        if value is None:
            return "–"
        if name == "share":
            return self.share(value)
        if name == "share_read":
            return self.share(value)
        if name != "seed" and isinstance(value, int) and not isinstance(value, bool):
            return self.language.number(value)
        if isinstance(value, float):
            return f"{value:g}"
        return str(value)

    def share(self, value: float) -> str:
        """Return a share as a percentage, without a fraction where it has none."""
        whole = abs(100.0 * value - round(100.0 * value)) < 1e-9
        return self.language.percent(value, digits=0 if whole else 1)

    def settings(self, row: Mapping[str, Any], names: Sequence[str] | None = None) -> str:
        """Return the settings of a cell as a phrase."""
        chosen = self.names if names is None else names
        return ", ".join(f"{self.label(name)}: {self.value(name, row[name])}" for name in chosen)

    def title(self) -> str:
        """Return the title of the page."""
        if len(self.result.ready) == 1:
            return self.language.text("Study of one cell")
        number = self.language.number(len(self.result.ready))
        return self.language.text("Study of {number} cells", number=number)

    def verdict(self) -> str:
        """Return what the study found, as a sentence."""
        text, percent, keep = self.language.text, self.language.percent, self.result.study.keep
        cells = self.cells
        if cells.is_empty():
            return text("No cell is finished yet.")
        least, most = self._extremes()
        if keep is None and cells.height == 1:
            kept = percent(most["kept"])
            return text("{share} is kept after the last round.", share=kept)
        if keep is None:
            low, high = percent(least["kept"]), percent(most["kept"])
            return text(
                "Between {low} and {high} is kept after the last round.", low=low, high=high
            )
        share = self.share(keep)
        if self.missed:
            return text(
                "No cell keeps {share} for certain; the most that any keeps is {kept}.",
                share=share,
                kept=percent(most["kept"]),
            )
        return text(
            "{number} of {cells} cells keep {share} or more after the last round.",
            number=self.language.number(self.sufficient.height),
            cells=self.language.number(cells.height),
            share=share,
        )

    def _extremes(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the cells that keep least and most."""
        kept = self.cells["kept"]
        lowest, highest = kept.arg_min(), kept.arg_max()
        assert lowest is not None
        assert highest is not None
        return self.cells.row(lowest, named=True), self.cells.row(highest, named=True)

    def summary(self) -> list[str]:
        """Return what a reader should know besides the verdict."""
        lines = [*self._choice(), *self._certainty()]
        if self.result.interrupted:
            lines.append(self.language.text("The study was interrupted before its last cell."))
        return lines

    def _choice(self) -> list[str]:
        text, percent, row = self.language.text, self.language.percent, self.least_real
        if self.cells.is_empty():
            return []
        lines = []
        if row is not None:
            lines.append(
                text(
                    "The fewest fresh items a round that suffice are {items}: {settings}, where "
                    "{kept} is kept.",
                    items=self.language.number(round(row["real"])),
                    settings=self.settings(row),
                    kept=percent(row["kept"]),
                )
            )
        least, most = self._extremes()
        if self.cells.height > 1:
            lines += [
                text("Most is kept with {settings}.", settings=self.settings(most)),
                text("Least is kept with {settings}.", settings=self.settings(least)),
            ]
        return [*lines, *self._quantities()]

    def _quantities(self) -> list[str]:
        if self.result.study.is_network:
            quantity = self.quantity(str(self.cells["quantity"][0]))
            if self.cells["quantity"][0] == WORDS:
                quantity = self.language.text("share of the real words that a round's answers use")
            return [self.language.text("What is kept: {quantity}.", quantity=quantity)]
        kinds = self.cells.group_by("quantity", maintain_order=True).agg(
            pl.col("family").unique(maintain_order=True)
        )
        meanings = [(self.quantity(quantity), families) for quantity, families in kinds.iter_rows()]
        if len(meanings) == 1:
            return [self.language.text("What is kept: {quantity}.", quantity=meanings[0][0])]
        return [
            self.language.text(
                "What is kept of {families}: {quantity}.", families=families, quantity=quantity
            )
            for quantity, families in meanings
        ]

    def quantity(self, name: str) -> str:
        """Return what is kept in a family."""
        text = self.language.text
        return {
            "types": text("share of symbols left"),
            "words": text("share of words left"),
            "both_symbols": text("share of runs in which both symbols are left"),
            "spread": text("spread, as a share of the real data's"),
            "chance": text("share of runs in which not everything is 0"),
            TOTAL: text("diversity of all output together, as a share of the real data's"),
            WITHIN: text("diversity of a model's own output, as a share of the real data's"),
            COMPONENTS: text("share of the components that a round's posts are of"),
            DISTANCE: text("distance between the agents (‖D‖), as a share of that at the start"),
        }.get(name, name)

    def _certainty(self) -> list[str]:
        text, number, result = self.language.text, self.language.number, self.result
        lines = [
            text(
                "{finished} of {cells} cells are finished, {lawful} of them by law.",
                finished=number(self.result.finished),
                cells=number(len(result.ready)),
                lawful=number(self.cells.filter(pl.col("runs") == 0).height),
            )
        ]
        largest = self.cells.filter(pl.col("runs") > 0)["standard_error"].max()
        if largest is not None:
            error = self.language.percent(float(largest), digits=2)  # type: ignore[arg-type]
            lines.append(
                text("The largest standard error of a simulated cell is {error}.", error=error)
            )
        single = self.cells.filter(pl.col("runs") == 1).height
        if single and result.study.keep is not None:
            lines.append(
                text(
                    "Cells of a single run, which have no standard error, so that another seed "
                    "may say otherwise: {number}.",
                    number=number(single),
                )
            )
        if self.undecided:
            lines.append(
                text(
                    "Cells too close to the target to say, within two standard errors: {number}.",
                    number=number(self.undecided),
                )
            )
        lines += self._networks()
        if result.imprecise:
            lines.append(
                text(
                    "Cells that did not reach the standard error with {replicates} runs: {number}.",
                    number=number(result.imprecise),
                    replicates=number(result.study.most_replicates),
                )
            )
        return lines

    def _networks(self) -> list[str]:
        """Return what is to be said of networks alone."""
        if not self.result.study.is_network:
            return []
        text, number, lines = self.language.text, self.language.number, []
        if self.at_floor:
            lines.append(
                text(
                    "Cells whose agents are no further apart than chance leaves agents that have "
                    "become alike, within two standard errors: {number}.",
                    number=number(self.at_floor),
                )
            )
        if undefined := self.result.finished - self.cells.height:
            lines.append(
                text(
                    "Cells without a distance or a word at the start or the end: {number}.",
                    number=number(undefined),
                )
            )
        return lines

    @property
    def at_floor(self) -> int:
        """Number of cells whose agents differ by no more than the noise of what they read."""
        if "floor" not in self.cells.columns:
            return 0
        away = _ERRORS * pl.col("standard_error").fill_null(0.0)
        return self.cells.filter(pl.col("kept") - away <= pl.col("floor")).height

    def law(self, name: str) -> str:
        """Return how a cell was answered."""
        text = self.language.text
        names = {
            "exact": text("exact law"),
            "branching": text("branching law"),
            "simulated": text("simulated"),
        }
        return names.get(name, name)

    def headings(self) -> list[str]:
        """Return the headings of the table of cells."""
        text = self.language.text
        own = [self.label(name) for name in self.names]
        keep = self.result.study.keep
        told = [] if keep is None else [text("keeps {share}", share=self.share(keep))]
        return [*own, text("kept"), text("standard error"), *told, text("found by")]

    def rows(self, *, most: int) -> list[list[str]]:
        """Return the rows of the table of cells, the first `most` of them."""
        return [self._row(row) for row in self.cells.head(most).iter_rows(named=True)]

    def _row(self, row: Mapping[str, Any]) -> list[str]:
        error = row["standard_error"]
        told = [] if self.result.study.keep is None else [self._keeps(row)]
        return [
            *(self.value(name, row[name]) for name in self.names),
            self.language.percent(row["kept"]),
            "–" if error is None else f"{error:.2g}",
            *told,
            self.law(row["law"]),
        ]

    def _keeps(self, row: Mapping[str, Any]) -> str:
        text, keeps = self.language.text, row["keeps"]
        if keeps is None:
            return text("too close to say")
        return text("yes") if keeps else text("no")
