"""Draw the folders of the package and the imports between them into ARCHITECTURE.md.

Run by ``make pages``; a test compares the page with the imports as they are.
"""

from pathlib import Path

import grimp

PAGE = Path(__file__).parent / "ARCHITECTURE.md"
LAYERS = {
    "tell": ("commands", "api", "report", "explorer", "register", "trend_checks", "tell"),
    "draw": (
        *("evidence", "fit_checks", "sensitivities", "backtest", "calibration"),
        *("what_if", "forward"),
    ),
    "build": ("posterior", "blocks"),
    "read": ("inputs", "physics"),
}
START, END = "```mermaid\n", "```\n"


def imports() -> set[tuple[str, str]]:
    """Return which folder imports which, of those drawn."""
    graph = grimp.build_graph("forepass", exclude_type_checking_imports=True, cache_dir=None)
    drawn = {folder for folders in LAYERS.values() for folder in folders}
    pairs = {
        (module.split(".")[1], imported.split(".")[1])
        for module in graph.modules - {"forepass"}
        for imported in graph.find_modules_directly_imported_by(module) - {"forepass"}
    }
    return {(one, other) for one, other in pairs if one != other and {one, other} <= drawn}


def reduced(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows that are left when those are left out that a longer way implies."""
    kept = set(pairs)
    for pair in sorted(pairs):
        rest = kept - {pair}
        if pair[1] in _reached(pair[0], rest):
            kept = rest
    return kept


def _reached(start: str, pairs: set[tuple[str, str]]) -> set[str]:
    found, new = set[str](), {start}
    while new:
        found |= new
        new = {other for one, other in pairs if one in new} - found
    return found


def diagram() -> str:
    """Return the diagram, in Mermaid."""
    lines = ["flowchart TB"]
    for layer, folders in LAYERS.items():
        names = "; ".join(f"{folder}_[{folder}]" for folder in folders)
        lines += [f"    subgraph {layer}", f"        {names}", "    end"]
    lines += [f"    {one}_ --> {other}_" for one, other in sorted(reduced(imports()))]
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return the text of the page with the diagram as the imports are now."""
    before, _, rest = text.partition(START)
    return before + START + diagram() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
