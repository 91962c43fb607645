"""Which encoding a file that cannot be decoded is likely to be in.

A hint is given only for an encoding that decodes the whole file. One byte per character decodes
nearly everything, so encodings of East Asian text come first: a text in one of them consists of the
characters that people use, and read in the wrong one it does not.
"""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from hayflick.corpus.compression import opened

_READ_BYTES = 1 << 18
_SAMPLE_BYTES = 1 << 16
_FOREIGN = re.compile(rb"[\x80-\xff]")
# What switches to two bytes per character.
_ESCAPE = re.compile(rb"\x1b\$(?:[@AB]|[()][A-G])")
_LONGEST_ESCAPE = 4
_ESCAPING = ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004", "iso2022_kr", "iso2022_jp_2")

_JAPANESE = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午"
    "百書先名川千水半男西電校語士木車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開"
    "手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集"
    "別物使品計死特私始朝運終台広住無真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親"
)
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本"
    "前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很"
    "最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過"
    "發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本"
    "前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很"
    "最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度"
)
_KOREAN = (
    "이다는에의가을를은로고하지한기사도어서자인나리아해있대정그시만수들일보라으게과면부전것스주여원"
    "장제공마상연우니구조비와유안성오없신모소동국년경미당선내까되요차생말데세중더었무물적드방치간러"
    "실던트회관진발명문용않며크야든습분계저했려때위산번개최반람르후결재영호단직민형히바음외양각타"
)
_KANA = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30FD))))
_MARKS = "、。，．・「」『』（）！？：；“”‘’…—　【】《》"
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")


@dataclass(frozen=True)
class _Encoding:
    """An encoding of East Asian text.

    `leads` are the first bytes of its common characters under `plain`, `others` are the codecs
    that extend it.
    """

    name: str
    frequent: str
    plain: str
    leads: range
    others: tuple[str, ...] = ()


_MULTI_BYTE = (
    _Encoding("cp932", _KANA + _JAPANESE, "euc_jp", range(0xB0, 0xD0), ("shift_jis_2004",)),
    _Encoding("euc_jp", _KANA + _JAPANESE, "euc_jp", range(0xB0, 0xD0), ("euc_jis_2004",)),
    _Encoding("gb18030", _SIMPLIFIED, "gb2312", range(0xB0, 0xD8)),
    _Encoding("big5", _TRADITIONAL, "big5", range(0xA4, 0xC7), ("cp950", "big5hkscs")),
    _Encoding("cp949", _KOREAN, "euc_kr", range(0xB0, 0xC9)),
)

# Languages with one byte per character: codec, frequent letters, further letters, in lower case.
_LANGUAGES = (
    ("cp1252", "éèêàçëïôùûâîœü", "æ"),  # French
    ("cp1252", "äöüß", "é"),  # German
    ("cp1252", "áéíóúñ¿¡", "ü"),  # Spanish
    ("cp1252", "ãõáâàçéêíóôú", "ü"),  # Portuguese
    ("cp1252", "àèéìòù", ""),  # Italian
    ("cp1252", "åäöæøé", ""),  # Nordic languages
    ("cp1252", "áðéíóúýþæö", ""),  # Icelandic
    ("cp1250", "ąćęłńóśźż", ""),  # Polish
    ("cp1250", "áčďéěíňóřšťúůýž", ""),  # Czech
    ("cp1250", "áäčďéíĺľňóôŕšťúýž", ""),  # Slovak
    ("cp1250", "áéíóöőúüű", ""),  # Hungarian
    ("cp1250", "čćđšž", ""),  # Croatian, Slovenian
    ("cp1250", "ăâîşţ", ""),  # Romanian
    # Of Central European letters, ąľśšťźž alone have other places in ISO 8859.
    ("iso8859_2", "ąćęłńóśźż", ""),  # Polish
    ("iso8859_2", "áčďéěíňóřšťúůýž", ""),  # Czech
    ("iso8859_2", "áäčďéíĺľňóôŕšťúýž", ""),  # Slovak
    ("iso8859_2", "čćđšž", ""),  # Croatian, Slovenian
    ("cp1254", "çğıöşüi̇", "âî"),  # Turkish
    ("cp1251", "оеаинтсрвлкмдпуяыьгзб", "чйхжшюцщэфъёіїєґ№"),
    ("cp1251", "оеаинтсрвлкмдпујњљћђ", "бчшжцзгхџф"),  # Serbian
    ("koi8_r", "оеаинтсрвлкмдпуяыьгзб", "чйхжшюцщэфъё"),
    ("iso8859_5", "оеаинтсрвлкмдпуяыьгзб", "чйхжшюцщэфъёіїєђљњћџј"),
    ("cp866", "оеаинтсрвлкмдпуяыьгзб", "чйхжшюцщэфъёіїє"),
    ("cp1253", "αοιετσνηυρπκμλςάίόέήώύ", "ωθδγχφβξζψϊϋΐΰ"),
    ("cp1255", "אבגדהוזחיכלמנסעפקרשתםן", "טךףץצ"),
    ("cp1256", "ابتدرسعفقكلمنهويةأحى", "آإئءؤثجخذزشصضطظغپچژگ،؟"),
    ("cp874", "านรอกเงมยลวดท่สตะปบคห้ัีแิุ", "ขจชซญฎฏฐฑฒณถธนผฝพฟภศษฬฮฤาำึืูโใไ็์ๆฯ๐๑๒๓๔๕๖๗๘๙"),
)
_TYPOGRAPHIC = frozenset("“”‘’–—…«»„€°§©®\xa0")


@dataclass(frozen=True)
class Hint:
    """An encoding that is likely.

    Parameters
    ----------
    encoding
        Its codec.
    offset
        The first byte of the file that is not valid in it; None if all are.
    """

    encoding: str
    offset: int | None = None


def likely_encoding(path: Path) -> Hint | None:
    """Return the encoding that a file is likely to be in; None if none is.

    Parameters
    ----------
    path
        The file; it is read once for each encoding that is likely by a sample.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "text.txt"
    >>> _ = path.write_bytes("返品・交換の手続き".encode("cp932"))
    >>> likely_encoding(path)
    Hint(encoding='cp932', offset=None)
    """
    sample = _sample(path)
    if not sample:
        return None
    intact = len(_foreign_bytes(sample.decode("utf-8", errors="ignore").encode()))
    if intact >= _INTACT * max(1, len(_foreign_bytes(sample))):
        return Hint("utf-8", first_fault(path, "utf-8"))
    ranked = sorted(_scored(path, sample), key=lambda scored: -scored[0])
    plausible = [(encoding, faults) for score, faults, encoding in ranked if score >= _PLAUSIBLE]
    for names, faults in plausible:
        found = _first_that_decodes(path, names)
        if found:
            return Hint(found)
        if faults <= _DAMAGED:
            return Hint(names[0], first_fault(path, names[0]))
    if plausible:
        return None
    if b"\0" in sample:
        return None
    single = [codec for score, codec in _by_language(sample) if score > _LIKELY]
    # Without a letter, bytes from 0x80 to 0x9F are control characters in Latin-1.
    last = () if re.search(rb"[\x80-\x9f]", sample) else ("latin-1",)
    found = _first_that_decodes(path, dict.fromkeys((*single, *last)))
    return Hint(found) if found else None


# Share of the bytes beyond ASCII that are valid UTF-8 in a damaged UTF-8 text.
_INTACT = 0.9
# Share of characters that are not valid in a damaged text of another encoding.
_DAMAGED = 0.1
# An average of 1 is a text of common characters, 2 one of the most frequent alone.
_PLAUSIBLE = 0.85
_UTF_16 = ("utf-16-le", "utf-16-be")
_SHORTEST_UTF_16 = 6
_FREQUENT_SHARE = 0.2
_WORDS = 0.7
_LIKELY = 0.4


def _scored(path: Path, sample: bytes) -> Iterator[tuple[float, float, tuple[str, ...]]]:
    """Yield a score, the share of faults and the codecs to try of every multi-byte encoding."""
    words = _by_language(sample)[0][0]
    for encoding in _MULTI_BYTE:
        text = _decoded(sample, encoding.name)
        faults = text.count("\ufffd") / max(1, sum(not letter.isascii() for letter in text))
        score, frequent = _score(text, encoding)
        if frequent < _FREQUENT_SHARE and words >= _WORDS:
            score = 0.0
        yield score - 2 * faults, faults, (encoding.name, *encoding.others)
    with opened(path) as (stream, _):
        head = stream.read(_SAMPLE_BYTES)
    for order in _UTF_16 if len(head) >= _SHORTEST_UTF_16 else ():
        text = _decoded(head, order)
        if "\ufffd" not in text:
            yield max(_score(text, encoding)[0] for encoding in _MULTI_BYTE), 1.0, (order,)


def _decoded(sample: bytes, codec: str) -> str:
    # Not final: a character that the end of the sample cuts is no fault.
    return codecs.getincrementaldecoder(codec)(errors="replace").decode(sample)


def _score(text: str, encoding: _Encoding) -> tuple[float, float]:
    """Return the average weight of the characters beyond ASCII, and the share of frequent ones."""
    foreign = [letter for letter in text if not letter.isascii() and letter != "\ufffd"]
    if not foreign:
        return 0.0, 0.0
    half = sum(map(bool, map(_HALF_WIDTH.match, foreign)))
    if encoding.name == "cp932" and half >= 0.5 * len(foreign):
        # Kana that other letters are misread as are from the end of the alphabet.
        first_half = sum("\uff71" <= letter <= "\uff7f" for letter in foreign)
        plain = half >= 0.9 * len(foreign) and first_half >= 0.2 * half
        return (1.0, 0.0) if plain else (0.0, 0.0)
    common, frequent = _common(encoding), frozenset(encoding.frequent)
    counted = Counter(foreign)
    often = total = 0
    # Inside words of ASCII letters, it is a letter of one byte with its neighbour.
    weights = -2.0 * sum(map(len, _ISOLATED.findall(text)))
    for letter, number in counted.items():
        if _HALF_WIDTH.match(letter):
            continue
        total += number
        often += number * (letter in frequent)
        weights += number * ((letter in common) + (letter in frequent))
        weights -= number * ("\ue000" <= letter <= "\uf8ff" or "\x80" <= letter <= "\x9f")
    return (weights / total, often / total) if total else (0.0, 0.0)


@cache
def _common(encoding: _Encoding) -> frozenset[str]:
    pairs = (bytes((lead, trail)) for lead in encoding.leads for trail in range(0x40, 0xFF))
    letters = "".join(pair.decode(encoding.plain, errors="ignore") for pair in pairs)
    wide = "".join(map(chr, range(0xFF01, 0xFF5F)))
    return frozenset(letters + _MARKS + wide + encoding.frequent) - frozenset(map(chr, range(128)))


_ISOLATED = re.compile(r"(?<=[a-z])[^\x00-\x7f]{1,2}(?=[a-z])")
_LETTER = re.compile("[A-Za-z]")
_LATIN = ("cp1250", "cp1252", "cp1254", "iso8859_2")
_WORD = re.compile(r"[^\W\d_]+")


def _by_language(sample: bytes) -> list[tuple[float, str]]:
    """Return a score from 0 to 1 for each language with one byte per letter, best first."""
    read = {
        codec: _foreign_letters(sample.decode(codec, "replace"), latin=codec in _LATIN)
        for codec, *_ in _LANGUAGES
    }
    scored = [
        (_language_score(*read[codec], frozenset(frequent), frozenset(others)), codec)
        for codec, frequent, others in _LANGUAGES
    ]
    return sorted(scored, key=lambda one: -one[0])


def _foreign_letters(text: str, *, latin: bool) -> tuple[Counter[str], int]:
    """Count the letters beyond ASCII, and those of them in words of mixed case or script."""
    strange = 0
    for word, number in Counter(_WORD.findall(text)).items():
        usual = word in (word.lower(), word.upper(), word[0].upper() + word[1:].lower())
        if not usual or (not latin and _LETTER.search(word)):
            strange += number * sum(not letter.isascii() for letter in word)
    letters = {one: number for one, number in Counter(text).items() if not one.isascii()}
    return Counter(letters), strange


def _language_score(
    foreign: Counter[str], strange: int, frequent: frozenset[str], others: frozenset[str]
) -> float:
    """Return the average weight of letters beyond ASCII."""
    if "\ufffd" in foreign:
        return 0.0
    weights = -float(strange)
    for letter, number in foreign.items():
        if letter in _TYPOGRAPHIC:
            weights += 0.8 * number
        else:
            weights += number * ((letter.lower() in frequent) + 0.5 * (letter.lower() in others))
            # Letters are mostly small, and KOI8-R has small letters where Windows has capitals.
            weights -= 0.1 * number * letter.isupper()
    return weights / foreign.total() if foreign else 0.0


def byte_order(head: bytes) -> str | None:
    """Return the codec of UTF-16 without a mark; None if the bytes do not tell.

    The bytes that say which script a letter is of vary less than the others.

    Examples
    --------
    >>> byte_order("rain".encode("utf-16-be")), byte_order("雨が降る。".encode("utf-16-le"))
    ('utf-16-be', 'utf-16-le')
    """
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if min(zeros) < max(zeros):
        return "utf-16-le" if zeros[0] < zeros[1] else "utf-16-be"
    even, odd = (_entropy(head[start::2]) for start in (0, 1))
    if math.isclose(even, odd, abs_tol=1e-9):
        return None
    return "utf-16-le" if odd < even else "utf-16-be"


def _entropy(data: bytes) -> float:
    return -sum(n / len(data) * math.log(n / len(data)) for n in Counter(data).values())


def looks_like_utf_16(head: bytes) -> str | None:
    """Return the byte order of UTF-16 without a mark; None if bytes with zeros are no text."""
    order = byte_order(head)
    if order is None:
        return None
    text = codecs.getincrementaldecoder(order)(errors="replace").decode(head)
    strange = sum(not (letter.isprintable() or letter in "\r\n\t\f") for letter in text)
    return order if text and strange + text.count("\ufffd") <= 0.01 * len(text) else None


def unmarked_encoding(path: Path, codec: str) -> str | None:
    """Return UTF-8, or `codec` (``utf-16`` or ``utf-32``) with a byte order, if it fits a file."""
    with opened(path) as (stream, _):
        head = stream.read(_READ_BYTES)
    if b"\0" not in head and first_fault(path, "utf-8") is None:
        return "utf-8"
    first = byte_order(head) if codec == "utf-16" else None
    orders = [order for order in (f"{codec}-le", f"{codec}-be") if first in (order, None)]
    fitting = [order for order in orders if first_fault(path, order) is None]
    return fitting[0] if len(fitting) == 1 else None


def escaping_encoding(path: Path) -> Hint | None:
    """Return the variant of ISO-2022 that a file is in, or is but for some bytes; None if none."""
    with opened(path) as (stream, _):
        before, found = b"", False
        for chunk in _chunks(stream):
            # The beginning of a chunk may end the escape sequence that the one before begins.
            found = _ESCAPE.search(before + chunk) is not None
            before = chunk[-_LONGEST_ESCAPE:]
            if found:
                break
    if not found:
        return None
    fault = {codec: first_fault(path, codec) for codec in _ESCAPING}
    whole = next((codec for codec in _ESCAPING if fault[codec] is None), None)
    if whole is not None:
        return Hint(whole)
    last = max(_ESCAPING, key=lambda codec: fault[codec] or 0)
    return Hint(last, fault[last])


def _sample(path: Path) -> bytes:
    """Return bytes from the first one beyond ASCII, which begins a character in all encodings."""
    with opened(path) as (stream, _):
        for chunk in _chunks(stream):
            found = _FOREIGN.search(chunk)
            if found:
                return (chunk[found.start() :] + stream.read(_SAMPLE_BYTES))[:_SAMPLE_BYTES]
    return b""


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_READ_BYTES):
        yield chunk


def _foreign_bytes(data: bytes) -> bytes:
    return data.translate(None, bytes(range(128)))


def _first_that_decodes(path: Path, names: Iterable[str]) -> str | None:
    return next((name for name in names if first_fault(path, name) is None), None)


def first_fault(path: Path, codec: str) -> int | None:
    """Return the offset of the first byte that is not valid in a codec; None if all are."""
    decoder = codecs.getincrementaldecoder(codec)(errors="strict")
    position = 0
    with opened(path) as (stream, _):
        while True:
            chunk = stream.read(_READ_BYTES)
            position += len(chunk)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as fault:
                return position - len(fault.object) + fault.start
            if not chunk:
                return None
