import codecs
import gzip

import pytest

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.corpus import encodings
from hayflick.corpus.encodings import decoded, pieces
from hayflick.corpus.normalization import normalized_pieces


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16", "euc-jp", "iso2022_jp"])
def test_text_comes_back_across_chunk_borders(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 7)
    text = "今日は晴れ。\nカタカナ abc " * 20
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    assert "".join(decoded(path, encoding=encoding)) == text


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"rain")
    assert "".join(decoded(path)) == "rain"


@pytest.mark.parametrize("chunk", [3, 1 << 18])
def test_the_first_bad_byte_is_named(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(encodings, "CHUNK_BYTES", chunk)
    path = tmp_path / "text.txt"
    path.write_bytes("雨が降る".encode() + b" \x95\xca\n and more")
    with pytest.raises(UndecodableError, match=r"byte 0x95 at offset 13\).*--encoding") as caught:
        list(decoded(path))
    assert caught.value.offset == 13


def test_a_file_that_ends_inside_a_character_is_named(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("雨".encode()[:2])
    with pytest.raises(UndecodableError, match="offset 0"):
        list(decoded(path))


@pytest.mark.parametrize(
    ("text", "encoding", "offered"),
    [
        ("返品・交換の手続き", "cp932", "cp932"),
        ("返品・交換の手続き", "euc-jp", "euc_jp"),
        ("今天天气很好，我们去公园玩", "gb18030", "gb18030"),
        ("안녕하세요 반갑습니다 오늘 날씨가 좋네요", "cp949", "cp949"),
        ("Привет, как дела сегодня? Хорошо", "cp1251", "cp1251"),
        ("café crème", "cp1252", "cp1252"),
        ("Größe, Straße, Müller", "cp1252", "cp1252"),
        ("el señor comió piña", "cp1252", "cp1252"),
        ("plain English " * 100 + "and one café", "cp1252", "cp1252"),
    ],
)
def test_a_likely_encoding_is_offered(tmp_path, text, encoding, offered):
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(UndecodableError, match=f"--encoding, perhaps {offered}"):
        list(decoded(path))


def test_utf_8_is_offered_where_it_is(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("今日は天気がよい", encoding="utf-8")
    with pytest.raises(UndecodableError, match="perhaps utf-8"):
        list(decoded(path, encoding="euc-jp"))


def test_a_damaged_file_is_not_said_to_be_in_another_encoding(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("今日は天気がよい。".encode() * 20 + b"\xff" + "雨".encode())
    with pytest.raises(UndecodableError, match="the rest looks like it; fix the file there"):
        list(decoded(path))


def test_a_utf_16_mark_is_recognised(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("rain".encode("utf-16"))
    with pytest.raises(UndecodableError, match="add --encoding utf-16"):
        list(decoded(path))


def test_missing_empty_and_binary_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        list(decoded(tmp_path / "missing.txt"))
    (tmp_path / "empty.txt").touch()
    with pytest.raises(DataError, match="the file is empty"):
        list(decoded(tmp_path / "empty.txt"))
    (tmp_path / "binary").write_bytes(b"PK\x03\x04\x00\x00")
    with pytest.raises(DataError, match=r"looks binary \(byte 0x00 at offset 4\)"):
        list(decoded(tmp_path / "binary"))


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "", "utf-8\0"])
def test_what_is_no_text_codec_is_refused(encoding):
    with pytest.raises(ArgumentError, match=r"encoding: got .* such as utf-8"):
        encodings.check_encoding(encoding)


def test_pieces_are_cut_behind_separators_alone():
    texts = ["one two", " thr", "ee four", "five"]
    assert list(pieces(iter(texts))) == ["one ", "two ", "three ", "fourfive"]
    assert list(pieces(iter(["a b\nc", " d"]), separators="\n")) == ["a b\n", "c d"]
    assert list(pieces(iter(["雨", "が", "降る"]))) == ["雨が降る"]


def test_a_run_without_separators_is_cut_in_the_end(monkeypatch):
    monkeypatch.setattr(encodings, "LONGEST_PIECE", 4)
    assert list(pieces(iter(["ab"] * 5))) == ["aba", "baba", "bab"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "abce\u0301\u0323fg" * 9,
            "👨\u200d👩\u200d👧👍🏽" * 9,
            "🇯🇵" * 9,
            "\u1112\u1161\u11ab" * 9,
        ),
        *("ﾊﾟﾋﾞ" * 9, "a\u0301" * 40),
    ],
)
def test_a_character_is_never_cut(monkeypatch, text):
    monkeypatch.setattr(encodings, "LONGEST_PIECE", 8)
    for step in (1, 2, 3, 5):
        texts = [text[at : at + step] for at in range(0, len(text), step)]
        for how in ("none", "nfc", "nfkc", "casefold"):
            found = "".join(normalized_pieces(pieces(iter(texts)), how))
            assert found == "".join(normalized_pieces([text], how))


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_a_gzip_file_is_decompressed_while_it_is_read(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 7)
    text = "今日は晴れ。\n" * 50
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(text.encode(encoding)))
    reached = []
    found = decoded(path, encoding=encoding, progress=lambda *state: reached.append(state))
    assert "".join(found) == text
    assert reached[-1] == ("reading", path.stat().st_size, path.stat().st_size)


def test_gzip_members_one_after_another_are_one_text(tmp_path):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two"))
    assert "".join(decoded(path)) == "one two"


def test_a_damaged_or_empty_gzip_file_is_refused(tmp_path):
    whole = gzip.compress(b"rain " * 1000)
    path = tmp_path / "text.txt.gz"
    for damaged in (whole[:-12], whole[:20] + b"\x00" * 8 + whole[28:], whole[:6]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="compressed data are damaged or cut off"):
            list(decoded(path))
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="the file is empty"):
        list(decoded(path))
