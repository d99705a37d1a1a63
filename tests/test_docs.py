"""What the documents name is there: files, tests, links, commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools.make_cli_docs import PAGE, markdown

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("benchmarks/*.md")]
)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_and_link_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for path, test in TEST.findall(text):
        assert (ROOT / path).is_file(), f"{document.name} names {path}"
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{document.name} names {test}"
    for target, anchor in LINK.findall(text):
        if target.startswith(("http://", "https://")):
            continue
        linked = (document.parent / target).resolve()
        assert linked.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{document.name} links to {target}#{anchor}"


def anchors(text: str) -> set[str]:
    """Of a document's headings, as they are made from them."""
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Rows of the tables in docs/reliability.md and docs/security.md, and the tests that prove them

ROW = re.compile(r"(?m)^\| `([a-z0-9-]+)` \|")
WITHOUT_A_TEST = {"theft-cards"}  # the kiosk never gets a card number, so there is nothing to test


def rows() -> list[str]:
    """The id of every row, which is its first cell."""
    pages = (ROOT / "docs" / name for name in ("reliability.md", "security.md"))
    return [row for page in pages for row in ROW.findall(page.read_text(encoding="utf-8"))]


def marked() -> set[str]:
    """The rows that tests name: `@pytest.mark.proves("camera-absent")`, or `pytestmark` for a whole module."""
    names = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
                names |= {ast.literal_eval(argument) for argument in node.args}
    return names


def test_every_row_is_proved_and_every_proof_has_a_row() -> None:
    named = rows()
    assert len(named) > 80
    assert len(named) == len(set(named))
    assert set(named) - WITHOUT_A_TEST == marked()


def test_the_commands_page_is_their_help() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `make cli-docs`"
