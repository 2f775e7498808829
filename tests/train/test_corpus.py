"""A corpus: read, refused, fetched, verified, kept, split."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from train import data
from train.data import Corpus, CorpusError, load_corpus, read_corpus, tiny_shakespeare


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_file_is_read_with_its_name_and_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    corpus = read_corpus(write(tmp_path / "sonnets.txt", "Shall I cömpare".encode()))
    assert corpus == Corpus("sonnets", "Shall I cömpare", hashlib.sha256("Shall I cömpare".encode()).hexdigest())


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_part_of_the_text(tmp_path: Path) -> None:
    assert read_corpus(write(tmp_path / "a.txt", b"\xef\xbb\xbfone\r\ntwo")).text == "one\ntwo"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no text"),
        (b" \n\t \r\n", "holds no text"),
        (b"good \xff bad", "not UTF-8 at byte 5"),
        ("UTF-16 has zeros".encode("utf-16"), "not UTF-8 at byte 0"),
        (b"aaaaaaaa" * 1000, "nothing but the character 'a'"),
    ],
)
def test_a_file_that_nothing_can_be_learnt_from_is_refused_in_one_line(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = write(tmp_path / "bad.txt", content)
    with pytest.raises(CorpusError) as error:
        read_corpus(file)
    assert str(error.value).startswith(f"{file}: {says}")
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.txt: No such file or directory; name a text file"):
        load_corpus(tmp_path / "none.txt")
    with pytest.raises(CorpusError, match="Is a directory; name a text file"):
        load_corpus(tmp_path)


def test_the_last_tenth_is_held_out_and_nothing_is_lost() -> None:
    corpus = Corpus("letters", "".join(chr(ord("a") + i % 26) for i in range(1005)), "")
    train, held_out = corpus.split()
    assert train + held_out == corpus.text
    assert len(train) == 904


class Home(http.server.BaseHTTPRequestHandler):
    """The corpus' public home, on this machine."""

    body = b""
    announced: int | None = None
    status = 200
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body) if self.announced is None else self.announced))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


TEXT = b"O for a Muse of fire, that would ascend\nThe brightest heaven of invention\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Home]]:
    """A server that has TEXT, an empty cache, and the constants of a corpus that is TEXT."""
    handler = type("OneHome", (Home,), {"body": TEXT})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_URL", f"http://127.0.0.1:{server.server_port}/input.txt")
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_SHA256", hashlib.sha256(TEXT).hexdigest())
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_BYTES", len(TEXT))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("TINY_SHAKESPEARE", raising=False)
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def cached(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_corpus_is_fetched_once_verified_and_kept(home: type[Home], tmp_path: Path) -> None:
    corpus = load_corpus()
    assert (corpus.name, corpus.text) == ("tinyshakespeare", TEXT.decode())
    assert corpus.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert load_corpus() == corpus
    assert home.requests == 1
    (file,) = cached(tmp_path)
    assert file == tmp_path / "cache" / "gpt-letter-by-letter" / "tinyshakespeare.txt"
    assert file.read_bytes() == TEXT


@pytest.mark.parametrize(
    ("body", "announced", "status", "says"),
    [
        (TEXT.replace(b"Muse", b"muse"), None, 200, "answered with another text"),
        (TEXT + b"more", None, 200, "answered with another text"),
        (TEXT[:30], len(TEXT), 200, "30"),
        (TEXT[:30], None, 200, "ended after 30 of"),
        (b"not here", None, 404, "Not Found"),
        (b"", None, 503, "Service Unavailable"),
    ],
    ids=["changed", "longer", "cut off", "short", "missing", "unavailable"],
)
def test_anything_but_that_text_is_refused_and_not_kept(
    home: type[Home], tmp_path: Path, body: bytes, announced: int | None, status: int, says: str
) -> None:
    home.body, home.announced, home.status = body, announced, status
    with pytest.raises(CorpusError, match="Three ways out") as error:
        load_corpus()
    assert says in str(error.value)
    assert cached(tmp_path) == []


def test_without_network_and_copy_the_error_names_the_three_ways_out(
    home: type[Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(data, "TINY_SHAKESPEARE_URL", f"http://127.0.0.1:{port}/input.txt")
    with pytest.raises(CorpusError) as error:
        load_corpus()
    message = str(error.value)
    assert "Connection refused" in message
    assert "\n" not in message
    for way in ("connect and try again", "variable TINY_SHAKESPEARE", "--corpus FILE"):
        assert way in message


def test_a_cache_that_cannot_be_written_does_not_stop_the_training(
    home: type[Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(write(tmp_path / "a-file", b"")))
    assert load_corpus().text == TEXT.decode()
    assert load_corpus().text == TEXT.decode()
    assert home.requests == 2


def test_a_damaged_copy_in_the_cache_is_refused_with_what_to_do(home: type[Home], tmp_path: Path) -> None:
    load_corpus()
    (file,) = cached(tmp_path)
    write(file, TEXT[:-1])
    with pytest.raises(CorpusError, match=r"not the tiny Shakespeare corpus.*delete it, and it is fetched again"):
        load_corpus()


def test_a_local_copy_is_taken_from_where_the_environment_variable_says(
    home: type[Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_SHAKESPEARE", str(write(tmp_path / "copy", TEXT)))
    assert tiny_shakespeare().text == TEXT.decode()
    assert home.requests == 0


def test_an_environment_variable_that_names_another_text_or_nothing_is_refused(
    home: type[Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other", b"another text")
    monkeypatch.setenv("TINY_SHAKESPEARE", str(other))
    with pytest.raises(CorpusError, match=f"TINY_SHAKESPEARE names it.*--corpus {other}"):
        tiny_shakespeare()
    monkeypatch.setenv("TINY_SHAKESPEARE", str(tmp_path / "nothing"))
    with pytest.raises(CorpusError, match="nothing: No such file or directory; the environment variable"):
        tiny_shakespeare()
    assert home.requests == 0


def test_the_home_and_checksum_are_those_of_karpathys_char_rnn() -> None:
    assert data.TINY_SHAKESPEARE_URL.endswith("/karpathy/char-rnn/master/data/tinyshakespeare/input.txt")
    assert data.TINY_SHAKESPEARE_SHA256 == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
