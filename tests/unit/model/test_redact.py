"""What leaves the house: nothing private, and everything that a judgement rests on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.fact import Known, Unknown
from gpudoctor.model.factfile import encode_sheet
from gpudoctor.model.facts import Facts, Gpu, Library, Package, Python, Torch
from gpudoctor.model.privacy.redaction import redact, redact_text
from gpudoctor.model.privacy.scrubber import Identity, Scrubber, strip_credentials
from gpudoctor.model.sheet import FactSheet

UUID = "12345678-9abc-def0-1234-56789abcdef0"
OTHER = "00000000-1111-2222-3333-444444444444"
ALICE = Identity(home="/data/people/alice", user="alice", host="gpubox01.corp.example")


def sheet() -> FactSheet:
    facts = Facts(
        gpus=(
            Gpu(index=0, name="NVIDIA A100", uuid=f"GPU-{UUID}", mig_devices=(f"MIG-{OTHER}",)),
            Gpu(index=1, name="NVIDIA A100", uuid=None),
        ),
        python=Python(executable="/home/alice/x/.venv/bin/python", version="3.12.3"),
        torch=Torch(version="2.9.1+cu128", path="/home/alice/x/.venv/lib/python3.12/torch"),
        packages=(Package(name="torch", version="2.9.1+cu128", location="/home/alice/x"),),
        libraries=(Library(path="torch/lib/libtorch_cuda.so", sass={"sm_80": 397}),),
        environment={
            "CUDA_VISIBLE_DEVICES": f"GPU-{UUID}",
            "LD_LIBRARY_PATH": "/data/people/alice/lib:/usr/local/cuda/lib64",
            "HTTPS_PROXY": "http://alice:hunter2@proxy.corp.example:3128",
        },
        log=("Nov 20 12:00:00 gpubox01 kernel: NVRM: Xid (PCI:0000:01:00): 79",),
    )
    unknown = (Unknown("driver.version", "/home/alice/bin/nvidia-smi hangs", "x"),)
    return FactSheet(facts, unknown, {"python": "/home/alice/x/.venv"})


def test_a_uuid_is_removed_and_said_to_be() -> None:
    clean = redact(sheet(), ALICE)
    assert clean.facts.gpus[0].uuid is None
    assert clean.fact("gpus[0].uuid") == Unknown(
        "gpus[0].uuid", "removed as private", "redaction", "removed"
    )


def test_a_uuid_that_was_not_there_is_not_called_removed() -> None:
    assert [entry.fact for entry in redact(sheet()).unknown].count("gpus[1].uuid") == 0


def test_nothing_private_is_left_anywhere_in_the_file() -> None:
    text = str(encode_sheet(redact(sheet(), ALICE)))
    for secret in (UUID, OTHER, "alice", "hunter2", "gpubox01", "corp.example"):
        assert secret not in text


def test_what_judgement_rests_on_is_untouched() -> None:
    before, after = sheet().facts, redact(sheet(), ALICE).facts
    assert after.libraries == before.libraries
    assert after.torch is not None
    assert after.torch.version == "2.9.1+cu128"
    assert after.gpus[0].name == "NVIDIA A100"
    assert len(after.gpus[0].mig_devices) == 1
    assert redact(sheet(), ALICE).fact("python.version") == Known("3.12.3", "~/x/.venv")


def test_redacting_twice_is_redacting_once() -> None:
    once = redact(sheet(), ALICE)
    assert redact(once, ALICE) == once


def test_one_uuid_has_one_label_wherever_it_stands() -> None:
    scrubber = Scrubber()
    first, second = scrubber.text(f"GPU-{UUID}"), scrubber.text(f"GPU-{OTHER}")
    assert scrubber.text(f"a GPU-{UUID.upper()} b") == f"a {first} b"
    assert first != second


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/home/bob/x/.venv/bin/python", "~/x/.venv/bin/python"),
        ("/Users/bob/x", "~/x"),
        ("/nfs/home/bob/lib:/usr/lib", "~/lib:/usr/lib"),
        ("/mnt/c/Users/bob/x", "~/x"),
        (r"C:\Users\Bob Smith\env\python.exe", r"~\env\python.exe"),
        (r"in C:\Users\Bob and then", r"in ~ and then"),
        ("C:/Users/bob/env", "~/env"),
        ("/root/.venv/bin/python", "~/.venv/bin/python"),
        ("/data/people/alice/env", "~/env"),
        ("/scratch/alice/run7", "/scratch/USER/run7"),
        (f"MIG-GPU-{UUID}/7/0", "MIG-removed-1"),
        ("https://u:p@pypi.org/simple", "https://***@pypi.org/simple"),
        ("https://u:p@pypi.corp/simple?t=1", "https://***@host-removed/simple?***"),
        ("http://10.1.2.3:3128", "http://host-removed:3128"),
        ("file:///home/bob/w/torch.whl", "file://~/w/torch.whl"),
        ("git+https://tok@github.com/a/b", "git+https://***@github.com/a/b"),
        ("Serial Number : 1320021012345", "Serial Number : removed"),
        ("write to bob@example.com now", "write to ***@*** now"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "***"),
        (
            "2026-11-20T12:00:00+0100 gpubox01 kernel: NVRM",
            "2026-11-20T12:00:00+0100 HOST kernel: NVRM",
        ),
    ],
)
def test_private_parts_go_and_the_shape_stays(text: str, clean: str) -> None:
    assert Scrubber(ALICE).text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "/usr/local/cuda-12.8/lib64",
        "/opt/conda/envs/train/bin/python",
        "/rooted/x",
        "/homework/x",
        "https://download.pytorch.org/whl/cu128",
        "torch==2.9.1+cu128",
        "NVIDIA GeForce RTX 5060 Ti",
        "sm_120a",
        "10de:2d04",
        "0000:01:00.0",
        "5811a8d7da873dd699ff6687092c225caffcf1bb",
        r"C:\Users\Public\x",
        "Serial Number : N/A",
        "~/x/.venv",
    ],
)
def test_what_is_not_private_stays_as_it_is(text: str) -> None:
    assert Scrubber(ALICE).text(text) == text


def test_a_user_with_the_name_of_a_folder_takes_nothing_with_him() -> None:
    path = "/opt/site-packages/torch/lib"
    assert redact_text(path, Identity(user="torch", host="nvidia")) == path


SECRET = st.text("abcdefghijkmnpqrstuvwxyz0123456789_.!$", min_size=6, max_size=12)


@given(SECRET, SECRET, st.sampled_from(["pypi.org", "pypi.corp.example", "10.0.0.1"]))
def test_no_credential_survives_in_a_url(user: str, password: str, host: str) -> None:
    url = f"https://{user}:{password}@{host}:8443/simple/"
    for clean in (redact_text(url), strip_credentials(url)):
        assert f"{user}:" not in clean
        assert password not in clean.replace(host, "")


@given(st.sampled_from("/@:#?"), SECRET, SECRET)
def test_not_even_one_with_characters_that_should_have_been_quoted(
    mark: str, first: str, second: str
) -> None:
    url = f"https://bob:{first}{mark}{second}@proxy.example:3128"
    clean = strip_credentials(url)
    assert clean == "https://***@proxy.example:3128"


def test_what_stands_in_the_query_of_a_url_is_a_credential_too() -> None:
    given = "https://a.example/s https://b.example/s?token=x&y=1 and file:///srv/wheels"
    assert (
        strip_credentials(given)
        == "https://a.example/s https://b.example/s?*** and file:///srv/wheels"
    )


PARTS = st.lists(st.sampled_from(["env", "x y", "torch", "lib", "a.b", "ünï"]), max_size=4)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and name != "runner" and name.lower() != "shared"
)


@given(st.sampled_from(["/home/", "/Users/", "/var/home/", "/export/home/"]), NAMES, PARTS)
def test_any_home_becomes_a_tilde_and_the_rest_of_the_path_stays(
    place: str, name: str, parts: list[str]
) -> None:
    rest = "".join("/" + part for part in parts)
    assert redact_text(f"{place}{name}{rest}") == f"~{rest}"


@given(st.text(max_size=200))
def test_scrubbing_is_idempotent_whatever_the_text(text: str) -> None:
    once = Scrubber(ALICE).text(text)
    assert Scrubber(ALICE).text(once) == once


@pytest.mark.parametrize(
    "piece", ["A", "a-", "eyJ-", "/a", "x/home", "C:\\Users\\", "Serial ", "a@", "://"]
)
def test_long_lines_are_scrubbed_in_one_pass(piece: str) -> None:
    # A pattern that begins anew at every character would take minutes for one of these.
    text = piece * (200_000 // len(piece))
    assert len(redact_text(text)) <= 2 * len(text)
