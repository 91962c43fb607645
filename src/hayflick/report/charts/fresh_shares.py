"""How much a share of fresh real data in every round helps."""

from __future__ import annotations

import polars as pl

from hayflick.planning.forecast_result import FRESH_SHARES, BaseForecast
from hayflick.report.charts import drawing
from hayflick.report.outlook_findings import OutlookFindings


def fresh_shares_chart(forecast: BaseForecast, findings: OutlookFindings) -> drawing.RenderedChart:
    """Return the chart of what is left after the last round, by fresh share."""
    import altair as alt

    language, text = findings.language, findings.language.text
    numbers = pl.DataFrame({"fresh_share": FRESH_SHARES, "left": forecast.fresh_shares})
    shares = [language.percent(share, digits=0) for share in FRESH_SHARES]
    left = [language.percent(kept) for kept in forecast.fresh_shares]
    labelled = numbers.with_columns(pl.Series("share", shares), pl.Series("label", left))
    x = alt.X("share:O", title=findings.fresh_heading(), sort=shares)
    y = alt.Y(
        "left:Q",
        title=findings.axis(),
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, max(1.0, *forecast.fresh_shares)]),
    )
    base = alt.Chart(labelled, width=drawing.WIDTH, height=drawing.HEIGHT - 60)
    bars = base.mark_bar(color=drawing.LAW, size=46).encode(x=x.axis(labelAngle=0), y=y)
    names = base.mark_text(dy=-8, fontSize=12).encode(x=x, y=y, text="label:N")
    # A white rim keeps the limit from striking a figure through.
    rims = base.mark_text(dy=-8, fontSize=12, stroke="white", strokeWidth=4)
    rule = pl.DataFrame({"left": [forecast.limit]})
    limit = base.properties(data=rule).mark_rule(strokeDash=[5, 4], color=drawing.LIMIT)
    return drawing.RenderedChart(
        name="fresh-shares",
        title=text("What fresh real data changes"),
        caption=text(
            "Share left after the last round if that share of every training set is newly "
            "drawn real data. The dashed line is the limit."
        ),
        svg=drawing.to_svg(
            alt.layer(bars, limit.encode(y=y), rims.encode(x=x, y=y, text="label:N"), names)
        ),
        numbers=numbers,
    )
