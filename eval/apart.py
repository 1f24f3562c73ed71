"""Whether the labels of a test split were changed apart from the code that they judge.

A label that changes in the same commit as a rule can be bent to fit it. So the commit in which a
file's test labels first were what they are now must not have changed code, and no uncommitted
change may touch both.
Labels of the tune split may change with the rules: that is what they are for.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import IcsearchError

HERE = Path(__file__).parent
LABELS = "eval/labels"
CODE = ("search_api/", "indexer/")
CORPUS_CODE = ("corpus/themes.toml",)
ADVICE = "Commit labels of a test split apart from the code that they judge."


class LabelsWithCode(IcsearchError):
    """Test labels and code were changed together."""

    code = "gate"


class NoHistory(Exception):
    """There is no git history to look at; the message says why."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A change that touches both: where it is, the labels, and the code."""

    where: str
    labels: tuple[str, ...]
    code: tuple[str, ...]

    def __str__(self) -> str:
        """One sentence."""
        more = f" and {len(self.code) - 1} more" if len(self.code) > 1 else ""
        return (
            f"{self.where} changes test labels ({', '.join(self.labels)}) together with code "
            f"({self.code[0]}{more})"
        )


def check(folder: Path = HERE) -> str | None:
    """Refuse labels that were changed with code; a sentence where that cannot be looked at.

    Raises:
        LabelsWithCode: they were; the sentence names the commit and the files.
    """
    try:
        found = mixtures(folder)
    except NoHistory as reason:
        return f"Whether labels and code were changed apart was not looked at: {reason}"
    if found:
        raise LabelsWithCode(f"The gate is closed: {'; '.join(map(str, found))}. {ADVICE}")
    return None


def mixtures(folder: Path) -> list[Mixture]:
    """The changes that touch test labels and code at once: uncommitted, or that made the labels.

    Raises:
        NoHistory: there is no git, no checkout, or only a part of the history.
    """
    root = _root(folder)
    found = []
    changed = _uncommitted(root)
    labels = tuple(p for p in changed if _is_label(p) and _differs(root, p, "HEAD", None))
    code = tuple(p for p in changed if is_code(p))
    if labels and code:
        return [Mixture("An uncommitted change", labels, code)]
    if _lines(root, "rev-parse", "--is-shallow-repository") == ["true"]:
        raise NoHistory("this checkout has only a part of the history.")
    by_commit: dict[str, list[str]] = {}
    for path in filter(_is_label, _lines(root, "ls-files", "--", LABELS)):
        commit = _first_with(root, path)
        if commit is not None:
            by_commit.setdefault(commit, []).append(path)
    for commit, paths in by_commit.items():
        touched = _lines(root, "diff-tree", "--no-commit-id", "--name-only", "-r", commit)
        code = tuple(p for p in touched if is_code(p))
        if code:
            found.append(Mixture(f"Commit {commit[:10]}", tuple(paths), code))
    return found


def _first_with(root: Path, path: str) -> str | None:
    """The commit in which a file's test labels first were what they are now.

    Labels that were taken out and put back were not changed. None where that commit is the one
    with which history begins, or is cut off: there is nothing to compare it with.
    """
    now = _rows(_shown(root, "HEAD", path))
    for commit in _lines(root, "log", "--reverse", "--format=%H", "--no-merges", "--", path):
        if _rows(_shown(root, commit, path)) == now:
            alone = not _lines(root, "rev-list", "--parents", "-n", "1", commit)[0].count(" ")
            return None if alone else commit
    return None


def is_code(path: str) -> bool:
    """Whether a file holds rules that labels judge.

    >>> is_code("search_api/judge.py"), is_code("corpus/themes.toml"), is_code("docs/api.md")
    (True, True, False)
    """
    corpus = path.startswith("corpus/") and path.endswith(".py")
    return path.startswith(CODE) or path in CORPUS_CODE or corpus


def _is_label(path: str) -> bool:
    return path.startswith(f"{LABELS}/") and path.endswith(".jsonl")


def _differs(root: Path, path: str, before: str, after: str | None) -> bool:
    """Whether the test labels of a file differ between two commits, or from the files now."""
    now = _shown(root, after, path) if after else _text(root / path)
    return _rows(_shown(root, before, path)) != _rows(now)


def _rows(text: str) -> list[str]:
    """The labels of a file that are not of the tune split, however they are laid out."""
    rows = []
    for line in filter(None, text.splitlines()):
        try:
            row = json.loads(line)
        except ValueError:
            rows.append(line)
            continue
        if not isinstance(row, dict) or row.get("split") != "tune":
            rows.append(json.dumps(row, sort_keys=True))
    return sorted(rows)


def _shown(root: Path, commit: str, path: str) -> str:
    """A file as a commit has it; empty where it has none."""
    done = _git(root, "show", f"{commit}:{path}")
    return done.stdout if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _uncommitted(root: Path) -> list[str]:
    """The files that differ from the last commit, new ones too."""
    changed = _lines(root, "diff", "--name-only", "--no-renames", "HEAD")
    return [*changed, *_lines(root, "ls-files", "--others", "--exclude-standard")]


def _root(folder: Path) -> Path:
    if shutil.which("git") is None:
        raise NoHistory("git is not installed.")
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode != 0 or _git(folder, "rev-parse", "HEAD").returncode != 0:
        raise NoHistory("this is not a git checkout.")
    root = Path(done.stdout.strip())
    if not (root / LABELS).is_dir():
        raise NoHistory("the git checkout around it is of something else.")
    return root


def _lines(root: Path, *command: str) -> list[str]:
    done = _git(root, *command)
    if done.returncode != 0:
        raise NoHistory(f"git {command[0]} failed ({done.stderr.strip()}).")
    return done.stdout.splitlines()


def _git(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words, no shell
        [shutil.which("git") or "git", "-c", "core.quotepath=off", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
