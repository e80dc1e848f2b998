"""Names of chips and models as people write them, resolved to the one name that the tables use."""

import difflib
import re
from collections.abc import Iterable, Mapping
from itertools import product, takewhile

from forepass import limits
from forepass.errors import InputError

# Words before a name that say who makes it, and words after it that leave its shape as it was.
MAKERS = re.compile(
    "accelerator|alibaba|amazon|amd|anthropic|apple|ascend|aws|azure|cerebras|cloud|deepmind|"
    "geforce|google|gpu|graphcore|groq|habana|hf|huawei|instinct|intel|meta|microsoft|mistral|"
    "mistralai|moonshot|moonshotai|nvidia|openai|radeon|tesla|xai|zai|zhipu"
)
VARIANTS = re.compile(
    "accelerator|awq|bf16|chat|chip|core|fp16|fp4|fp8|gpu|gptq|hf|inst|instruct|int4|int8|it|kv|"
    "mxfp4|nvfp4|tensor|w4a16|w4a8|w8a8"
)
MOST_SUGGESTIONS = 3


def normalise(text: str) -> str:
    """Return ``text`` in lower case with letters and digits alone; a plus sign becomes ``plus``."""
    return re.sub(r"[^a-z0-9]+", "", text.lower().replace("+", "plus"))


def build_index(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return every normalised spelling with the name that it stands for.

    ``rows`` are names with their aliases, one text with ``|`` between them. A spelling that stands
    for two names is refused.
    """
    index: dict[str, str] = {}
    for name, aliases in rows:
        for spelling in (name, *aliases.split("|")):
            key = normalise(spelling)
            if not key:
                continue
            holder = index.setdefault(key, name)
            if holder != name:
                raise InputError(
                    f"{spelling.strip()!r} stands for both {holder!r} and {name!r}: "
                    "one spelling names one thing, so take it from one of them"
                )
    return index


def resolve(
    text: str, index: Mapping[str, str], kind: str = "chip", where: str | None = None
) -> str:
    """Return the name that ``text`` stands for, ignoring case, spaces and punctuation.

    An exact spelling wins. Else a maker's name before it, an organisation before a slash, or a
    variant after it (``-instruct``, ``-fp8``) is left off, as little as is needed and only where
    what remains stands for one name.

    Parameters
    ----------
    index
        Spellings as `build_index` returns them.
    kind, where
        What is named, and the file, line and column that name it, for the message.
    """
    if len(text) > limits.NAME_CHARACTERS:
        raise InputError(_unknown(text[: limits.NAME_CHARACTERS], kind, where, []))
    for forms in _stripped_forms(text):
        hits = {index[form]: None for form in forms if form in index}
        if len(hits) == 1:
            return next(iter(hits))
        if hits:
            raise InputError(_unknown(text, kind, where, sorted(hits)))
    raise InputError(_unknown(text, kind, where, _closest(text, index)))


def _stripped_forms(text: str) -> list[list[str]]:
    """Return the spellings that remain of ``text`` with 0, 1, 2, ... words left off."""
    levels: dict[int, list[str]] = {0: [normalise(text)]}
    for start in {text, text.rpartition("/")[2]}:
        words = re.findall(r"[a-z0-9.+]+", start.lower())
        before = _run_length(words, MAKERS)
        after = _run_length(words[::-1], VARIANTS)
        slash = int(start != text)
        for first, last in product(range(before + 1), range(after + 1)):
            kept = words[first : len(words) - last]
            if kept:
                levels.setdefault(slash + first + last, []).append(normalise("".join(kept)))
    return [forms for _, forms in sorted(levels.items())]


def _run_length(words: list[str], known: re.Pattern[str]) -> int:
    return sum(1 for _ in takewhile(known.fullmatch, words))


def _closest(text: str, index: Mapping[str, str]) -> list[str]:
    """Return names with a spelling like ``text``, those that begin as it does first."""
    wanted = normalise(text.rpartition("/")[2])
    scores: dict[str, float] = {}
    for spelling in difflib.get_close_matches(wanted, index, n=10 * MOST_SUGGESTIONS):
        alike = difflib.SequenceMatcher(None, wanted, spelling).ratio()
        shared = _shared_start(wanted, spelling) / len(wanted)
        name = index[spelling]
        scores[name] = max(scores.get(name, 0), alike + shared)
    return sorted(scores, key=lambda name: -scores[name])[:MOST_SUGGESTIONS]


def _shared_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _unknown(text: str, kind: str, where: str | None, candidates: list[str]) -> str:
    place = f"{where}: " if where else ""
    if not text.strip():
        return f"{place}the name of a {kind} is missing"
    hint = (
        f"did you mean {', '.join(candidates)}?"
        if candidates
        else f"no {kind} is called anything like it"
    )
    return f"{place}unknown {kind} {text!r}: {hint}"
