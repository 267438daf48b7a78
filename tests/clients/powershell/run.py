"""A PowerShell grammar reads the export script and every command that suggestions hand over.

PowerShell's own parser needs .NET, which no registry within reach brings; the grammar of tree-sitter stands in for it. A
script with a missing bracket proves that it notices.
"""

import json
import os
import pathlib
import subprocess
import sys

import tree_sitter_powershell
from tree_sitter import Language, Parser

PARSER = Parser(Language(tree_sitter_powershell.language()))
ROOT = pathlib.Path(__file__).parents[3]


def faults(node):
    """Places that are no PowerShell."""
    if node.is_error or node.is_missing:
        yield f"line {node.start_point[0] + 1}: {node.text.decode(errors='replace')[:60]!r}"
        return
    for child in node.children:
        yield from faults(child)


def check(name, text):
    found = list(faults(PARSER.parse(text.encode()).root_node))
    if found:
        sys.exit(f"powershell: {name} is not PowerShell: {found}\n{text}")


def commands(value):
    """Every `powershell` in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "powershell" and inner else commands(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from commands(inner)


script = (ROOT / "scripts" / "Export-Tenant.ps1").read_text(encoding="utf-8")
check("Export-Tenant.ps1", script)
broken = script.replace("while ($Path) {", "while ($Path {", 1)
assert broken != script and PARSER.parse(broken.encode()).root_node.has_error, "a missing bracket is not noticed"

binary = os.environ.get("PORTCULLIS_BIN", str(ROOT / "target/debug/portcullis"))
analyze = [binary, "analyze", str(ROOT / "tests/data/tenant"), "--format", "json", "--fail-on", "never"]
analyzed = subprocess.run(analyze, capture_output=True, text=True, check=False)
if analyzed.returncode not in (0, 1):
    sys.exit(f"powershell: analyze failed: {analyzed.stderr}")
handed = list(commands(json.loads(analyzed.stdout)))
if not handed:
    sys.exit("powershell: no suggestion hands a command over")
for text in handed:
    check("a hand-over", text)
print(f"powershell: the export script and {len(handed)} commands of suggestions are PowerShell")
