"""The gate's rule about labels and code, in git repositories made for it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from eval.apart import LabelsWithCode, check

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

CODE, CELLS = "search_api/judge.py", "eval/labels/cells.jsonl"
QUESTIONS = "eval/labels/questions.jsonl"


class Checkout:
    """A git repository with labels and code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q")
        self.git("config", "user.name", "A Tester")
        self.git("config", "user.email", "tester@example.org")

    def git(self, *command: str) -> None:
        subprocess.run(["git", *command], cwd=self.folder, check=True, capture_output=True)

    def write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "A change")

    def check(self) -> str | None:
        return check(self.folder / "eval")


def questions(tune: str, test: str) -> str:
    rows = [{"text": tune, "split": "tune"}, {"text": test, "split": "test"}]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture()
def checkout(tmp_path: Path) -> Checkout:
    """One commit that holds everything, as where a history begins."""
    made = Checkout(tmp_path)
    made.write(CODE, "LINE = 1\n")
    made.write(CELLS, '{"status": "says"}\n')
    made.write(QUESTIONS, questions("a", "b"))
    made.commit()
    return made


def test_where_history_begins_nothing_is_refused(checkout: Checkout) -> None:
    assert checkout.check() is None


def test_labels_and_code_in_commits_of_their_own_pass(checkout: Checkout) -> None:
    checkout.write(CELLS, '{"status": "commits"}\n')
    checkout.commit()
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    checkout.write("docs/notes.md", "words")
    checkout.write(CELLS, '{"status": "silent"}\n')
    checkout.commit()
    assert checkout.check() is None


def test_labels_and_code_in_one_commit_are_refused(checkout: Checkout) -> None:
    checkout.write(CELLS, '{"status": "commits"}\n')
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    checkout.write("docs/notes.md", "later commits do not hide it")
    checkout.commit()
    with pytest.raises(LabelsWithCode) as told:
        checkout.check()
    assert CELLS in told.value.message and CODE in told.value.message
    assert "Commit labels of a test split apart" in told.value.message
    assert told.value.message.count("\n") == 0


@pytest.mark.parametrize("code", ["indexer/split.py", "corpus/catalogue.py", "corpus/themes.toml"])
def test_every_kind_of_code_counts(checkout: Checkout, code: str) -> None:
    checkout.write(CELLS, '{"status": "commits"}\n')
    checkout.write(code, "x = 2\n")
    checkout.commit()
    with pytest.raises(LabelsWithCode, match=code):
        checkout.check()


def test_labels_of_the_tune_split_may_change_with_code(checkout: Checkout) -> None:
    checkout.write(QUESTIONS, questions("another", "b"))
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    assert checkout.check() is None


def test_test_labels_are_told_from_tune_labels_in_one_file(checkout: Checkout) -> None:
    checkout.write(QUESTIONS, questions("a", "another"))
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    checkout.write(QUESTIONS, questions("another", "another"))
    checkout.commit()
    with pytest.raises(LabelsWithCode, match="questions"):
        checkout.check()


def test_labels_changed_again_on_their_own_open_the_gate(checkout: Checkout) -> None:
    checkout.write(CELLS, '{"status": "commits"}\n')
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    checkout.write(CELLS, '{"status": "silent"}\n')
    checkout.commit()
    assert checkout.check() is None


def test_labels_put_back_as_they_were_are_no_change(checkout: Checkout) -> None:
    checkout.write("docs/notes.md", "words")
    checkout.commit()
    checkout.write("eval/labels/statements.jsonl", '{"on_subject": true}\n')
    checkout.commit()
    (checkout.folder / "eval/labels/statements.jsonl").unlink()
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    checkout.write("eval/labels/statements.jsonl", '{"on_subject": true}\n')
    checkout.write(CODE, "LINE = 3\n")
    checkout.commit()
    assert checkout.check() is None


def test_an_uncommitted_mixture_is_refused(checkout: Checkout) -> None:
    checkout.write(CELLS, '{"status": "commits"}\n')
    assert checkout.check() is None
    checkout.write("search_api/fresh.py", "new = 1\n")
    with pytest.raises(LabelsWithCode, match="uncommitted") as told:
        checkout.check()
    assert "search_api/fresh.py" in told.value.message


def test_new_labels_with_code_are_refused(checkout: Checkout) -> None:
    checkout.write("eval/labels/statements.jsonl", '{"on_subject": true}\n')
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    with pytest.raises(LabelsWithCode, match="statements"):
        checkout.check()


def test_the_same_labels_laid_out_otherwise_are_no_change(checkout: Checkout) -> None:
    checkout.write(CELLS, '{"status":   "says"}\n\n')
    checkout.write(CODE, "LINE = 2\n")
    checkout.commit()
    assert checkout.check() is None


def test_a_shallow_clone_says_that_it_cannot_tell(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("docs/notes.md", "words")
    checkout.commit()
    shallow = tmp_path / "shallow"
    command = ["git", "clone", "-q", "--depth", "1", f"file://{checkout.folder}", str(shallow)]
    subprocess.run(command, check=True, capture_output=True)
    told = check(shallow / "eval")
    assert told is not None and "only a part of the history" in told


def test_outside_a_checkout_it_is_said(tmp_path: Path) -> None:
    told = check(tmp_path)
    assert told is not None and "not a git checkout" in told


def test_a_checkout_of_something_else_around_it_is_said(tmp_path: Path) -> None:
    other = Checkout(tmp_path)
    other.write("words.txt", "words")
    other.commit()
    (tmp_path / "inner").mkdir()
    told = check(tmp_path / "inner")
    assert told is not None and "something else" in told
