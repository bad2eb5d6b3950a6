"""docs/operations.md says what the server says, and every operation that is built is tried by some suite."""

import operations
from headwater import ROOT


def test_the_document_is_true(server):
    written = (ROOT / "docs/operations.md").read_text()
    now = operations.render(operations.of(server))
    assert written == now, "run .venv/bin/python conformance/operations.py > docs/operations.md"


def test_whatever_is_built_is_tried(server):
    built = [
        f"{service}:{name}"
        for service, known in operations.of(server).items()
        for name, is_built in known.items()
        if is_built and not operations.suites_that_call(name)
    ]
    assert not built, f"no suite calls {', '.join(built)}"
