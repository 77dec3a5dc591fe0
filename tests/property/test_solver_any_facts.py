"""Facts may hold anything: the answer is a prescription, never a crash."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.manifests import judge
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.model.fact import Unknown
from gpudoctor.model.facts import Driver, Gpu, Host, Package, Python, Requirement
from gpudoctor.model.sheet import FactSheet
from gpudoctor.prescribe import PlanRequest, missing_fact
from gpudoctor.prescribe.plan import plan, sheet_of
from unit.prescribe.sheets import cure, sheet

odd = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "N/A", "570", "5.7.0.1.2", "-1", "580.95.05", "3.12", "3", "3.x.1", "2.9.1+cu128",
         "2.9.1+cu999", "2.9.1.dev20260101+cu130", "0", "12.0", "sm_120", "99.9", "\u0665.\u0663"]
    ),
)  # fmt: skip
packages = st.lists(
    st.builds(
        Package,
        name=st.sampled_from(
            ["torch", "torchvision", "flash-attn", "nvidia-cudnn-cu12", "x y", ""]
        ),
        version=odd,
        requires=st.lists(st.one_of(st.text(max_size=20), st.just("torch==2.6.0")), max_size=2).map(
            tuple
        ),
        build=odd,
        installer=st.sampled_from([None, "conda", "pip"]),
    ),
    max_size=3,
).map(tuple)


WORDS = ["torch", "==", "2.9.1", "\n", "-i ", "https://x/cu128", "[", ";", "--pre", "# ",
         "\\\n", "+cu128", "<3", "@ file:///x"]  # fmt: skip


@st.composite
def sheets(draw):
    base = sheet("4090", torch="2.9.1+cu128")
    gpu = st.builds(
        Gpu,
        index=st.one_of(st.none(), st.integers(0, 3)),
        cuda_index=st.one_of(st.none(), st.integers(0, 3)),
        name=odd,
        vendor=st.sampled_from(["nvidia", "amd", "intel", "apple", "", None]),
        compute_capability=odd,
        sm=odd,
        gfx=odd,
        uuid=odd,
        visible=st.sampled_from([True, False, None]),
    )
    torch = replace(
        base.facts.torch,
        version=draw(odd),
        cuda=draw(odd),
        sass=tuple(draw(st.lists(st.sampled_from(["sm_90", "sm_120", "", "junk"]), max_size=2))),
        requires=(Requirement(name="nvidia-x", specifier=draw(odd) or "", installed=draw(odd)),),
        path=draw(odd),
    )
    facts = replace(
        base.facts,
        host=draw(
            st.one_of(
                st.none(),
                st.builds(
                    Host,
                    os=st.sampled_from([None, "linux", "windows", "macos"]),
                    arch=st.sampled_from([None, "x86_64", "aarch64", "arm64", "riscv64"]),
                    wsl=st.booleans(),
                    glibc=odd,
                    distribution_id=odd,
                    l4t=odd,
                ),
            )
        ),
        gpus=tuple(draw(st.lists(gpu, max_size=3))),
        driver=draw(
            st.one_of(
                st.none(), st.builds(Driver, version=odd, cuda=odd, cu_init=st.integers(0, 999))
            )
        ),
        python=draw(st.one_of(st.none(), st.builds(Python, version=odd, tag=odd, prefix=odd))),
        torch=draw(st.sampled_from([torch, None])),
        packages=draw(packages),
        environment=draw(
            st.dictionaries(st.sampled_from(["CUDA_VISIBLE_DEVICES", "PYTHONPATH"]), st.text())
        ),
    )
    paths = ["gpus", "driver", "driver.version", "torch", "python", "host.arch", "packages"]
    unknown = tuple(Unknown(path, "a test") for path in draw(st.sets(st.sampled_from(paths))))
    return FactSheet(facts, unknown)


@settings(max_examples=400, deadline=None)
@given(sheets(), st.sampled_from([{}, {"torch_spec": "2.8"}, {"channel": "nightly"},
                                  {"from_source": True}, {"tool": "uv"}]))  # fmt: skip
def test_any_facts_get_a_prescription(machine, options):
    answer = cure(machine, **options)
    assert answer.status in ("not-needed", "resolved", "impossible")
    assert answer.why
    missing_fact(machine)


@settings(max_examples=300, deadline=None)
@given(
    gpus=st.lists(st.text(max_size=12), min_size=1, max_size=2),
    rest=st.fixed_dictionaries(
        {}, optional={name: st.text(max_size=8) for name in ("driver", "os", "arch", "python",
                                                            "torch", "tool", "index_url")}
    ),
)  # fmt: skip
def test_any_request_is_answered_or_refused(gpus, rest):
    try:
        plan(PlanRequest(gpus=tuple(gpus), **rest))
    except UsageError:
        return


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS)))
def test_any_requirements_file_is_judged_or_refused(parts):
    sheet = sheet_of(PlanRequest(gpus=("4090",), driver="580.95.05"))
    try:
        judge(sheet, [SourceFile("requirements.txt", "".join(parts), {})])
    except UsageError:
        return
