"""What the papers name exists: commands, files, links, settings, and the answer in the README."""

import os
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from indexer.settings import CHECKOUT
from search_api.cli import main

PAPERS = sorted(
    [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md"), *CHECKOUT.glob("docs/adr/*.md")]
)
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]*\w\.(?:py|toml|md|yaml|yml|sql|jsonl|jinja)")
MADE_BY_USE = {"log.jsonl", "corpus.jsonl", "queries.jsonl"}
"""Files of whoever runs it: the log of acts, a collection to be measured on."""
papers = pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.name)


def commands(text: str) -> list[str]:
    """The commands of a paper: in running text, and on lines of their own."""
    found = [*CODE.findall(text), *(line.strip() for line in text.splitlines())]
    return [c for c in found if re.match(r"(?:icsearch|make) [a-z-]", c)]


def files_of_the_checkout() -> set[str]:
    """The paths of its files, and their names alone."""
    folders = (f for f in CHECKOUT.iterdir() if f.is_dir() and not f.name.startswith("."))
    files = [f for folder in folders for f in folder.rglob("*.*")]
    files += [f for f in CHECKOUT.iterdir() if f.is_file()]
    return {f.relative_to(CHECKOUT).as_posix() for f in files} | {f.name for f in files}


FILES = files_of_the_checkout()


@papers
def test_links_lead_somewhere(paper: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", paper.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (paper.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize(
    "paper", [p for p in PAPERS if p.name != "CHANGELOG.md"], ids=lambda p: p.name
)
def test_files_that_are_named_exist(paper: Path) -> None:
    for code in CODE.findall(paper.read_text(encoding="utf-8")):
        for name in filter(FILE.fullmatch, code.split()):
            assert os.path.normpath(name) in FILES | MADE_BY_USE, name


@papers
def test_commands_are_written_as_they_are_understood(paper: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(paper.read_text(encoding="utf-8")):
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert words[0] in targets, line
            continue
        command: click.Command = main
        context = click.Context(main)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            inner = command.get_command(context, words[0])
            assert inner is not None, line
            command, words = inner, words[1:]
        parser = command.make_parser(click.Context(command))
        try:
            parser.parse_args(list(words))
        except click.BadOptionUsage:  # an option named without its value
            parser.parse_args([*words, "VALUE"])


@papers
def test_settings_that_are_named_exist(paper: Path) -> None:
    known = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in re.findall(r"ICSEARCH_[A-Z_]+[A-Z]", paper.read_text(encoding="utf-8")):
        assert f"`{name}`" in known, name


def test_the_answer_in_the_readme_is_what_is_printed(index_dir: Path) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- answer -->\n```\n")[2].partition("\n```\n<!-- /answer -->")[0]
    question = "what do other ICSs say about dementia", "--home", "lancashire-south-cumbria"
    done = CliRunner().invoke(main, ["ask", *question, "--index", str(index_dir)])
    # The id of the index is another whenever the index is made otherwise.
    printed = iter(re.sub(r"Index \w{16}", "Index", done.output).splitlines())
    shown = re.sub(r"Index \w{16}", "Index", shown)
    lines = [line for line in shown.splitlines() if not line.strip().startswith("[...")]
    assert len(lines) > 40
    for line in lines:  # in this order
        assert line in printed, line
