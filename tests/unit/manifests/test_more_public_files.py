"""Further files of public projects, each judged by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gpudoctor.examine.preflight import preflight
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.prescribe import Options, PlanRequest
from gpudoctor.prescribe.plan import sheet_of

CASES = yaml.safe_load(Path(__file__).with_name("public_files.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_verdict_on(case: dict) -> None:
    for gpu, driver, code in case["verdicts"]:
        request = PlanRequest(
            gpus=(gpu,),
            driver=driver,
            os="linux",
            arch="x86_64",
            python=case.get("python", "3.12"),
        )
        source = SourceFile(case["file"], case["text"], {})
        report = preflight(sheet_of(request), [source], Options())
        said = [*report.notes, *(finding.title for finding in report.findings)]
        assert report.exit_code == code, (gpu, said)
