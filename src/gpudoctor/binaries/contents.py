"""What the sections of one binary, or of all members of an archive, hold for GPUs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gpudoctor.binaries.budget import Budget
from gpudoctor.binaries.code.fatbin import Containers, FatbinImage, find, walk
from gpudoctor.binaries.code.groups import group
from gpudoctor.binaries.code.registration import Records, registered
from gpudoctor.binaries.formats.sections import BinarySection
from gpudoctor.binaries.source import NoDecompressorError, Source
from gpudoctor.model.parts.binary import BundleGroup, CodeGroup, KernelArchive, Library
from gpudoctor.model.value import replace

_CUDA = (".nv_fatbin", "__nv_relfatbin", ".nvFatBinSegment")


class Contents:
    """Device code, added up."""

    def __init__(self) -> None:
        self.groups: Counter[CodeGroup] = Counter()
        self.relocatable: Counter[CodeGroup] = Counter()
        self.embedded: Counter[CodeGroup] = Counter()
        self.images: Counter[FatbinImage] = Counter()
        self.loose: Counter[str] = Counter()
        self.fatbins = 0
        self.bundles: Counter[tuple[str, ...]] = Counter()
        self.mislabelled: dict[str, str] = {}
        self.kernel_archive: KernelArchive | None = None
        self.xpu: Counter[str] = Counter()
        self.macos: str | None = None
        self.unread: str | None = None
        self.metal: dict[str, None] = {}

    def add_sections(
        self, source: Source, sections: Sequence[BinarySection], budget: Budget
    ) -> None:
        """Add what lies in the sections of one binary, which are in the order of the file.

        Raises:
            UnreadableBinaryError: they contradict themselves.
        """
        linked: Containers = {}
        relocatable: Containers = {}
        embedded: Containers = {}
        records = Records()
        others = []
        relocations = None
        cuda = any(section.name in _CUDA for section in sections)
        for section in sections:
            if section.name == ".rodata":
                if cuda:
                    embedded = find(source, section.offset, section.size, budget)
            elif section.name == ".nv_fatbin":
                _merge(linked, walk(source, section.offset, section.size, budget))
            elif section.name == "__nv_relfatbin":
                _merge(relocatable, walk(source, section.offset, section.size, budget))
            elif section.name == ".rela.dyn":
                relocations = section
            elif section.name.endswith("Segment"):
                records.read(source, section, budget)
            else:
                others.append(section)
        starts = {start for places in linked.values() for start in places}
        _add(self.groups, group(linked, registered(records, sections, starts)))
        _add(self.relocatable, group(relocatable))
        _add(self.embedded, group(embedded))
        self.add_images(linked)
        if others:
            try:
                self._add_others(source, others, records, budget, relocations)
            except NoDecompressorError as error:
                # What lies in it for NVIDIA's GPUs is known all the same.
                self.unread = error.reason

    def add_images(self, containers: Containers) -> None:
        """Count the images of containers, and the containers that hold any."""
        for images, starts in containers.items():
            self.fatbins += len(starts) if images else 0
            for image in images:
                # The version of the PTX makes no other architecture.
                self.images[FatbinImage(image.kind, image.architecture, image.suffix)] += len(
                    starts
                )

    def add_cubin(self, name: str) -> None:
        """Add machine code that stands in no container."""
        self.groups[CodeGroup(sass=(name,))] += 1
        self.loose[name] += 1

    def _add_others(
        self,
        source: Source,
        sections: Sequence[BinarySection],
        records: Records,
        budget: Budget,
        relocations: BinarySection | None,
    ) -> None:
        """AMD's and Intel's; their readers are loaded where there is something to read."""
        from gpudoctor.binaries.code.bundle import read_bundles, relocatable_target
        from gpudoctor.binaries.code.kernel_archive import read_reference
        from gpudoctor.binaries.code.sycl import read_images

        images, table = [], None
        for section in sections:
            if section.name == ".hip_fatbin":
                bundles = read_bundles(source, section, budget, records.bundles)
                self.bundles.update(each.targets for each in bundles if each.targets)
                self.mislabelled.update(pair for each in bundles for pair in each.mislabelled)
            elif section.name == ".rocm_kpack_ref":
                self.kernel_archive = read_reference(source, section.offset, section.size, budget)
            elif section.name == ".tgtimg":
                table = section
            elif target := relocatable_target(section.name):
                self.bundles[(target,)] += 1
            elif "hip" not in section.name:
                images.append(section)
        if images:
            self.xpu.update(read_images(source, images, table, budget, relocations))

    def library(
        self, path: str, distribution: str | None, format_: str, machine: str | None
    ) -> Library | None:
        """All of it as one library; `None` if there is nothing."""
        ordered = sorted(self.images.items())
        hip: Counter[str] = Counter()
        for targets, count in self.bundles.items():
            for target in targets:
                hip[target] += count
        found = Library(
            path=path,
            distribution=distribution,
            format=format_,
            machine=machine,
            fatbins=self.fatbins,
            sass=dict(self.loose) or _named(each for each in ordered if each[0].is_sass),
            ptx=_named(each for each in ordered if each[0].is_ptx),
            groups=_counted(self.groups + self.embedded),
            embedded=_counted(self.embedded),
            relocatable=_counted(self.relocatable),
            hip=dict(sorted(hip.items(), key=_by_number)),
            bundles=tuple(
                BundleGroup(targets=targets, count=count)
                for targets, count in self.bundles.most_common()
            ),
            mislabelled=self.mislabelled,
            kernel_archive=self.kernel_archive,
            xpu=dict(sorted(self.xpu.items())),
            macos=self.macos,
            unread=self.unread,
            metal=tuple(self.metal),
        )
        return found if found.has_device_code or found.macos else None


def _named(images: Iterable[tuple[FatbinImage, int]]) -> dict[str, int]:
    return {image.name: count for image, count in images}


def _merge(total: Containers, more: Containers) -> None:
    for images, starts in more.items():
        total.setdefault(images, []).extend(starts)


def _add(total: Counter[CodeGroup], groups: Iterable[CodeGroup]) -> None:
    for each in groups:
        total[replace(each, count=1)] += each.count


def _counted(groups: Counter[CodeGroup]) -> tuple[CodeGroup, ...]:
    """The groups with their counts, the most frequent first."""
    return tuple(replace(each, count=count) for each, count in groups.most_common())


def _by_number(entry: tuple[str, int]) -> tuple[int, str]:
    return len(entry[0].partition(":")[0]), entry[0]
