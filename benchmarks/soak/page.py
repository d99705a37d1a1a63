"""The figures of a soak as Markdown for docs/soak.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.common.errors import KioskError

BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"

_NAMES = {"memory_mb": "memory, MB", "files": "open files", "threads": "threads", "latency_ms": "latency, ms"}


class PageError(KioskError):
    """The page has no markers for the figures."""


def insert_figures(text: str, report: Mapping[str, Any]) -> str:
    """Returns the page with its figures replaced by those of `report`. Raises `PageError`."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise PageError(f"it has no place for the figures: put {BEGIN} and {END} where they are to stand")
    return f"{before}{begin}\n\n{figures(report)}\n\n{end}{after}"


def figures(report: Mapping[str, Any]) -> str:
    """Returns what happened, the recovery from faults, and the growth, as Markdown."""
    outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(report["outcomes"].items()))
    wrong = sum(count for name, count in report["payments"].items() if name != "APPROVE")
    wrong_vends = sum(count for name, count in report["vends"].items() if name != "DROP")
    lines = [
        f"{report['seconds'] / 60:.0f} minutes, seed {report['seed']}: {report['customers']} customers, "
        f"{report['sales']} sales begun ({outcomes}). Of {sum(report['payments'].values())} payments {wrong} and of "
        f"{sum(report['vends'].values())} vends {wrong_vends} did not go as they should. "
        f"Problems found: {len(report['problems']) or 'none'}.",
        "",
        "| fault | times | recovered | longest, s | allowed, s |",
        "|---|---|---|---|---|",
    ]
    for kind, fault in report["faults"].items():
        longest = "–" if fault["longest_s"] is None else f"{fault['longest_s']:.1f}"
        lines.append(f"| {kind} | {fault['times']} | {fault['recovered']} | {longest} | {fault['within_s']:.0f} |")
    lines += ["", "| drift of | minutes judged | grown | an hour | allowed |", "|---|---|---|---|---|"]
    for drift in report["drift"]:
        name = f"{drift['of']}: {_NAMES[drift['measure']]}"
        row = f"{drift['seconds'] / 60:.0f} | {drift['grown']:+.1f} | {drift['hourly']:+.1f} | {drift['limit']:.1f}"
        lines.append(f"| {name} | {row} |")
    return "\n".join(lines)
