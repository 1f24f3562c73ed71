"""The command line: what people see, exit codes, and how little `--help` loads."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indexer.settings import IndexSettings
from search_api.cli import ELSEWHERE, main

HEAVY = (
    "torch",
    "numpy",
    "faiss",
    "fastapi",
    "onnxruntime",
    "pydantic",
    "jinja2",
    "tantivy",
    "rich",
)


@pytest.fixture()
def run(index_dir: Path) -> Any:
    def invoke(*arguments: str, **more: Any) -> Result:
        env = {"ICSEARCH_INDEX": str(index_dir), "COLUMNS": "200"}
        return CliRunner().invoke(main, list(arguments), env=env, **more)

    return invoke


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom search_api.cli import main\n"
        "result = CliRunner().invoke(main, ['--help'])\nassert result.exit_code == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_loads_no_torch(index_dir: Path) -> None:
    code = (
        "import sys\nfrom search_api.searcher import open_searcher\n"
        "from search_api.settings import SearchSettings\nfrom search_api.model import Query\n"
        f"s = open_searcher(SearchSettings(index={str(index_dir)!r}))\ns.ask(Query('dementia'))\n"
        "print([m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_verb_of_the_contract_is_there(run: Any) -> None:
    verbs = """index search ask compare commitments add remove documents systems info verify serve
    eval bench token""".split()
    shown = run("--help").output
    for verb in verbs:
        assert f"  {verb} " in shown
    assert "..." not in shown.replace("[ARGS]...", "")
    assert set(ELSEWHERE) <= set(verbs)


@pytest.mark.parametrize("verb", sorted(ELSEWHERE))
def test_verbs_of_other_packages_answer_help(run: Any, verb: str) -> None:
    assert run(verb, "--help").exit_code == 0


def test_the_first_question(run: Any) -> None:
    """What a planner in Lancashire and South Cumbria reads on a fresh machine."""
    done = run("ask", "what do other ICSs say about dementia", "--home", "lancashire-south-cumbria")
    assert done.exit_code == 0, done.output
    sefton, rest = done.output.split("Hertfordshire and West Essex (integrated care system)")
    for words in (
        "Recover the dementia diagnosis rate to 66.7%",
        "September 2023",
        "page 79 of the pack",
        "Improve support for early onset dementia",
        "page 80 of the pack (number inferred)",
        "Establish wellbeing hubs",
        "2 of 3 other systems address dementia",
    ):
        assert words in sefton
    assert "Priority 4: enable our residents to age well" in rest
    assert "South East London (integrated care system): silent" in rest
    assert "Lancashire" not in done.output


def test_json_of_ask_is_the_apis(run: Any, client: Any) -> None:
    shown = json.loads(run("ask", "What is planned for carers?", "--json").output)
    served = client.get("/api/v1/ask", params={"q": "What is planned for carers?"}).json()
    assert shown == served


def test_search_prints_passages(run: Any) -> None:
    done = run("search", "net zero", "--limit", "3")
    assert done.exit_code == 0
    assert "1. " in done.output
    assert "4. " not in done.output
    assert "South East London" in done.output


def test_filters_reach_the_search(run: Any) -> None:
    found = json.loads(run("search", "strategy", "--system", "south-east-london", "--json").output)
    assert {h["passage"]["system"] for h in found["hits"]} == {"south-east-london"}
    old = json.loads(run("search", "King’s Fund", "--include-superseded", "--json").output)
    assert "sefton-ccg-five-year-strategy" in {h["passage"]["document_id"] for h in old["hits"]}


def test_compare_prints_a_table(run: Any) -> None:
    done = run("compare", "--theme", "dementia", "--theme", "gambling", "--home", "sefton")
    assert done.exit_code == 0, done.output
    assert "Sefton (home)" in done.output
    assert "silent" in done.output


def test_compare_prints_declared_priorities(run: Any) -> None:
    done = run("compare", "--priorities", "--home", "sefton")
    assert done.exit_code == 0, done.output
    assert "4 of 4 systems declare headline priorities" in done.output
    assert "“Priority 1: give every child the best start in life”" in done.output
    assert "lost its headings" in done.output


def test_lists(run: Any) -> None:
    told = run("documents").output
    assert "The Sefton Plan 2023-25" in told
    assert "sefton-hwb-2023-06-item-5-report" in told, "no id is broken in 80 characters"
    assert "place" in run("systems").output
    assert "all-MiniLM-L6-v2" in run("info").output
    assert len(json.loads(run("documents", "--json").output)["documents"]) == 9
    assert len(json.loads(run("systems", "--json").output)["systems"]) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("ask", "   "), 1, "Type a question"),
        (("ask", "x" * 1001), 1, "1,001 characters; the most is 1,000"),
        (("ask", "dementia", "--system", "atlantis"), 1, "There is no system 'atlantis'"),
        (("ask", "dementia", "--home", "atlantis"), 1, "There is no system 'atlantis'"),
        (("search", "dementia", "--limit", "0"), 1, "The limit must be from 1 to 100"),
        (("search", "dementia", "--document", "nope"), 1, "There is no document nope"),
        (("search", "dementia", "--from", "2025", "--to", "2020"), 1, "must not be after"),
        (("search", "dementia", "--index-id", "feedfacefeedface"), 1, "no longer kept"),
        (("search", "dementia", "--index", "/nowhere"), 1, "There is no index at /nowhere"),
        (("ask",), 2, "Missing argument"),
        (("asks", "dementia"), 2, "No such command"),
        (("compare", "--theme", "dementia", "--format", "docx"), 2, "needs --output"),
        (("compare",), 2, "Give themes with --theme, or --priorities"),
        (("compare", "--priorities", "--theme", "dementia"), 2, "Give themes with --theme, or"),
    ],
)
def test_bad_input_gets_a_sentence(
    run: Any, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert told in done.output
    assert "Traceback" not in done.output


def test_an_unreadable_corpus_is_told(tmp_path: Path) -> None:
    arguments = ["index", "--corpus", str(tmp_path / "none"), "--index", str(tmp_path / "i")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "There is no corpus folder" in done.output


def test_indexing_a_bare_folder_prints_its_report(
    tiny_settings: IndexSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "plans" / "Great Mere"
    folder.mkdir(parents=True)
    (folder / "plan.txt").write_text("Our plan\n\nWe will open two clinics by June 2027.")
    done = CliRunner().invoke(
        main,
        ["index", "--corpus", str(folder.parent), "--index", tiny_settings.index],
        env={"COLUMNS": "200"},
    )
    assert done.exit_code == 0, done.output
    assert "great-mere-plan" in done.output


def test_add_and_remove(tiny_settings: IndexSettings, tmp_path: Path) -> None:
    where = ["--corpus", str(tiny_settings.corpus), "--index", tiny_settings.index]
    new = tmp_path / "new.txt"
    new.write_text("A plan for trees\n\nWe will plant trees by May 2027.")
    added = CliRunner().invoke(
        main, ["add", str(new), "--system", "northvale", "--title", "Trees", *where]
    )
    assert added.exit_code == 0, added.output
    assert "Added northvale-trees" in added.output
    removed = CliRunner().invoke(main, ["remove", "northvale-trees", *where])
    assert removed.exit_code == 0, removed.output


def test_a_port_in_use_is_told(run: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "in use" in done.output


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ICSEARCH_RATE_LIMIT", "lots", "should be a valid integer"),
        ("ICSEARCH_CANDIDATES", "3", "should be greater than or equal to 10"),
    ],
)
def test_a_setting_that_is_not_usable_is_told_in_a_sentence(
    run: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    done = run("search", "dementia")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: The setting {name} is not usable: it {told}")
    assert done.stderr.endswith(f", not '{value}'.\n")


def test_a_register_without_a_row_says_so(run: Any) -> None:
    done = run("commitments", "--due-before", "1999-01")
    assert done.exit_code == 0 and done.output.startswith("No commitment fits.")


def test_where_no_index_is_the_command_that_makes_it_is_told(run: Any, tmp_path: Path) -> None:
    done = run("ask", "dementia", "--index", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert f": icsearch index --index {tmp_path / 'none'} makes one." in done.stderr
