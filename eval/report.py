"""The evaluation's report: every measure with its yardsticks, and the gate that holds them.

`report.json` is what the quality page shows; `report.html` has the plots and the worst questions.
"""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from corpus.errors import IcsearchError
from eval import answers, run
from eval.metamorphic import overlaps
from eval.metrics import Asked, abstention, difference, interval, mean, risk_coverage
from eval.run import Judged, Outcome
from eval.yardstick import yardsticks
from search_api.searcher import Searcher

BASELINE = Path(__file__).parent / "baseline.json"
MAIN = "nDCG@10"
WORST = 25
TOLERANCE = 0.01
"""How far a measure may fall below the baseline: less than the smallest change that matters."""


class GateFailed(IcsearchError):
    """A measure fell below the baseline."""

    code = "gate"


def retrieval(searcher: Searcher, split: str) -> tuple[dict[str, Any], Judged, list[Outcome]]:
    """Search against the yardsticks on one split, with intervals, and the runs themselves."""
    judged, ours = run.run(searcher, split)
    _, theirs = yardsticks(searcher, judged.questions)
    runs = [ours, *theirs]
    kinds = {
        kind: {one.name: round(one.mean(MAIN, among), 4) for one in runs} | {"count": len(among)}
        for kind, among in judged.kinds.items()
    }
    found: dict[str, Any] = {
        "measures": {
            one.name: {name: round(one.mean(name), 4) for name in one.values} for one in runs
        },
        "intervals": {
            one.name: _rounded(interval(list(one.values[MAIN].values()))) for one in runs
        },
        "by_kind": kinds,
        "better_than": {
            one.name: _rounded(difference(ours.values[MAIN], one.values[MAIN], judged.topics))
            for one in theirs
        },
        "search_ms": round(mean(ours.took_ms.values()), 2),
    }
    return found, judged, runs


def abstaining(searcher: Searcher, split: str) -> tuple[dict[str, Any], list[Asked]]:
    """How well "not found" is told on one split, and by kind of unanswerable question."""
    asked = run.asked_of(searcher, split)
    results, _ = run.ask_all(searcher, asked)
    kinds: dict[str, list[bool]] = {}
    for question, result in zip(asked, results, strict=True):
        if question.unanswerable:
            kinds.setdefault(question.unanswerable, []).append(not result.answered)
    told = {kind: {"refused": sum(v), "of": len(v)} for kind, v in sorted(kinds.items())}
    return _rounded(abstention(results)) | {"by_kind": told}, results


def make(
    searcher: Searcher, split: str
) -> tuple[dict[str, Any], Judged, list[Outcome], list[Asked]]:
    """The whole report as values, with the runs it is made of."""
    found, judged, runs = retrieval(searcher, split)
    refusing, asked = abstaining(searcher, split)
    content = {
        "index_id": searcher.index_id,
        "split": split,
        "questions": len(judged.questions),
        "retrieval": found,
        "not_found": refusing,
        "same_need_two_wordings": {k: asdict(v) for k, v in overlaps(searcher).items()},
        "answers": answers.report(searcher),
    }
    return content, judged, runs, asked


def held(content: dict[str, Any]) -> dict[str, float]:
    """The measures that the gate holds, by name; more is better for each."""
    ours = content["retrieval"]["measures"]["icsearch"]
    best = max(
        (m[MAIN] for name, m in content["retrieval"]["measures"].items() if name != "icsearch"),
        default=0.0,
    )
    told = content["answers"]
    return {
        **{name: ours[name] for name in (MAIN, "R@10", "RR@10") if name in ours},
        "nDCG@10 above the best yardstick": round(ours[MAIN] - best, 4),
        "not found, precision": content["not_found"]["precision"],
        "not found, recall": content["not_found"]["recall"],
        "answerable questions answered": round(1 - content["not_found"]["refused"], 4),
        "two wordings, overlap": round(content["same_need_two_wordings"]["all"]["overlap"], 4),
        "cells right": told["cells"]["right"],
        "cells not falsely silent": round(1 - told["cells"]["false_silence"], 4),
        "fresh cells right": told["cells_fresh"]["right"],
        "fresh cells not falsely silent": round(1 - told["cells_fresh"]["false_silence"], 4),
        "labelled systems not falsely silent": round(
            1 - told["silence_by_labels"]["in own words"]["falsely_silent"], 4
        ),
        "ladder exact": told["ladder"]["exact"],
        "statements on subject": told["statements_on_subject"]["all"]["share"],
        "sure statements on subject": told["statements_on_subject"]["sure"]["share"],
        "statements on subject that are kept": told["statements_on_subject"]["all"]["kept"],
        "headline priorities found": told["priorities"]["headline_recall"],
        "headline priorities right": told["priorities"]["headline_precision"],
        "round trip": told["round_trip"]["share"],
    }


def gate(content: dict[str, Any], baseline: dict[str, float]) -> list[str]:
    """What fell below the baseline, each in words; none if all is well."""
    now = held(content)
    return [
        f"{name} fell from {before:.4f} to {now.get(name, 0.0):.4f}"
        for name, before in baseline.items()
        if now.get(name, 0.0) < before - TOLERANCE
    ]


def write(folder: Path, content: dict[str, Any], page: str) -> None:
    """Both files of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")


def html(
    content: dict[str, Any], judged: Judged, runs: Sequence[Outcome], asked: Sequence[Asked]
) -> str:
    """The report as one page: measures, plots, and the questions that went worst."""
    ours = runs[0]
    best = max(runs[1:], key=lambda r: r.mean(MAIN))
    worst = sorted(judged.questions, key=lambda q: (ours.values[MAIN][q.query_id], q.query_id))
    rows = "".join(
        f"<tr><td>{escape(q.query_id)}<td>{escape(q.kind)}<td>{escape(q.text)}"
        f"<td>{ours.values[MAIN][q.query_id]:.2f}"
        f"<td>{best.values[MAIN].get(q.query_id, 0):.2f}"
        f"<td>{_list(ours.ranked.get(q.query_id, [])[:3])}"
        f"<td>{_list(sorted(judged.qrels[q.query_id])[:3])}</tr>"
        for q in worst[:WORST]
    )
    measures = content["retrieval"]["measures"]
    names = list(measures["icsearch"])
    table = "".join(
        f"<tr><th>{escape(run)}</th>" + "".join(f"<td>{m[n]:.3f}</td>" for n in names) + "</tr>"
        for run, m in measures.items()
    )
    heads = "".join(f"<th>{escape(n)}</th>" for n in names)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        "<style>body{font-family:sans-serif;max-width:75em;margin:2em auto}"
        "td,th{padding:.2em .6em;text-align:left;vertical-align:top}</style>"
        f"<h1>Evaluation, {escape(content['split'])} split</h1>"
        f"<p>{content['questions']} answerable questions, index {content['index_id']}.</p>"
        f"<table><tr><th>Run{heads}</tr>{table}</table>"
        f'<h2>By kind of question</h2><img alt="nDCG@10 by kind" src="{_kinds_plot(content)}">'
        f"<h2>Statements on the subject</h2>{_on_subject(content)}"
        f'<h2>Risk and coverage</h2><img alt="risk by coverage" src="{_risk_plot(asked)}">'
        f"<h2>The {WORST} questions that went worst</h2><table><tr><th>Id<th>Kind<th>Question"
        f"<th>Ours<th>{escape(best.name)}<th>Found first<th>Judged relevant</tr>{rows}</table>"
        "</html>"
    )


def _on_subject(content: dict[str, Any]) -> str:
    """The share of the statements shown that are about what was asked, by how it was asked."""
    found = content["answers"]["statements_on_subject"]
    rows = "".join(
        f"<tr><th>{escape(way.replace('_', ' '))}<td>{s['on_subject']} of {s['labelled']}"
        f"<td>{s['share']:.3f} ({s['low']:.3f} to {s['high']:.3f})<td>{s['unlabelled']}"
        f"<td>{s['kept']:.3f}<td>{s['dropped']:.3f}</tr>"
        for way, s in found.items()
    )
    return (
        "<p>Statements that a reader labelled, given again now; 95 % Wilson intervals. "
        "Unlabelled ones were given and are not judged.</p><table><tr><th><th>On subject<th>Share"
        "<th>Unlabelled<th>Good ones kept<th>Bad ones dropped</tr>" + rows + "</table>"
    )


def _list(items: Sequence[str]) -> str:
    return "<br>".join(escape(i) for i in items)


def _kinds_plot(content: dict[str, Any]) -> str:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    kinds = content["retrieval"]["by_kind"]
    runs = [name for name in next(iter(kinds.values())) if name != "count"]
    figure, axes = pyplot.subplots(figsize=(9, 3.5))
    width = 0.8 / len(runs)
    for i, name in enumerate(runs):
        axes.bar(
            [k + i * width for k in range(len(kinds))],
            [v[name] for v in kinds.values()],
            width,
            label=name,
        )
    axes.set_xticks([k + 0.4 for k in range(len(kinds))], list(kinds))
    axes.set_ylabel(MAIN)
    axes.legend(fontsize=7)
    return _as_image(figure)


def _risk_plot(asked: Sequence[Asked]) -> str:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    points = risk_coverage(asked)
    axes.plot([c for c, _ in points], [r for _, r in points])
    axes.set_xlabel("coverage")
    axes.set_ylabel("risk")
    return _as_image(figure)


def _as_image(figure: Any) -> str:
    from matplotlib import pyplot

    out = io.BytesIO()
    figure.tight_layout()
    figure.savefig(out, format="png", dpi=90)
    pyplot.close(figure)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _rounded(value: Any) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(value).items()}
