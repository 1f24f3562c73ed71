"""Every store answers alike: one set of tests over the folder and over a real PostgreSQL."""

import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from corpus.catalogue import sha256_of
from corpus.errors import IndexBusy, IndexGone, IndexMissing, IndexWriteError
from eval.bench_stores import measure_stores
from eval.labels import read_labels
from indexer.build import build_index, open_place
from indexer.embed import MODEL, QUESTIONS
from indexer.gist import gist_of
from indexer.manifest import Manifest
from indexer.settings import DatabaseSettings, IndexSettings
from indexer.statements import statements
from indexer.store import Store, current_id, kept_ids, open_store
from indexer.store.copy import contents_of, copy_index
from indexer.store.postgres import Keeper, open_generation
from indexer.store.postgres import write as writing
from indexer.store.postgres.database import close_all, connect, migrations, shown
from search_api.app import create_api
from search_api.cli import main
from search_api.model import Filters, Query
from search_api.searcher import Searcher, open_searcher
from search_api.serialise import dumps
from search_api.serving import Serving
from search_api.settings import SearchSettings
from tests.servers import Postgres
from web.app import create_app

NUMBERS = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def environment(index_dir: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICSEARCH_MODELS", str(index_dir / "models"))
        yield


@pytest.fixture(scope="module")
def shipped(server: Postgres, index_dir: Path) -> str:
    """The shipped corpus in PostgreSQL."""
    url = server.create("shipped")
    copy_index(str(index_dir), Keeper(url), keep=3)
    return url


@pytest.fixture(scope="module")
def approximate(server: Postgres, index_dir: Path) -> Store:
    """The same, searched by HNSW and pg_textsearch whatever its size."""
    return approximately(server.create("approximate"), str(index_dir))


def approximately(url: str, source: str) -> Store:
    """A copy of an index that is searched as a large one is."""
    settings = DatabaseSettings(postings_up_to=0)
    store = open_store(source)
    how = {"kind": "hnsw", "exact_up_to": 200}
    manifest = replace(store.manifest, made={**store.manifest.made, "nearest": how})
    place = Keeper(url, settings)
    with place.writing():
        place.write(replace(contents_of(store), nearest=how), store.encoder, lambda _: manifest)
        place.switch(manifest.index_id, 3)
    return open_generation(url, settings=settings)


@pytest.fixture()
def empty(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database. The model stays on this machine, so as not to write it for each test."""
    monkeypatch.setattr(writing.models, "put", lambda *_: None)
    return server.create(f"empty{next(NUMBERS)}")


@pytest.fixture(params=["folder", "postgres", "approximate"])
def store(request: pytest.FixtureRequest, searcher: Searcher) -> Store:
    if request.param == "folder":
        return searcher.store
    if request.param == "postgres":
        return open_store(request.getfixturevalue("shipped"))
    found: Store = request.getfixturevalue("approximate")
    return found


def test_rows_are_the_documents_passages_in_order(store: Store) -> None:
    ends = [store.rows_of(d) for d in store.documents]
    assert ends[0][0] == 0 and ends[-1][1] == store.manifest.passages
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    passages = store.passages(range(store.manifest.passages))
    for document_id, (first, end) in zip(store.documents, ends, strict=True):
        text = store.reading(document_id).text
        assert all(p.document_id == document_id for p in passages[first:end])
        assert {*store.documents_of(np.arange(first, end))} <= {store.documents[document_id]}
        assert all(text[p.start : p.end] == p.text for p in passages[first:end])
    keys = [key for d in store.documents for key in store.embedding_keys(d)]
    assert len(keys) == len(passages)


def test_rows_come_in_the_order_asked(store: Store, searcher: Searcher) -> None:
    rows = [40, 3, 200, 3]
    assert store.passages(rows) == searcher.store.passages(rows)
    assert np.array_equal(store.vectors(np.array(rows)), searcher.store.vectors(np.array(rows)))
    assert store.vectors(np.empty(0, dtype=np.int64)).shape == (0, 384)
    some = np.array([*range(0, store.manifest.passages, 23), 3])
    for ours, theirs in zip(
        store.vectors_of_statements(some), searcher.store.vectors_of_statements(some), strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_what_was_worked_out_beforehand_is_what_the_rules_find(store: Store) -> None:
    rows = [*range(0, store.manifest.passages, 7), 3, 0]
    passages = store.passages(rows)
    assert store.gists(rows) == [gist_of(passage) for passage in passages]
    found = [statements(p, store.reading(p.document_id)) for p in passages]
    assert [list(said) for said in store.statements(rows)] == found
    assert any(s.cells for said in found for s in said)
    vectors, counts = store.vectors_of_statements(np.array(rows))
    assert counts.tolist() == [len(said) for said in found]
    alone = [store.vectors_of_statements(np.array([row]))[0] for row in rows]
    assert np.array_equal(vectors, np.concatenate(alone))
    assert store.vectors_of_statements(np.empty(0, dtype=np.int64))[0].shape == (0, 384)
    for document_id in store.documents:
        assert store.pages(document_id) == store.reading(document_id).pages


def test_groups_of_documents_find_what_each_finds_alone(store: Store) -> None:
    vector = store.encoder.query("support for people living with dementia")
    words = {"dementia": 1.0, "care": 0.5, "nowherefound": 1.0}
    every = list(store.documents)
    groups = [every[:1], every[1:4], every[4:], []]
    for k in (3, 60):
        for group, each in zip(
            groups, store.candidates_each(vector, words, k, groups), strict=True
        ):
            alone = store.nearest(vector, k, group), store.matching(words, k, group)
            for (rows, scores), (wanted, as_scored) in zip(each, alone, strict=True):
                assert np.array_equal(rows, wanted)
                assert np.array_equal(scores, as_scored)
    assert store.candidates_each(vector, words, 3, []) == []
    phrases = [("mental", "health"), ("dementia",)]
    few = store.rows_with(phrases, 2, groups)
    for group, rows, best in zip(groups, store.rows_with(phrases, 500, groups), few, strict=True):
        among = [row for d in group for row in range(*store.rows_of(d))]
        whole = [
            row
            for row, gist in zip(among, store.gists(among), strict=True)
            if any(all(f" {w} " in gist.own for w in phrase) for phrase in phrases)
            and gist.form != "contents"
        ]
        assert {*whole} <= {*rows.tolist()} <= {*among}
        assert {*best.tolist()} <= {*among} and len(best) >= min(2, len(whole))
    assert [len(rows) for rows in store.rows_with([], 5, groups)] == [0] * len(groups)
    assert store.candidates_each(vector, words, k, []) == []


def test_nearest_and_matching_are_exact_among_documents(store: Store, searcher: Searcher) -> None:
    vector = store.encoder.query("support for people living with dementia")
    words = {"dementia": 1.0, "diagnosi": 0.5, "nowherefound": 1.0}
    for among in (["sefton-plan-2023-25"], list(store.documents)[2:6], []):
        exact = "sefton-plan-2023-25" in among or len(among) == 0
        near = store.nearest(vector, 7, among)
        hits = store.matching(words, 7, among)
        assert np.array_equal(hits[0], searcher.store.matching(words, 7, among)[0])
        assert np.allclose(hits[1], searcher.store.matching(words, 7, among)[1], atol=0.011)
        for row in (*near[0].tolist(), *hits[0].tolist()):
            assert store.passages([row])[0].document_id in among
        if exact:
            assert np.array_equal(near[0], searcher.store.nearest(vector, 7, among)[0])
            assert np.array_equal(near[1], searcher.store.nearest(vector, 7, among)[1])


def test_words(store: Store, searcher: Searcher) -> None:
    for word in ("dementia", "care", "nowherefound"):
        assert store.document_frequency(word) == searcher.store.document_frequency(word)
    for word in ("dementai", "comissioning", "dementia", "xqzzyv", "injections"):
        assert store.nearest_word(word) == searcher.store.nearest_word(word)
    rows, scores = store.matching({"nowherefound": 1.0}, 5, None)
    assert len(rows) == len(scores) == 0
    assert len(store.matching({}, 5, None)[0]) == 0


SCORE = re.compile(r'"score":(-?[0-9.e-]+)')


def without_time(value: Any) -> str:
    return re.sub(r'"took_ms":[^,}]+', "", dumps(value))


def assert_same(ours: list[str], theirs: list[str]) -> None:
    """The same bytes, but that scores may differ by the order of a sum (see indexer.store.base)."""
    for one, other in zip(ours, theirs, strict=True):
        assert SCORE.sub("", one) == SCORE.sub("", other)
        scores = [[float(s) for s in SCORE.findall(text)] for text in (one, other)]
        assert np.allclose(*scores, rtol=0, atol=1e-4)


def asked(searcher: Searcher, number: int) -> list[str]:
    """What a Searcher answers to many questions, as JSON."""
    out = []
    for question in [q["text"] for q in read_labels("questions.jsonl")][::number]:
        out.append(without_time(searcher.search(Query(question, limit=50))))
        out.append(without_time(searcher.ask(Query(question, home="sefton"))))
    narrow = Filters(system=("sefton",), include_superseded=True)
    out.append(without_time(searcher.search(Query("housing", "sefton", narrow, 100))))
    out.append(without_time(searcher.compare(["dementia", "housing", "net zero"])))
    found = searcher.commitments(
        theme=None, home=None, filters=Filters(), due_before=None, limit=100, offset=0
    )
    out.append(without_time(found))
    return out


def test_answers_are_the_same(shipped: str, searcher: Searcher) -> None:
    ours = open_searcher(SearchSettings(index=shipped))
    assert_same(asked(ours, 31), asked(searcher, 31))


def test_over_http_the_same(shipped: str, client: TestClient) -> None:
    settings = SearchSettings(index=shipped)
    with TestClient(create_api(Serving(settings), settings)) as ours:
        for path in (
            "health",
            "systems",
            "documents",
            "documents/sefton-plan-2023-25/text",
            "search?q=dental+care",
            "ask?q=dementia&home=sefton",
            "compare?theme=carers&theme=housing",
            "commitments?limit=5",
        ):
            one, other = (c.get(f"/api/v1/{path}") for c in (ours, client))
            assert one.status_code == other.status_code == 200
            if path == "health":
                assert one.json()["index"] == other.json()["index"]
            else:
                shown = [re.sub(r'"took_ms":[^,}]+', "", reply.text) for reply in (one, other)]
                assert_same(shown[:1], shown[1:])


def test_approximate_search_finds_nearly_the_same(approximate: Store, searcher: Searcher) -> None:
    ours = Searcher(approximate, searcher.settings)
    same = total = 0
    for question in [q["text"] for q in read_labels("questions.jsonl")][::23]:
        found = [{h.passage.id for h in s.search(Query(question)).hits} for s in (ours, searcher)]
        same += len(found[0] & found[1])
        total += len(found[1])
    assert same / total >= 0.98


def test_without_pg_textsearch_words_are_weighed_all_the_same(
    empty: str, index_dir: Path, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing._Generation, "_pg_textsearch", lambda _: False)
    store = approximately(empty, str(index_dir))
    words = {"dementia": 1.0, "care": 0.5}
    ours, theirs = store.matching(words, 50, None), searcher.store.matching(words, 50, None)
    assert np.array_equal(ours[0], theirs[0])
    assert np.allclose(ours[1], theirs[1], atol=0.011)


def test_a_copy_of_a_copy_is_the_same_index(
    shipped: str, tmp_path: Path, searcher: Searcher
) -> None:
    target = tmp_path / "back"
    done = CliRunner().invoke(main, ["index", "--index", shipped, "--to", str(target)])
    assert done.exit_code == 0, done.output
    assert searcher.index_id in done.output
    back = open_searcher(SearchSettings(index=str(target)))
    assert back.store.manifest.built_at == searcher.store.manifest.built_at
    for document in searcher.store.documents:
        ours = searcher.store.embedding_keys(document)
        assert back.store.embedding_keys(document) == ours
    assert asked(back, 101) == asked(searcher, 101)


def test_both_are_measured_in_one_run(empty: str, index_dir: Path) -> None:
    found = measure_stores(str(index_dir), empty, 3)
    assert found["same_hits"] == 1.0
    assert found["recall_at_10"] == {"folder": 1.0, "PostgreSQL": 1.0}
    assert all(ratio > 0 for ratio in found["p95_ratio"].values())
    assert set(found["p95_ratio"]) >= {"search", "search of 1 %", "vectors", "words"}


def change(corpus: Path, text: str) -> None:
    """Add a paragraph to a document of the tiny corpus."""
    from corpus.catalogue import sha256_of

    south = corpus / "documents" / "south.md"
    old = sha256_of(south)
    south.write_text(south.read_text() + f"\n## More\n\n{text}\n")
    listing = corpus / "documents.toml"
    listing.write_text(listing.read_text().replace(old, sha256_of(south)))


def tiny(corpus: Path, url: str, keep: int = 3) -> Manifest:
    return build_index(IndexSettings(corpus=corpus, index=url, keep_generations=keep))


def test_building_into_the_database(
    empty: str, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch, tiny_settings: IndexSettings
) -> None:
    with pytest.raises(IndexMissing, match="There is no index in postgresql"):
        current_id(empty)
    done = CliRunner().invoke(
        main, ["index", "--corpus", str(tiny_corpus), "--index", empty, "--quiet"]
    )
    assert done.exit_code == 0, done.output
    first = current_id(empty)
    assert first == build_index(tiny_settings).index_id
    from indexer import embed

    seen: list[str] = []
    real = embed.OnnxEncoder.passages

    def spy(self: embed.OnnxEncoder, texts: Any, *more: Any, **named: Any) -> Any:
        seen.extend(texts)
        return real(self, texts, *more, **named)

    monkeypatch.setattr(embed.OnnxEncoder, "passages", spy)
    assert tiny(tiny_corpus, empty).index_id == first
    assert not seen
    change(tiny_corpus, "We will train more dentists by May 2027.")
    second = tiny(tiny_corpus, empty).index_id
    assert any("train more dentists" in text for text in seen)
    assert not any("Memory clinics" in text for text in seen)
    assert kept_ids(empty) == [second, first]
    answer = open_searcher(SearchSettings(index=empty)).ask(Query("dentists"))
    assert "train more dentists" in dumps(answer)


def test_generations_are_kept_then_dropped(empty: str, tiny_corpus: Path) -> None:
    serving = Serving(SearchSettings(index=empty))
    first = tiny(tiny_corpus, empty, keep=2).index_id
    old = serving.searcher()
    assert old.index_id == first
    change(tiny_corpus, "We will plant trees.")
    second = tiny(tiny_corpus, empty, keep=2).index_id
    assert serving.searcher().index_id == second
    assert serving.searcher(first).search(Query("dentists")).index_id == first
    back = CliRunner().invoke(main, ["index", "--index", empty, "--rollback"])
    assert back.exit_code == 0 and first in back.output
    assert kept_ids(empty) == [first, second] and serving.searcher().index_id == first
    missing = CliRunner().invoke(main, ["index", "--index", empty, "--rollback", "0" * 16])
    assert missing.exit_code == 1 and first in missing.output
    assert tiny(tiny_corpus, empty, keep=2).index_id == second
    change(tiny_corpus, "We will mend roofs.")
    with connect(empty) as connection:  # of a generation that is gone
        connection.execute("INSERT INTO icsearch.models VALUES ('former', 'model.onnx', 0, 'x')")
    third = tiny(tiny_corpus, empty, keep=2).index_id
    assert kept_ids(empty) == [third, second]
    with pytest.raises(IndexGone, match="no longer kept"):
        open_store(empty, first)
    with pytest.raises(IndexGone, match="no longer kept"):
        old.search(Query("a question that was not asked before about housing"))
    with connect(empty) as connection:
        left = connection.execute("SELECT FROM icsearch.models WHERE model = 'former'").fetchall()
    assert left == []
    with connect(empty) as connection:
        left = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE %s", (f"%_{first}",)
        ).fetchall()
        words = connection.execute(
            "SELECT count(*) FROM icsearch.words WHERE index_id = %s", (first,)
        ).fetchone()
    assert left == [] and words == (0,)


@pytest.mark.parametrize("victim", ["server", "connection"])
def test_a_kill_during_an_update_shows_no_half_generation(
    server: Postgres,
    empty: str,
    tiny_corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    victim: str,
) -> None:
    first = tiny(tiny_corpus, empty).index_id
    before = without_time(open_searcher(SearchSettings(index=empty)).ask(Query("dental care")))
    change(tiny_corpus, "We will plant trees.")
    real = writing._Generation._copy

    def killed(self: writing._Generation, name: Any, rows: Any) -> None:
        if name == "postings":
            # Documents, passages and vectors are in the database by now, not yet committed.
            if victim == "server":
                server.kill()
                server.start()
            else:
                with connect(server.url("postgres")) as other:
                    pid = self._connection.info.backend_pid
                    other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        real(self, name, rows)

    with monkeypatch.context() as patch:
        patch.setattr(writing._Generation, "_copy", killed)
        with pytest.raises(IndexWriteError, match="What was served before still is"):
            tiny(tiny_corpus, empty)
    assert kept_ids(empty) == [first]
    with connect(empty) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'passages_%'"
        ).fetchone()
    assert tables == (1,)
    assert without_time(open_searcher(SearchSettings(index=empty)).ask(Query("dental care"))) == (
        before
    )
    second = tiny(tiny_corpus, empty).index_id
    assert kept_ids(empty) == [second, first]


def test_readers_go_on_after_the_server_was_restarted(server: Postgres, shipped: str) -> None:
    searcher = open_searcher(SearchSettings(index=shipped))
    searcher.search(Query("dental care"))
    server.kill()
    server.start()
    assert searcher.search(Query("what is planned for unpaid carers")).hits


def test_two_writers_at_once(empty: str, tiny_corpus: Path) -> None:
    tiny(tiny_corpus, empty)
    with (
        open_place(IndexSettings(index=empty)).writing(),
        pytest.raises(IndexBusy, match="Another process is writing to postgresql"),
    ):
        tiny(tiny_corpus, empty)


def test_a_replica_gives_the_same_answers_and_follows_the_switch(
    server: Postgres,
    shipped: str,
    empty: str,
    tiny_corpus: Path,
    searcher: Searcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = tiny(tiny_corpus, empty).index_id
    follower = server.replica()
    try:
        monkeypatch.setenv("ICSEARCH_REPLICA", follower.url("shipped"))
        with connect(follower.url("shipped")) as connection:
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        close_all()
        reading = open_searcher(SearchSettings(index=shipped))
        with connect(shipped) as connection:
            assert_same(asked(reading, 101), asked(searcher, 101))
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shipped'"
            assert connection.execute(count).fetchone() == (1,), "the replica alone was asked"
        monkeypatch.setenv("ICSEARCH_REPLICA", follower.url(empty.rpartition("/")[2]))
        serving = Serving(SearchSettings(index=empty))
        assert serving.searcher().index_id == first
        change(tiny_corpus, "We will plant trees.")
        second = tiny(tiny_corpus, empty).index_id
        until = time.monotonic() + 20
        while current_id(empty) != second:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert serving.searcher().search(Query("plant trees")).index_id == second
    finally:
        close_all()
        follower.remove()


def test_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://planner:secret@127.0.0.1:1/strategies"
    done = CliRunner().invoke(main, ["ask", "dementia", "--index", url])
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert "postgresql://planner@127.0.0.1:1/strategies does not answer" in done.output
    assert "secret" not in done.output
    done = CliRunner().invoke(main, ["index", "--index", url, "--quiet"])
    assert done.exit_code == 1 and "secret" not in done.output
    assert "cannot be written" in done.output and len(done.output.splitlines()) == 1
    settings = SearchSettings(index=url)
    with TestClient(create_api(Serving(settings), settings)) as client:
        reply = client.get("/api/v1/ask?q=dementia")
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "index_unreachable"


def test_a_database_that_stops_answering(
    server: Postgres, shipped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICSEARCH_DATABASE_TIMEOUT", "1")
    settings = SearchSettings(index=shipped)
    with TestClient(create_app(Serving(settings), settings)) as client:
        assert client.get("/api/v1/search?q=housing").status_code == 200
        assert client.get("/ready").status_code == 200
        server.kill()
        try:
            reply = client.get("/api/v1/search?q=something+else")
            ready = client.get("/ready")
            assert client.get("/live").status_code == 200
        finally:
            server.start()
        assert ready.status_code == 503 and "does not answer" in ready.json()["reason"]
        assert client.get("/ready").status_code == 200
        assert reply.status_code == 503, reply.text
        assert "does not answer" in reply.json()["error"]["message"]
        assert client.get("/api/v1/search?q=something+else").status_code == 200


def test_checking_is_left_to_the_database() -> None:
    done = CliRunner().invoke(main, ["index", "--index", "postgresql://h/d", "--check"])
    assert done.exit_code == 1 and "pg_amcheck" in done.output


def test_passwords_are_not_shown() -> None:
    assert shown("postgresql://a:b@h/d") == "postgresql://a@h/d"
    assert shown("postgresql://h/d?user=a&password=b&sslmode=require") == (
        "postgresql://h/d?user=a&sslmode=require"
    )


def test_other_addresses_are_refused() -> None:
    done = CliRunner().invoke(main, ["ask", "dementia", "--index", "mysql://localhost/x"])
    assert done.exit_code == 1
    assert "no store for mysql" in done.output


def test_without_the_driver_the_command_to_install_it_is_named() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from search_api.cli import main; main(['ask', 'x', '--index', 'postgresql://h/d'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'icsearch[postgres]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_model_comes_with_the_index(
    shipped: str, tmp_path: Path, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICSEARCH_MODELS", str(tmp_path / "models"))
    elsewhere = open_searcher(SearchSettings(index=shipped))
    assert elsewhere.store.encoder.facts == searcher.store.encoder.facts
    (folder,) = (tmp_path / "models").iterdir()
    kept = Path(searcher.settings.index) / "models" / folder.name
    assert elsewhere.store.encoder.facts.tuned
    files = {name: sha256_of(kept / name) for name in (MODEL, QUESTIONS)}
    assert {name: sha256_of(folder / name) for name in files} == files
    # What a copy lacks is fetched again.
    (folder / QUESTIONS).unlink()
    close_all()
    open_searcher(SearchSettings(index=shipped))
    assert {name: sha256_of(folder / name) for name in files} == files


def test_schemas_of_other_versions(empty: str, tiny_corpus: Path) -> None:
    tiny(tiny_corpus, empty)
    with connect(empty) as connection:
        connection.execute("INSERT INTO icsearch.migrations VALUES (9999)")
    close_all()
    done = CliRunner().invoke(main, ["search", "housing", "--index", empty])
    assert done.exit_code == 1 and "made by a newer version" in done.output
    done = CliRunner().invoke(main, ["index", "--index", empty, "--quiet"])
    assert done.exit_code == 1 and "made by a newer version" in done.output
    with connect(empty) as connection:
        connection.execute("DELETE FROM icsearch.migrations WHERE number > 0")
        connection.execute("INSERT INTO icsearch.migrations VALUES (0)")
    close_all()
    assert (
        "no index in postgresql"
        in CliRunner().invoke(main, ["search", "housing", "--index", empty]).output.lower()
    )


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_every_key_holds_the_column_that_shards_by(shipped: str) -> None:
    """What Citus asks of a distributed table: the distribution column in every unique index."""
    with connect(shipped) as connection:
        found = connection.execute(
            "SELECT c.relname, i.indexrelid::regclass::text, array_agg(a.attname::text) "
            "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) "
            "WHERE n.nspname = 'icsearch' AND i.indisunique AND c.relkind = 'p' GROUP BY 1, 2"
        ).fetchall()
    assert {name for name, _, _ in found} == {"documents", "passages", "vectors", "postings"}
    for _, _, columns in found:
        assert {"index_id", "document_id"} <= set(columns)
