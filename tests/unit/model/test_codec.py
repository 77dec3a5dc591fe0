from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.errors import UsageError
from gpudoctor.model.codec import decode, encode
from gpudoctor.model.facts import Facts, Gpu, Host, Torch


def test_a_model_value_survives_the_way_through_json():
    facts = Facts(
        host=Host(os="linux", arch="aarch64", wsl=True, wsl_version=2),
        gpus=(Gpu(index=0, name="NVIDIA GB10", mig_devices=("a", "b"), power_limit_watts=70.5),),
        torch=Torch(version="2.9.1+cu130", sass=("sm_80", "sm_120"), ptx=()),
        environment={"CUDA_VISIBLE_DEVICES": ""},
    )
    assert decode(Facts, json.loads(json.dumps(encode(facts)))) == facts


@given(st.builds(Gpu))
def test_every_gpu_survives_the_way_through_json(gpu):
    assert decode(Gpu, json.loads(json.dumps(encode(gpu)))) == gpu


def test_unknown_keys_are_ignored():
    assert decode(Host, {"os": "linux", "flux_capacitor": 1}) == Host(os="linux")


def test_null_where_a_field_has_a_default_means_the_default():
    assert decode(Facts, {"gpus": None, "environment": None}) == Facts()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"gpus": {}}, "gpus"),
        ({"gpus": [3]}, "gpus[0]"),
        ({"gpus": [{"index": "first"}]}, "gpus[0].index"),
        ({"gpus": [{"index": True}]}, "gpus[0].index"),
        ({"host": {"wsl_version": 3}}, "host.wsl_version"),
        ({"host": {"wsl": "yes"}}, "host.wsl"),
        ({"torch": {"sass": ["sm_80", None]}}, "torch.sass[1]"),
        ({"environment": {"A": 1}}, "environment.A"),
        ({"toolkits": [{"version": "12.8"}]}, "toolkits[0]"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_path(value, path):
    with pytest.raises(UsageError) as caught:
        decode(Facts, value)
    assert str(caught.value).startswith(path + ":")
    assert "\n" not in str(caught.value)
