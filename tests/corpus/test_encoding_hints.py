import gzip
import random
import re

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError, UndecodableError
from hayflick.corpus.encoding_hints import Hint, likely_encoding
from hayflick.corpus.encodings import CHUNK_BYTES, decoded

JAPANESE = (
    "返品・交換の手続きについて。カタカナとひらがな、漢字が混ざった文章です。東京の天気は晴れ、"
    "明日は雨が降るでしょう。商品を受け取ってから七日以内にお問い合わせください。\n"
)
SIMPLIFIED = (
    "今天天气很好，我们去公园玩。退货与换货的手续如下：请在收到商品后七天之内联系客服。"
    "机器学习模型在自己生成的数据上反复训练，会逐渐失去多样性。\n"
)
TRADITIONAL = (
    "今天天氣很好，我們去公園玩。退貨與換貨的手續如下：請在收到商品後七天之內聯繫客服。"
    "機器學習模型在自己生成的資料上反覆訓練，會逐漸失去多樣性。\n"
)
KOREAN = (
    "안녕하세요 반갑습니다. 오늘 날씨가 좋네요. 반품 및 교환 절차는 다음과 같습니다. "
    "상품을 받은 후 칠일 이내에 고객센터로 연락해 주세요.\n"
)
RUSSIAN = "Привет, как дела сегодня? Возврат и обмен товара осуществляется в течение семи дней.\n"
FRENCH = "L’été dernier, nous avons mangé des crêpes à la crème près de la forêt. Ça coûte 30 €.\n"
POLISH = "Dzień dobry, jak się masz? Łódź jest piękna. Proszę o zwrot pieniędzy za książkę.\n"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Dobrý den, jak se máte? Děkuji.\n"
GREEK = "Καλημέρα, τι κάνετε σήμερα; Η επιστροφή των προϊόντων γίνεται εντός επτά ημερών.\n"
MULTI_BYTE = [
    (JAPANESE, "cp932", "cp932"),
    (JAPANESE, "euc-jp", "euc_jp"),
    (JAPANESE, "iso2022_jp", "iso2022_jp"),
    (SIMPLIFIED, "gb18030", "gb18030"),
    (SIMPLIFIED, "gbk", "gb18030"),
    (TRADITIONAL, "big5", "big5"),
    (KOREAN, "euc-kr", "cp949"),
    (KOREAN, "cp949", "cp949"),
    (JAPANESE, "utf-16-le", "utf-16-le"),
    (JAPANESE, "utf-16-be", "utf-16-be"),
    (SIMPLIFIED, "utf-16-le", "utf-16-le"),
    (KOREAN, "utf-16-be", "utf-16-be"),
]
SINGLE_BYTE = [
    (RUSSIAN, "cp1251", "cp1251"),
    (RUSSIAN, "koi8-r", "koi8_r"),
    (FRENCH, "cp1252", "cp1252"),
    ("El señor comió piña. ¿Dónde está la niña?\n", "latin-1", "cp1252"),
    ("Größe, Straße, Müller: die schönen Äpfel.\n", "latin-1", "cp1252"),
    ("It’s a “quoted” word, isn’t it? They’re here, we’ll see.\n", "cp1252", "cp1252"),
    ("don’t it’s we’re\n", "cp1252", "cp1252"),
    (POLISH, "cp1250", "cp1250"),
    (CZECH, "cp1250", "cp1250"),
    (GREEK, "cp1253", "cp1253"),
    ("שלום, מה שלומך היום? החזרת מוצרים בתוך שבעה ימים.\n", "cp1255", "cp1255"),
    ("ประเทศไทยมีสภาพอากาศที่ร้อน วันนี้อากาศดีมาก เราไปเที่ยวสวนกัน\n", "cp874", "cp874"),
]


def offered(path, encoding="utf-8"):
    with pytest.raises(UndecodableError) as caught:
        list(decoded(path, encoding=encoding))
    found = re.search(r"(?:perhaps |add --encoding )([\w-]+)$", str(caught.value))
    assert found, str(caught.value)
    path.read_bytes().decode(found[1], errors="strict")
    return found[1]


@pytest.mark.parametrize(("text", "encoding", "expected"), MULTI_BYTE + SINGLE_BYTE)
def test_the_encoding_of_a_text_of_any_length_is_offered(tmp_path, text, encoding, expected):
    path = tmp_path / "text.txt"
    for times in (1, 40):
        path.write_bytes((text * times).encode(encoding))
        assert offered(path) == expected


@pytest.mark.parametrize(("text", "encoding", "expected"), MULTI_BYTE)
def test_it_does_not_matter_where_a_sample_is_cut(tmp_path, text, encoding, expected):
    # 128 KB: half of what was once read around the first fault.
    rng = random.Random(encoding)
    path = tmp_path / "text.txt"
    ascii_text = "plain text\n" * 30_000
    for before in (1, 131_071, rng.randrange(300_000)):
        path.write_bytes((ascii_text[:before] + text * 900).encode(encoding))
        assert offered(path) == expected


@pytest.mark.parametrize(("text", "encoding", "expected"), MULTI_BYTE[:2] + MULTI_BYTE[3:8])
def test_short_files_get_the_right_hint(tmp_path, text, encoding, expected):
    path = tmp_path / "text.txt"
    for start in range(0, 40, 4):
        path.write_bytes(text[start : start + 20].encode(encoding))
        assert offered(path) == expected


def test_the_shared_files_in_japanese_are_recognised(cases, tmp_path):
    data = (cases / "ja-cp932.txt").read_bytes()
    path = tmp_path / "text.txt"
    text = data.decode("cp932", errors="ignore")
    for encoding, expected in (("cp932", "cp932"), ("euc_jp", "euc_jp"), ("utf-16-le",) * 2):
        for cut in (0, 1, 44_321, len(text) // 2):
            path.write_bytes(text[cut:].encode(encoding, errors="ignore"))
            assert offered(path) == expected
    for cut in (1001, 131_073, 200_001):
        path.write_bytes(data[:cut])
        with pytest.raises(UndecodableError, match="perhaps cp932"):
            list(decoded(path))


@pytest.mark.parametrize(("text", "encoding", "expected"), MULTI_BYTE[:2] + MULTI_BYTE[3:7])
def test_a_damaged_file_is_not_offered_another_encoding(tmp_path, text, encoding, expected):
    data = (text * 50).encode(encoding)
    path = tmp_path / "text.txt"
    for damaged, offset in (
        (data[:-2], None),
        (data[:-1] + b"\x81\n", None),
        (data + b"\x81\n" + data, len(data)),
    ):
        path.write_bytes(damaged)
        with pytest.raises(UndecodableError) as caught:
            list(decoded(path))
        message = str(caught.value)
        assert re.search(f"perhaps {expected}(, but for the byte at offset |$)", message), message
        if offset is not None:
            assert message.endswith(f"but for the byte at offset {offset}")


def test_damaged_utf_8_is_offered_no_encoding(tmp_path):
    path = tmp_path / "text.txt"
    for text in (JAPANESE, RUSSIAN, FRENCH, KOREAN):
        for at in (0, 1, 3):
            data = bytearray((text * 20).encode())
            place = len(text.encode()) * 4 + at
            data[place:place] = b"\xff\xfe\x80"
            path.write_bytes(data)
            with pytest.raises(UndecodableError, match=r"the rest looks like it; fix the file"):
                list(decoded(path))


def test_half_width_kana_are_japanese(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("ﾌﾘｺﾐ ｶﾌﾞｼｷｶﾞｲｼｬ ﾔﾏﾀﾞ ｻｲﾄｳ ﾀﾛｳ\n".encode("cp932"))
    assert offered(path) == "cp932"


def test_no_encoding_is_offered_where_none_fits(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(bytes(range(1, 256)) * 20)
    with pytest.raises(UndecodableError) as caught:
        list(decoded(path))
    assert "perhaps" not in str(caught.value)


def test_iso_2022_is_no_ascii(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(("plain " * 100_000 + JAPANESE).encode("iso2022_jp"))
    assert offered(path) == "iso2022_jp"
    assert offered(path, "cp932") == "iso2022_jp"
    path.write_bytes(b"\x1b[1mbold\x1b[0m costs \x1b$5\n")
    assert "".join(decoded(path)) == "\x1b[1mbold\x1b[0m costs \x1b$5\n"


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["round,answer\n1,yes\n", JAPANESE, RUSSIAN, "a", "no\n"])
def test_utf_16_without_a_mark_is_refused_by_its_order(tmp_path, order, text):
    path = tmp_path / "text.csv"
    path.write_bytes(text.encode(order))
    assert offered(path, order[:6]) == order
    assert "".join(decoded(path, encoding=order)) == text


def test_utf_8_is_not_taken_for_utf_16(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("an even number of letters", encoding="utf-8")
    assert offered(path, "utf-16") == "utf-8"


def test_a_mark_before_a_stated_order_is_no_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffrain".encode("utf-16-le"))
    assert "".join(decoded(path, encoding="utf-16-le")) == "rain"


def test_utf_16_is_recognised_where_utf_8_is_read(tmp_path):
    path = tmp_path / "text.txt"
    for order in ("utf-16-le", "utf-16-be"):
        path.write_bytes("round,answer\n1,yes\n".encode(order))
        assert offered(path) == order


def test_halves_of_characters_are_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"+2AA- and \\ud800")
    for encoding in ("utf-7", "unicode_escape", "raw_unicode_escape"):
        with pytest.raises(DataError, match=f"is not {encoding}"):
            list(decoded(path, encoding=encoding))


def test_a_gzip_file_gets_a_hint_too(tmp_path):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress((JAPANESE * 3000).encode("cp932")))
    with pytest.raises(UndecodableError, match="perhaps cp932"):
        list(decoded(path))


def test_the_command_names_the_order(tmp_path, capsys):
    path = tmp_path / "answers.csv"
    path.write_bytes("label\nyes\nno\n".encode("utf-16-le"))
    call = ["forecast", str(path), "--column", "label", "--replicates", "0"]
    assert main([*call, "--encoding", "utf-16"]) == 2
    assert "add --encoding utf-16-le" in capsys.readouterr().err
    assert hf.forecast(path, column="label", encoding="utf-16-le", replicates=0).model.types == 2


def test_the_shared_table_in_utf_16(cases):
    with pytest.raises(DataError, match="add --encoding utf-16-le"):
        hf.watch(cases / "u16le_nobom.csv", text="answer", by="round", encoding="utf-16")


@pytest.mark.parametrize("before", [0, 1, CHUNK_BYTES - 3, CHUNK_BYTES - 2, CHUNK_BYTES - 1])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_escape_sequences_are_found_wherever_they_are_cut(tmp_path, before, cut):
    path = tmp_path / "a.txt"
    data = b"a" * before + "返品と交換の手続き".encode("iso2022_jp")
    path.write_bytes(data[: len(data) - cut])
    with pytest.raises(UndecodableError, match=f"at offset {before}.*iso2022_jp"):
        "".join(decoded(path))


@pytest.mark.parametrize("order", ["le", "be"])
def test_a_mark_of_utf_32_is_not_taken_for_one_of_utf_16(tmp_path, order):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffrain".encode(f"utf-32-{order}"))
    with pytest.raises(UndecodableError, match="UTF-32 byte-order mark; add --encoding utf-32"):
        "".join(decoded(path))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет, как дела? Сегодня хорошая погода.", "iso8859_5"),
        ("Привет, как дела? Сегодня хорошая погода.", "cp866"),
        ("Zażółć gęślą jaźń, łódź i ćma.", "iso8859_2"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "iso8859_2"),
    ],
)
def test_older_encodings_of_one_byte_are_told_apart(tmp_path, text, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert likely_encoding(path) == Hint(encoding)
