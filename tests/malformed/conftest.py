"""Sound inputs of every kind in folders of their own, and what makes them unsound."""

import hashlib
import json
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forepass import kept
from forepass.cli import main
from forepass.errors import InputError
from forepass.inputs.priors import BLOCKS
from forepass.register import folder as register
from forepass.rooms import room
from forepass.settings import Settings

LONGEST_S = 300
REFUSED, SOUND, MADE_AGAIN = "refused", "sound", "made again"
TOKENS = (
    *(b"\0", b"\x1b[2J", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n\n", b"\t", b"\x7f", b"\xc2\x85"),
    *(b"nan", b"inf", b"-inf", b"1e999", b"-0.0", b"-1", b"0", b"1e-320", b"1_0", b"9" * 5000),
    *(b"0x" + b"f" * 5000, b"true", b"null", b"1979-05-27T07:32:00Z", b"1979-05-27", b"2026-13"),
    *(b'"', b"'", b'"""', b"[", b"]", b"{", b"}", b"[[", b"=", b",", b";", b"|", b"#", b"\\"),
    *(b'""', b"[]", b"{}", b'"\\ud800"', b'"\\u0000"', b"a." * 40, b"[" * 3000, b"{a=" * 300),
    *(b'{"a":' * 3000, b"," * 3000, b"../../etc/passwd", b"/dev/zero", b"=1+1", b"%s{0}"),
    *(
        "\uff11\uff12".encode(),
        "\u0663".encode(),
        "\u202e\u2028".encode(),
        "😀".encode(),
        b"<script>",
        b"x" * 200_000,
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        10**400,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "\0",
        "\ud800",
        "x" * 3000,
    ),
    *("2026-11", "../../etc/passwd", [], [[]], [None], [1, "a"], {}, {"a": {"b": []}}, {"": None}),
)


@dataclass(frozen=True)
class Inputs:
    """Folders with one sound input of every kind."""

    home: Path
    settings: Settings
    register: Path
    answer: Path

    def files(self) -> list[Path]:
        """Return what is spoilt, in an order that stays."""
        found = [path for path in self.home.rglob("*") if path.is_file()]
        return sorted(path for path in found if path.suffix in (".csv", ".toml", ".json", ".txt"))


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Return some bytes after one to three accidents."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        raw = rng.choice(ACCIDENTS)(raw, rng)
    return raw


def _insert(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.choice(TOKENS) + raw[at:]


def _flip(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) or 1)
    return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]


def _cut(raw: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
    return raw[:start] + raw[rng.choice((end, min(len(raw), start + 5))) :]


def _truncate(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw) + 1)]


def _line(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.split(b"\n")
    one, other = (rng.randrange(len(lines)) for _ in range(2))
    lines[one] = rng.choice((lines[other], lines[one] * 2, rng.choice(TOKENS), b""))
    lines.insert(other, lines[rng.randrange(len(lines))])
    return b"\n".join(lines)


def _field(raw: bytes, rng: random.Random) -> bytes:
    """Put something else in the place of a cell, or of the value of a key."""
    lines = raw.split(b"\n")
    at = rng.randrange(len(lines))
    if b" = " in lines[at]:
        key = lines[at].partition(b" = ")[0]
        lines[at] = key + b" = " + rng.choice(TOKENS)
    else:
        cells = lines[at].split(b",")
        cells[rng.randrange(len(cells))] = rng.choice(TOKENS)
        lines[at] = b",".join(cells)
    return b"\n".join(lines)


def _node(raw: bytes, rng: random.Random) -> bytes:
    """Put something else in the place of a value of a JSON document."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return _insert(raw, rng)
    if not isinstance(document, dict | list):
        return _insert(raw, rng)
    node, steps = document, rng.randrange(5)
    for _ in range(steps):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        inner = [key for key in keys if isinstance(node[key], dict | list) and node[key]]
        if not inner:
            break
        node = node[rng.choice(inner)]
    if isinstance(node, dict | list) and node:
        key: Any = rng.choice(list(node) if isinstance(node, dict) else list(range(len(node))))
        node[key] = rng.choice(VALUES)
    return json.dumps(document).encode()


def _encode(raw: bytes, rng: random.Random) -> bytes:
    text = raw.decode("utf-8", errors="replace")
    return rng.choice(
        (
            b"\xef\xbb\xbf" + raw,
            raw.replace(b"\n", b"\r\n"),
            text.encode("utf-16"),
            text.encode("utf-8-sig") * 2,
            (text + "é").encode("latin-1", errors="ignore"),
            b"",
            b" \n\t\n",
            raw * 2,
        )
    )


ACCIDENTS = (_insert, _flip, _cut, _truncate, _line, _line, _field, _field, _field, _node, _encode)


def resigned(path: Path, raw: bytes) -> None:
    """Write what was spoilt as somebody would who means it: with hashes that fit."""
    path.write_bytes(raw)
    if path.parent.name == "answers":
        try:
            document = json.loads(raw)["document"]
            path.write_text(json.dumps({"document": document, "checksum": kept.digest(document)}))
        except (ValueError, KeyError, TypeError, RecursionError):
            return
    if path.suffix == ".json" and path.parent.name == "register":
        key = hashlib.sha256(raw).hexdigest()
        path.rename(path.with_name(f"{path.name[:10]}-{key[:12]}.json"))
        (path.parent / register.INDEX).unlink(missing_ok=True)


def tried(inputs: Inputs, path: Path) -> str:
    """Return what became of reading what lies at ``path``: refused, sound or made again."""
    try:
        _read(inputs, path)
    except InputError as error:
        words = str(error)
        assert words, path
        assert words.isprintable(), words
        assert len(words) < 1100, len(words)
        return REFUSED
    if path.parent.name == "answers":
        return SOUND if kept.read_kept(path, "answer") is not None else MADE_AGAIN
    if path.parent.name == "register":
        faults = register.read_register(path.parent).faults
        assert all(fault.isprintable() for fault in faults), faults
        return REFUSED if faults else SOUND
    return SOUND


def _read(inputs: Inputs, path: Path) -> None:
    """Read one file as the commands do that are asked for it."""
    from forepass.as_of import seen_as_of
    from forepass.inputs.claims import load_claims
    from forepass.inputs.comparisons import load_comparisons
    from forepass.inputs.definitions import load_definitions
    from forepass.inputs.earlier import load_earlier
    from forepass.inputs.priors import check_earlier, check_sources, load_all, load_priors
    from forepass.inputs.tables import load_table, load_user_table, with_user_table
    from forepass.what_if.replaced_priors import overlaid
    from forepass.what_if.scenarios import load_scenario

    settings, stem = inputs.settings, path.stem
    data, priors = Path(str(settings.data)), Path(str(settings.priors))
    if path.parent.name == "register":
        for action in (["list"], ["verify"], ["show", "latest"]):
            assert main(["register", *action, "--register", str(path.parent)]) in (0, 1, 2)
    elif path.parent == data:
        load_table(stem, data)
        if stem in ("expert_forecasts", "fleet", "demand", "published_trends"):
            load_comparisons(priors, data)
        if len(path.read_bytes()) % 5 == 0:  # of every file of the folder, so not each time
            seen_as_of(settings, date(2025, 6, 30))
    elif path.parent.name == "scenarios":
        scenario = load_scenario(str(path), priors)
        kept.digest(scenario.content())
        overlaid(scenario, settings)
    elif stem in BLOCKS:
        check_sources(
            load_priors(stem, priors).values(), set(load_table("sources", data)["source"])
        )
    elif stem == "earlier":
        load_earlier(priors)
        if len(path.read_bytes()) % 5 == 0:  # against every belief, which takes a second
            check_earlier(load_all(priors), priors)
    elif path.suffix == ".toml":
        load: Any = {"claims": load_claims, "definitions": load_definitions}.get(stem)
        load(priors) if load else load_comparisons(priors, data)
    elif stem == "predict":
        _predicted(path)
    elif stem in ("chips", "language_models"):
        with_user_table({stem: load_table(stem)}, stem, load_user_table(stem, path))


@cache
def _sources(data: Path) -> set[str]:
    from forepass.inputs.tables import load_table

    return set(load_table("sources", data)["source"])


def _predicted(path: Path) -> None:
    from forepass.commands import configurations

    rows = configurations.read(path)
    parsed, _ = configurations.parse(rows)
    configurations.write(rows, parsed[["n_chips"]], path.with_name("out.csv"))


def _no_answer(path: Path) -> None:
    document = {"forepass": "0", "quantities": {"a": {"unit": "1", "p50": [1.0]}}, "years": [2026]}
    kept.keep(path, document, "answer")


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Return folders with one sound input of every kind."""
    home = tmp_path_factory.mktemp("inputs")
    for name in ("data", "priors"):
        shutil.copytree(str(room(name)), home / name)
    for name in ("serving", "chip_stock", "chip_prices"):
        path = home / "data" / f"{name}.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:12]), encoding="utf-8")
    own = home / "own"
    own.mkdir()
    for name in ("chips", "language_models"):
        lines = (
            (home / "data" / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        )
        (own / f"{name}.csv").write_text("".join(lines[:6]), encoding="utf-8")
    (own / "predict.csv").write_text(
        "chip,n_chips,model,weight_bits,input_tokens,output_tokens,concurrency,disaggregated,"
        "scenario,date,cached_share,kv_bits,beams,speculative,remark\n"
        "H100,8,llama-3.1-70b,16,1024,512,64,false,offline,2025-01,0.2,8,1,no,mine\n"
        "b200,72,deepseek-v3,4,8192,1024,,true,,,,,,,\n",
        encoding="utf-8",
    )
    for reason in ("first", "second"):
        register.record(home / "register", entry(), reason=reason, today=date(2026, 11, 1))
    _no_answer(home / "cache" / "answers" / "kept.json")
    settings = Settings(data=home / "data", priors=home / "priors", cache=home / "cache")
    return Inputs(home, settings, home / "register", home / "cache" / "answers" / "kept.json")


def entry() -> dict[str, Any]:
    """Return a forecast that a register takes."""
    numbers = {key: [1.0, 2.0] for key in ("p05", "p10", "p25", "p50", "p75", "p90", "p95")}
    quantity = {"unit": "tokens/s", "long_name": "World capacity", "p50_error": [0.1, None]}
    return {
        **{"forepass": "0.1.0", "as_of": "2026-11", "seed": 1, "years": [2026, 2027]},
        "quantities": {"world_tokens_per_s": {**quantity, **numbers}},
        "inputs": {"data": {"chips.csv": "0" * 64}, "priors": {}, "scenario": {}, "code": {}},
        "scenario": {"name": "as believed", "layers": []},
    }


@pytest.fixture(scope="session")
def spoil(inputs: Inputs) -> Callable[[random.Random], tuple[Path, bytes, str]]:
    """Return what spoils one input of a kind, tries it, and puts it right again."""
    files = inputs.files()

    def one(rng: random.Random) -> tuple[Path, bytes, str]:
        path = rng.choice(files)
        beside = {other: other.read_bytes() for other in path.parent.iterdir() if other.is_file()}
        raw = mutated(beside[path], rng)
        try:
            if rng.random() < 0.7:
                resigned(path, raw)
            else:
                path.write_bytes(raw)
            return path, raw, tried(inputs, path)
        finally:
            for other in path.parent.iterdir():
                if other.is_file() and other not in beside:
                    other.unlink()
            for other, sound in beside.items():
                if not other.is_file() or other.read_bytes() != sound:
                    other.write_bytes(sound)

    return one


@pytest.fixture
def within() -> Iterator[None]:
    """Fail a test that waits for ever, and what takes longer than any input may."""

    def stop(*_: object) -> None:
        raise TimeoutError("took longer than any input may")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
