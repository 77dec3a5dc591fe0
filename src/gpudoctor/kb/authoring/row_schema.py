"""Which tables each file of `configs/` has, and which keys their rows have.

A key that ends in `?` may be left out; the kinds are those of
`gpudoctor.kb.authoring.documents`. A row of most tables may name its own `sources` and `date`
besides.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.kb import environment_variables, rows, smoke_figures
from gpudoctor.kb.findings import catalogue, error_codes, follow_ups, signatures
from gpudoctor.kb.hardware import amd_gpus, intel_gpus, nvidia_gpus
from gpudoctor.kb.software import cuda, dependents, indexes, module_steps, packages
from gpudoctor.model.value import dataclass, field


@dataclass(frozen=True, slots=True)
class File:
    """One YAML file: its tables, each a list of rows with the given keys.

    A key ending in `?` may be left out. The kinds are those of `_CHECKS`; `|null` allows null.
    """

    tables: Mapping[str, Mapping[str, str]]
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further keys of the file besides its tables and header."""
    optional: bool = False
    dated: bool = True
    """Whether the file has a date of its own; else each row's source states one."""


_SOURCED = {"sources?": "texts", "date?": "date"}


def _rows(**keys: str) -> dict[str, str]:
    """Keys and kinds of a row; `_opt` at the end of a key marks one that may be left out."""
    named = {
        key.removesuffix("_opt") + "?" if key.endswith("_opt") else key: kind
        for key, kind in keys.items()
    }
    return named | _SOURCED


def _of(row_class: type, **others: str) -> dict[str, str]:
    """The keys of a class of rows, and others that stand in the file for its readers alone."""
    return rows.keys(row_class) | _rows(**others)


SIGNATURE_FILES = tuple(
    f"signatures_{topic}.yaml"
    for topic in (
        "driver",
        "kernel",
        "containers",
        "libraries",
        "wheels",
        "runtime",
        "platforms",
        "programs",
        "frameworks",
        "installers",
        "demands",
        "words",
        "cures",
        "families",
    )
)
"""Error messages by topic; all compile into one table."""

_SIGNATURES = File(
    {
        "signatures": _rows(
            id="slug",
            made_by="text",
            anchors_opt="texts",
            pattern_opt="text",
            meaning_opt="texts",
            also_opt="texts",
            unless_opt="texts",
            cure_opt="bool",
            general_opt="bool",
            says="text",
            causes="map",
        )
    }
)

FILES: Mapping[str, File] = {
    "gpus.yaml": File(
        {
            "architectures": _of(nvidia_gpus.CapabilityRow),
            "series": _rows(words="text", cc="capability"),
            "tegra_chips": _rows(chip="slug", name="text", cc="capability"),
            "gpus": _of(
                nvidia_gpus.GpuModel, aliases_opt="texts", cc_basis="text", jetpack_opt="text"
            ),
        }
    ),
    "gpus_pci.yaml": File(
        {
            "devices": _rows(
                id="hex",
                chip="text",
                cc="capability",
                name="text",
                smi_names_opt="texts",
                first_open_driver_opt="version",
            )
        }
    ),
    "cuda.yaml": File(
        {
            "majors": _rows(
                cuda="int", linux="version", windows="version", wsl="version", note_opt="text"
            ),
            "toolkits": _rows(
                version="version",
                branch="int",
                drivers="maps",
                sm="texts",
                confidence_opt="text",
                note_opt="text",
            ),
            "architectures": _rows(
                sm="text",
                label="text",
                first="version",
                last="version|null",
                replaced_by_opt="text",
                confidence_opt="text",
                note_opt="text",
            ),
            "branches": _of(cuda.Branch),
            "cudnn": _rows(since="version", lowest="capability", cuda="int|null", note_opt="text"),
            "forward_compatibility": _rows(
                package="text", os="texts", segments="texts", note_opt="text"
            ),
            "ptx_isa": _rows(isa="version", cuda="version", note_opt="text"),
            "host_compilers": _of(cuda.HostCompilers, note_opt="text"),
            "errors": _of(cuda.CudaError),
        }
    ),
    "torch_releases.yaml": File(
        {
            "releases": _rows(
                version="version",
                released="date",
                git="text",
                requires_python="text",
                min_glibc="version",
                platform_tags="texts",
                triton="version|null",
                pythons="map",
                index_pythons_opt="map",
                companions="map",
                pypi="map",
                warnings_opt="texts",
            ),
            "builds": _rows(
                torch="versions",
                variant="text",
                platforms="platforms",
                cuda="version|null",
                cudnn_opt="version|null",
                nccl_opt="version|null",
                sass_opt="sass",
                ptx_opt="ptx",
                gfx_opt="gfxs",
                aot_opt="texts",
                confidence="text",
                published="text",
                off_matrix_opt="bool",
                local_opt="bool",
                min_glibc_opt="version",
                note_opt="text",
            ),
        },
        {"confidence_values": "map", "published_values": "map"},
    ),
    "torch_downloads.yaml": File(
        {
            "downloads": _rows(
                torch="version", platform="text", wheels="int", requires_bytes="int"
            ),
        },
        optional=True,
    ),
    "torch_binaries.yaml": File(
        {
            "builds": {
                "torch": "version",
                "variant": "text",
                "platform": "text",
                "cuda": "version|null",
                "sass": "sass",
                "ptx": "ptx",
                "source": "text",
                "sha256": "text",
                "bytes": "int",
                "libraries": "maps",
            }
        },
        optional=True,
        dated=False,
    ),
    "nightly.yaml": File(
        {
            "nightlies": _rows(
                variant="text",
                platforms="platforms",
                cuda="version|null",
                sass="sass",
                ptx="ptx",
                status="text",
                cudnn_opt="version",
                last_seen_opt="date",
                note_opt="text",
            ),
            "removed": _rows(variant="text", year_opt="text", note_opt="text"),
        },
        {"version": "text", "evidence_until": "date", "pythons": "texts", "companions": "map"},
    ),
    "amd.yaml": File(
        {
            "overrides": _of(amd_gpus.Override),
            "indexes": _of(amd_gpus.AmdIndex),
            "kernel_drivers": _of(amd_gpus.KernelDriver, module="version"),
            "blas_gaps": _rows(variant="text", gfx="gfxs", basis="slug"),
            "wsl": _rows(generations="texts"),
            "generic": _rows(target="text", gfx="gfxs"),
            "amd_builds": _rows(gfx="gfx", linux="text|null", windows="text|null"),
            "gpus": _of(amd_gpus.AmdGpu, examples_opt="text"),
            "also_called": _rows(gfx="gfx", names="texts"),
            "pci": _rows(id="hex", gfx="gfx", name="text"),
        }
    ),
    "apple.yaml": File({"mps_floors": _rows(since="version", macos="version")}),
    "intel.yaml": File(
        {
            "families": _of(intel_gpus.Family),
            "os_support": _rows(
                torch="version",
                windows="texts",
                linux="texts",
                wsl2_opt="texts",
                note_opt="text",
            ),
            "user_driver": _rows(ids="texts", install="text"),
            "ip_versions": _rows(version="version", targets="texts", pci="hexes"),
            "runs_also": _rows(version="version", others="versions"),
            "pci": _rows(id="hex", target="text", name="text"),
        }
    ),
    "packages.yaml": File(
        {
            "fits": _of(packages.Fit),
            "requirements": _of(packages.CapabilityRequirement),
            "companion_pythons": _rows(package="slug", version="version", pythons="texts"),
            "source_releases": _rows(
                package="slug",
                first="version",
                last="version",
                missing_opt="versions",
                compiles_opt="text",
            ),
            "engines": _rows(package="slug", why="text"),
            "triton": _of(packages.TritonRow, note_opt="text"),
            "torch_libraries": _of(packages.TorchLibrary),
            "undeclared_wheels": _rows(soname="text", package="text"),
            "nvidia_wheels": _of(packages.NvidiaWheel, cuda13_only_opt="texts"),
        }
    ),
    "environment.yaml": File(
        {
            "variables": _of(environment_variables.Variable),
            "distributions": _rows(names="texts", why="text"),
            "conda": _rows(names="texts", why="text"),
        }
    ),
    "driver_steps.yaml": File(
        {
            "recommended": _rows(branch="int", why="text", until="date"),
            "module_steps": _of(module_steps.ModuleSteps, ids="texts"),
            "families": _rows(
                id="slug",
                name="text",
                ids="texts",
                open_opt="texts",
                proprietary_opt="texts",
                text_opt="text",
                text_exact_opt="text",
                note_opt="text",
            ),
            "jetson_indexes": _rows(
                jetpack="version",
                l4t="version",
                capability="capability",
                index_url_opt="text",
                wheel_opt="text",
                beside_opt="text",
                python="versions",
                cuda="version",
            ),
            "source_build": _rows(
                memory_bytes_per_job="int", disk_bytes="int", cmake_min="version"
            ),
        }
    ),
    "smoke.yaml": File(
        {
            "tolerances": _rows(operation="slug", relative="map"),
            "formats": _rows(format="slug", capability="capability"),
            "float8_types": _rows(type="text", gfx="gfxs"),
            "limits": _rows(stage="slug", seconds="int"),
            "sheets": _rows(names="texts", rates="map"),
            "links": _rows(generation="int", mb_per_s="int"),
            "causes": _of(smoke_figures.FailureCause),
            "advice": _rows(key="slug", value="int", note_opt="text"),
        }
    ),
    "images.yaml": File(
        {
            "images": _rows(
                image="text",
                tag="text",
                brings="text",
                python_opt="version",
                libc_opt="text",
                managed_opt="bool",
            )
        }
    ),
    "dependents.yaml": File({"dependents": _of(dependents.Dependent)}),
    "portable.yaml": File(
        {
            "programs": _rows(
                name="text",
                interpreter="texts",
                marks="texts",
                starters_opt="texts",
                sets_opt="text",
            )
        }
    ),
    "indexes.yaml": File(
        {
            "pypi": _rows(part="text"),
            "without_torch": _rows(part="text", why="text"),
            "conda_forge": _of(indexes.CondaBuild),
            "conda_channels": _rows(channel="text", last="version", variants="texts"),
        }
    ),
    "cpu_fallback.yaml": File(
        {"settings": _rows(name="text", value="text", why="text")},
        {"detect": "map"},
    ),
    "signature_marks.yaml": File(
        {
            "marks": _rows(mark="slug", anchors="texts", pattern="text", put_out_opt="bool"),
            "precedence": _rows(specific="slug", over="texts"),
            "against": _of(signatures.Against),
            "choices": _rows(name="slug", words="texts"),
            "translations": _rows(says="text", texts="texts"),
        },
    ),
    **dict.fromkeys(SIGNATURE_FILES, _SIGNATURES),
    "follow_ups.yaml": File(
        {
            "follow_ups": _of(follow_ups.FollowUp, name="slug"),
            "hides_gpus": _rows(variable="text", value="text"),
        }
    ),
    "error_codes.yaml": File({"errors": _of(error_codes.ErrorCode)}),
    "findings.yaml": File({"findings": _of(catalogue.Entry, cures_opt="steps")}),
}
