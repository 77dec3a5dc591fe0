"""Rules: pure functions from facts and knowledge to findings.

To add one: a function with `@rule` in its family, a row in `configs/findings.yaml`, a page in
`docs/codes/`, a case that fires and one that must not. `docs/add-a-rule.md` walks through it.
"""

from __future__ import annotations

from gpudoctor.rules.engine.engine import Judgement, findings_of, judge

__all__ = ["Judgement", "findings_of", "judge"]
