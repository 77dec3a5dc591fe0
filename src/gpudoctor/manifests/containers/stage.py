"""One stage of a Dockerfile while its lines run: what is installed, and what is set."""

from __future__ import annotations

import posixpath

from gpudoctor.kb.software import images as kb_images
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import Brought, Choice, InstallOutcome
from gpudoctor.manifests.install_file import InstallFile, UnreadPart
from gpudoctor.manifests.scene import Scene
from gpudoctor.manifests.source_files import SourceFile
from gpudoctor.manifests.universe import COMPANIONS, TORCH
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import replace


class Stage:
    """What a stage holds; lines change it one after another."""

    def __init__(self, source: SourceFile, scene: Scene) -> None:
        self.source = source
        self.scene = scene
        self.installed: dict[str, Choice] = {}
        self.open: UnreadPart | None = None
        """Why it is not known which torch is there."""
        self.failed: InstallOutcome | None = None
        self.variables: dict[str, str] = {}
        self.copied: dict[str, str] = {}
        """Path in the image → path in the folder of the Dockerfile."""
        self.folder = "/"
        self.place: str | None = None
        """The folder that torch was installed into; `None`: that is not known."""
        self.image_place: str | None = None
        """The folder of the base image's own torch."""
        self.second: tuple[str, dict[str, Choice]] | None = None
        """Another environment with torch that was copied in: its folder, and what it holds."""
        self.started = ""
        """What the container starts, as the file says it."""
        self.python_stated = False
        """Whether the Python is the image's own, and not the one that was asked for."""
        self.managed: str | None = None
        """The Python of the distribution, which pip refuses to install into (PEP 668)."""
        self.cuda: str | None = None
        """The CUDA that the base image asks the driver for."""
        self.cuda_at: FileAt | None = None
        self.tool = "pip"
        self.image: Brought | None = None
        """The base image that all began with."""
        self.typed: tuple[str, ...] = ()
        """The command that is being followed."""
        self.brought: dict[FileAt, Brought] = {}
        """Line → the command on it that decided about torch."""

    def inherit(self, other: Stage) -> None:
        """Begin where another stage ended."""
        self.installed = dict(other.installed)
        self.open, self.failed = other.open, other.failed
        self.variables = dict(other.variables)
        self.scene, self.cuda, self.cuda_at = other.scene, other.cuda, other.cuda_at
        self.image, self.brought = other.image, dict(other.brought)
        self.place, self.python_stated = other.place, other.python_stated
        self.image_place, self.second = other.image_place, other.second
        self.started, self.managed = other.started, other.managed

    def begin(self, reference: str, at: FileAt) -> None:
        """Begin on a base image."""
        self.image = Brought(at=at, image=reference)
        found = kb_images.image(reference)
        if found is None:
            why = f"what the image {reference} holds is not known"
            self.open = UnreadPart(why=why, at=at)
            return
        if found.asks_driver:
            self.cuda, self.cuda_at = found.cuda, at
        if found.python:
            self.take_python(found.python)
            self.managed = found.python if found.managed else None
        if found.musl:
            why = f"the image {reference} has musl, for which no wheel of torch is made"
            self.failed = InstallOutcome(
                status="fails", tool="pip", why=why, reason="platform", files=(at,)
            )
        if found.brings == "other":
            why = f"the torch of the image {reference} is its vendor's own build"
            self.open = UnreadPart(why=why, at=at)
        elif found.brings == "tag" and found.torch and found.variant:
            self.place = "/opt/conda" if "pytorch/pytorch" in reference else None
            self.image_place = self.place
            self._bring(found.torch, found.variant, at)

    def _bring(self, torch: str, variant: str, at: FileAt) -> None:
        rows = {TORCH: torch}
        release = torch_releases.release(torch)
        if release is not None:
            rows |= {name: item.version for name, item in release.companions.items()}
        for name in (TORCH, *COMPANIONS):
            if name not in rows:
                continue
            build = torch_releases.build(torch, variant, self.scene.platform)
            self.installed[name] = Choice(
                name=name,
                version=f"{rows[name]}+{variant}",
                at=at,
                variant=variant,
                build=build if name == TORCH else None,
            )

    def take_python(self, python: str) -> None:
        """Another Python is the one in use from here on."""
        self.scene = with_python(self.scene, python)
        self.python_stated = True

    def take(
        self,
        outcome: InstallOutcome,
        why_at: FileAt,
        *,
        backend: bool = False,
        place: str | None = None,
    ) -> None:
        """What an installation into a place leaves."""
        if self.failed is not None and self.failed.reason == "platform":
            return
        torch = outcome.choice(TORCH)
        if torch is None or torch != self.installed.get(TORCH):
            self.place = place
        if outcome.status == "fails" or (torch and torch != self.installed.get(TORCH)):
            self.brought[why_at] = Brought(at=why_at, command=self.typed, backend=backend)
        if outcome.status == "installs":
            if torch and place and self.image_place and place != self.image_place:
                self.installed = {}  # what the image brought lies in another environment
            for choice in outcome.choices:
                self.installed[choice.name] = choice
                if choice.name == TORCH:
                    self.open = None
        elif outcome.status == "fails":
            self.failed = self.failed or outcome
        elif outcome.status == "open":
            at = outcome.files[0] if outcome.files else why_at
            self.open = UnreadPart(why=outcome.why, at=at)

    def unclear(self, why: str, at: FileAt) -> None:
        """A line that cannot be followed, and may install torch."""
        self.open = UnreadPart(why=why, at=at)

    def find(self, path: str) -> SourceFile | None:
        """A file of the build's folder by the path that it has in the image."""
        target = posixpath.normpath(posixpath.join(self.folder, path))
        tried = []
        for there, here in self.copied.items():
            if target == there:
                tried.append(here)
            elif target.startswith(there.rstrip("/") + "/"):
                tried.append(posixpath.join(here, target[len(there.rstrip("/")) + 1 :]))
        for name in tried:
            found = self.source.beside(name)
            if found is not None:
                return found
        return None

    def outcome(self, path: str) -> InstallOutcome:
        """What the image holds in the end."""
        said = f"for the image of {path}, built without a GPU and nothing configured"
        if self.failed is not None:
            return replace(self.failed, assumption=said, brought=self._edited(self.failed.files))
        torch = self.installed.get(TORCH)
        if self.second is not None and self.open is None:
            folder, rows = self.second
            first = self.variables.get("PATH", "").split(":")[0]
            if folder not in self.started and first != f"{folder}/bin":
                why = f"{path} has a torch in {self.place or 'its base image'} and one in {folder}"
                return InstallOutcome(status="open", tool=self.tool, assumption=said, why=why)
            self.installed, torch = rows, rows[TORCH]
        if self.open is not None:
            return InstallOutcome(
                status="open", tool=self.tool, assumption=said, why=self.open.why,
                files=(self.open.at,),
            )  # fmt: skip
        if torch is None:
            why = f"no line of {path} installs torch"
            return InstallOutcome(status="open", tool=self.tool, assumption=said, why=why)
        return InstallOutcome(
            status="installs",
            tool=self.tool,
            assumption=said,
            choices=tuple(self.installed.values()),
            image_cuda=None if "NVIDIA_DISABLE_REQUIRE" in self.variables else self.cuda,
            image_at=self.cuda_at,
            brought=self._edited((torch.at,)),
        )

    def _edited(self, files: tuple[FileAt, ...]) -> Brought | None:
        """The command or the image at one of these places; `None`: they lie in another file."""
        for at in files:
            if at in self.brought:
                return self.brought[at]
            if self.image is not None and self.image.at == at:
                return self.image
        return None


def with_python(scene: Scene, python: str) -> Scene:
    """The scene with another Python."""
    return replace(scene, python=python)


def document_of(path: str, outcome: InstallOutcome) -> InstallFile:
    """A Dockerfile as a document whose outcome is settled."""
    return InstallFile(path=path, format="Dockerfile", tool=outcome.tool, settled=outcome)
