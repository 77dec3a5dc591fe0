"""What a GPU is good for, and how to train on it: each line with what it rests on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from gpudoctor.compat.architecture import ComputeCapability
from gpudoctor.kb import smoke_figures as figures
from gpudoctor.model.facts import Gpu
from gpudoctor.model.sheet import FactSheet
from gpudoctor.smoke.findings import gpu_of
from gpudoctor.smoke.worker_run import Run

Line = Mapping[str, str]
"""`device`, `kind` (`ability` or `training`), `topic`, `value`, `because`."""


def advise(runs: Sequence[Run], sheet: FactSheet) -> tuple[Line, ...]:
    """The abilities of every GPU that was proved, and the training advice that follows."""
    lines: list[Line] = []
    for run in runs:
        if run.target.index is None or not run.device.get("capability"):
            continue
        if run.target.label == "all GPUs together":
            continue
        own = _Device(run, gpu_of(run, sheet), sheet)
        lines += own.abilities() + own.training()
    return tuple(lines)


class _Device:
    """One proved GPU and what can be said of it."""

    def __init__(self, run: Run, gpu: Gpu | None, sheet: FactSheet) -> None:
        self._run = run
        self._gpu = gpu
        self._sheet = sheet
        self._hip = bool(run.torch.get("hip"))
        self._capability = ComputeCapability.parse(str(run.device["capability"]))

    def _line(self, kind: str, topic: str, value: str, because: str) -> Line:
        device = "" if self._run.target.index is None else str(self._run.target.index)
        return {
            "device": device,
            "kind": kind,
            "topic": topic,
            "value": value,
            "because": because,
        }

    def _ran(self, *keys: str) -> str | None:
        """`passed`, `failed` … of the first of the tests that was part of the run."""
        for name in keys:
            if name in self._run.tests:
                return self._run.tests[name].status
        return None

    def _has(self, format_: str, *tests: str) -> tuple[str, str]:
        """`yes` or `no` for a format, and what says so: the test before the table."""
        status = self._ran(*tests)
        if status in ("failed", "crashed", "hung"):
            return "no", f"the test {tests[0]} {status}"
        if status == "passed":
            return "yes", f"the test {tests[0]} passed"
        if self._hip:
            test = self._run.tests.get(tests[0]) if tests else None
            return "unknown", (test and test.error) or "not tested on this AMD GPU"
        first = figures.first_capability(format_)
        own = (self._capability.major, self._capability.minor)
        needed = f"compute capability {first[0]}.{first[1]}"
        if own < first:
            return "no", f"needs {needed}, this GPU has {self._capability}"
        return "yes (not tested)", f"{needed} has it, this GPU has {self._capability}"

    def abilities(self) -> list[Line]:
        """One line an ability: yes, no, or yes but not tested."""
        table: list[tuple[str, str, tuple[str, ...]]] = [
            ("bfloat16", "bfloat16", ("matmul:bfloat16",)),
            ("TF32", "tfloat32", ("matmul:tfloat32",)),
            ("float16 on tensor cores", "float16-tensor-cores", ()),
            ("float8", "float8", ("float8-matmul",)),
            ("float4", "float4", ()),
            (
                "FlashAttention",
                "flash-attention",
                ("attention-flash:bfloat16", "attention-flash:float16"),
            ),
            ("torch.compile", "triton", ("compile:float32",)),
            ("CUDA graphs", "float16", ("graph:float32",)),
        ]
        lines = [self._line("ability", topic, *self._has(f, *tests)) for topic, f, tests in table]
        without = self._run.notes.get("pairs-without-peer-access")
        if isinstance(without, list):
            value = "no" if without else "yes"
            lines.append(self._line("ability", "peer access", value, "torch asked every pair"))
        for name, rate in sorted(self._run.rates.items()):
            lines.append(self._line("ability", name, f"{rate:.4g}", "measured"))
        return lines

    def training(self) -> list[Line]:
        """Settings of a training script."""
        makers: tuple[Callable[[], Sequence[tuple[str, str, str]]], ...] = (
            self._precision,
            self._memory,
            self._kernels,
            self._loading,
        )
        return [self._line("training", *entry) for make in makers for entry in make()]

    def _precision(self) -> list[tuple[str, str, str]]:
        value, because = self._has("bfloat16", "matmul:bfloat16")
        if value.startswith("yes"):
            found = [
                ("autocast_dtype", "bfloat16", f"{because}; it has float32's range"),
                ("grad_scaler", "false", "bfloat16 gradients do not underflow"),
            ]
        else:
            value, why = self._has("float16-tensor-cores")
            if value.startswith("yes"):
                found = [
                    ("autocast_dtype", "float16", f"no bfloat16 ({because}); {why}"),
                    ("grad_scaler", "true", "float16 gradients underflow without scaling"),
                ]
            else:
                found = [
                    ("autocast_dtype", "none", f"{why}: float16 saves memory but no time"),
                    ("grad_scaler", "false", "float32 gradients do not underflow"),
                ]
        value, because = self._has("tfloat32", "matmul:tfloat32")
        if value.startswith("yes"):
            found.append(("float32_matmul_precision", "high", f"TF32: {because}"))
        clip = str(figures.figure("gradient-clip-norm"))
        found.append(("gradient_clip_norm", clip, "usual for transformers; keeps a bad batch out"))
        return found

    def _memory(self) -> list[tuple[str, str, str]]:
        free, total = (self._run.device.get(k) for k in ("memory_free_bytes", "memory_bytes"))
        if not isinstance(free, int) or not isinstance(total, int):
            return []
        share = figures.figure("memory-share-for-batches-percent")
        budget = free * share // 100
        found = [
            (
                "memory_budget_bytes",
                str(budget),
                (
                    f"{share} % of {free >> 20} MiB free of {total >> 20} MiB; a batch may take "
                    "this less weights, gradients and the optimiser's state (16 bytes a parameter "
                    "with AdamW in mixed precision)"
                ),
            ),
            (
                "largest_model_parameters_adamw",
                str(budget // 16),
                "memory budget over 16 bytes a parameter, before any activation",
            ),
        ]
        if total < figures.figure("memory-short-bytes"):
            found.append(
                ("gradient_accumulation", "true", f"{total >> 30} GiB are short of memory")
            )
            found.append(("activation_checkpointing", "true", "memory is short: recompute instead"))
        return found

    def _kernels(self) -> list[tuple[str, str, str]]:
        library = "MIOpen" if self._hip else "cuDNN"
        why = f"where input sizes do not change: {library} picks the fastest"
        found = [("cudnn_benchmark", "true", why)]
        tensor_cores, because = self._has("float16-tensor-cores")
        if tensor_cores.startswith("yes"):
            found.append(
                ("channels_last", "true", f"convolutions on tensor cores want it; {because}")
            )
        value, because = self._has("triton", "compile:float32")
        if value.startswith("yes"):
            found.append(("torch_compile", "true", because))
            count = self._run.device.get("multiprocessors")
            least = figures.figure("max-autotune-multiprocessors")
            # On AMD GPUs torch asks for the generation instead (torch/_inductor/utils.py).
            if isinstance(count, int) and not self._hip:
                enough = count >= least
                mode = "max-autotune" if enough else "default"
                have = f"{count} multiprocessors, GEMM autotuning wants {least}"
                found.append(("torch_compile_mode", mode, have))
        else:
            found.append(("torch_compile", "false", because))
        return found

    def _loading(self) -> list[tuple[str, str, str]]:
        pinned = self._run.rates.get("host_to_device_pinned_gb_per_s")
        pageable = self._run.rates.get("host_to_device_pageable_gb_per_s")
        why = "copies from pinned memory can overlap with kernels"
        if pinned and pageable:
            why = f"{pinned:.3g} GB/s pinned against {pageable:.3g} GB/s not"
        use = self._ran("pinned-memory:float32") not in ("failed", "crashed", "hung")
        wsl = self._sheet.facts.host is not None and self._sheet.facts.host.wsl
        if wsl:
            use, why = False, "WSL limits pinned memory"
        cpus = (self._sheet.facts.host.cpu_count if self._sheet.facts.host else None) or (
            os.cpu_count() or 1
        )
        gpus = max(1, int(self._run.device.get("devices") or 1))
        workers = max(1, min(8, cpus // gpus - 1))
        return [
            ("pin_memory", "true" if use else "false", why),
            ("num_workers", str(workers), f"{cpus} processors for {gpus} GPU(s), 8 at most"),
        ]


def as_yaml(lines: Sequence[Line]) -> str:
    """The training advice as YAML that a script can read, what each line rests on beside it."""
    out = ["# Training advice by gpudoctor, one section a GPU; measured on the machine it names."]
    by_device: dict[str, list[Line]] = {}
    for line in lines:
        by_device.setdefault(line["device"], []).append(line)
    for device, own in by_device.items():
        out.append(f"gpu_{device}:")
        for kind in ("training", "ability"):
            rows = [line for line in own if line["kind"] == kind]
            if rows:
                out.append(f"  {kind}:")
            for line in rows:
                topic = line["topic"].lower().replace(" ", "_").replace(".", "_")
                out.append(f"    {topic}: {_scalar(line['value'])}  # {_comment(line['because'])}")
    return "\n".join(out) + "\n"


def _scalar(value: str) -> str:
    """Numbers and truth values as they are, everything else quoted."""
    if value in ("true", "false"):
        return value
    try:
        float(value)
    except ValueError:
        return "'" + value.replace("'", "''") + "'"
    return value


def _comment(text: str) -> str:
    return " ".join(text.split())
