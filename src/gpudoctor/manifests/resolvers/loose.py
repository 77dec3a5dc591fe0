"""What pip, uv and the other tools choose for requirements that no lock has settled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from gpudoctor.kb.software import indexes as kb_indexes
from gpudoctor.kb.software import torch_releases
from gpudoctor.manifests.choice import Choice, InstallOutcome
from gpudoctor.manifests.install_file import Wish
from gpudoctor.manifests.resolvers.beyond import beyond_known
from gpudoctor.manifests.resolvers.library_pins import refused
from gpudoctor.manifests.resolvers.locked import built, shown
from gpudoctor.manifests.resolvers.resolution import Pool, Solution, Task, fits, places, solve
from gpudoctor.manifests.scene import Scene, wheel_tags, wheel_version
from gpudoctor.manifests.universe import (
    COMPANIONS,
    TORCH,
    Candidate,
    brings_torch,
    demand,
    family,
    of_dependent,
    stack,
)
from gpudoctor.model.finding import FileAt
from gpudoctor.model.value import replace

PYPI = "https://pypi.org/simple"


def wishes_of(wishes: Sequence[Wish], scene: Scene) -> dict[str, list[Wish]]:
    """The wishes that count here, by package; only what the knowledge base knows.

    Raises:
        ValueError: a marker is none.
    """
    found: dict[str, list[Wish]] = {}
    for wish in wishes:
        if not family(wish.name) or not scene.applies(wish.marker):
            continue
        if not brings_torch(wish.name, wish.extras) and not wish.constraint:
            continue
        if any(scene.applies(marker) for marker in wish.unless):
            continue
        if wish.extra is not None and wish.extra not in scene.extras:
            continue
        if wish.group is not None and wish.group not in scene.groups:
            continue
        found.setdefault(wish.name, []).append(wish)
    return found


def run(task: Task) -> InstallOutcome:
    """Choose, and say why not where nothing can be chosen."""
    wishes = task.wishes
    brought = {name for name, rows in wishes.items() if any(not row.constraint for row in rows)}
    if not brought:
        return _open(task, _silent(task), tuple(gap.at for gap in task.gaps[:1]))
    if task.gone:
        text, at = task.gone[0]
        why = f"{text[:80]} is a folder of the machine that built conda's package, and on no other"
        return _fails(
            task, f"{why}; `pip list --format=freeze` names the version", "missing", (at,)
        )
    for rows in wishes.values():
        for row in rows:
            if row.unread:
                return _open(task, row.unread, (row.at,))
    if refused := _from_source(task, brought):
        return refused
    direct = _direct(task)
    if isinstance(direct, InstallOutcome):
        return direct
    if task.gaps:
        return _open(task, task.gaps[0].why, (task.gaps[0].at,))

    visible = task.pools(task.scene)

    def pool(name: str) -> Sequence[Candidate] | None:
        if name in direct:
            return direct[name]
        if not stack(name):
            return of_dependent(name, [row.specifier for row in wishes.get(name, ())])
        if name not in task.installed:
            return visible(name)
        # What is there needs no index where it satisfies; else the index is asked.
        there = _there(task.installed[name], task.scene)
        rest = visible(name)
        if rest is None and not fits(there, wishes.get(name, ())):
            return None
        return [there, *(rest or ())]

    try:
        known = _known(task, pool)
        if isinstance(known, InstallOutcome):
            return known
        solution = solve(known, pool)
        if bound := _bound(task, solution):
            solution = solve(known, _within(task, pool))
            if not solution.chosen:
                return bound
    except ValueError as error:
        return _open(task, f"{task.path}: {error}", places(wishes, [TORCH]))
    if not solution.chosen:
        return _hindered(task, solution)
    return _installs(task, solution)


def _bound(task: Task, solution: Solution) -> InstallOutcome | None:
    """The failure that comes of a library's pin, unless another torch takes that release."""
    torch = next((item for item in solution.chosen if item.name == TORCH), None)
    wish = refused(torch, task.pins) if torch is not None else None
    if torch is None or wish is None:
        return None
    why = f"the line {wish.name}{wish.specifier} excludes the release that torch {torch.version} "
    why += "demands; without that line the right one comes by itself"
    return _fails(task, why, "conflict", (wish.at, *places(task.wishes, [TORCH])))


def _within(task: Task, pool: Pool) -> Pool:
    """The pool without the torches that a library's pin excludes."""

    def within(name: str) -> Sequence[Candidate] | None:
        found = pool(name)
        return found and [item for item in found if not refused(item, task.pins)]

    return within


def _from_source(task: Task, brought: Collection[str]) -> InstallOutcome | None:
    """What comes of forbidding wheels: torch and its companions have no source on any index."""
    forbidden = task.no_binary.split(",")
    for name in (TORCH, *COMPANIONS):
        every = "all" in forbidden and f"-{name}" not in forbidden
        if name in brought and name not in task.installed and (every or name in forbidden):
            why = f"{name} has no source distribution, and its wheels are forbidden (no-binary)"
            return _fails(task, why, "missing", places(task.wishes, [name]))
    return None


def _there(choice: Choice, scene: Scene) -> Candidate:
    """An installed package as a candidate."""
    return Candidate(
        name=choice.name,
        version=choice.version,
        index=choice.index or "",
        torch=demand(choice.name, choice.version),
        variant=choice.variant,
        build=choice.build,
        pythons=(scene.python,),
    )


def _known(task: Task, pool: Pool) -> dict[str, Sequence[Wish]] | InstallOutcome:
    """The wishes without those of packages whose releases the knowledge base does not know."""
    kept: dict[str, Sequence[Wish]] = {}
    exact = any("==" in wish.specifier or wish.url for wish in task.wishes.get(TORCH, ()))
    for name, rows in task.wishes.items():
        if name == TORCH or name in COMPANIONS:
            kept[name] = rows
            continue
        if not stack(name):
            # Which release is taken is settled by what it asks of torch.
            kept[name] = [replace(row, specifier="") for row in rows]
            continue
        if any(fits(item, rows) for item in pool(name) or ()):
            kept[name] = rows
        elif not exact and name != "triton":
            wanted = ",".join(dict.fromkeys(w.specifier for w in rows if w.specifier))
            why = f"which torch {name}{wanted} demands is not known"
            return _open(task, why, places(task.wishes, [name]))
    return kept


def _direct(task: Task) -> dict[str, list[Candidate]] | InstallOutcome:
    """The files that are named directly."""
    found: dict[str, list[Candidate]] = {}
    for name, rows in task.wishes.items():
        for row in rows:
            if row.url is None:
                continue
            text = wheel_version(row.url)
            if text is None:
                return _open(task, f"what {shown(row.url)} is cannot be told", (row.at,))
            if not task.scene.takes(row.url):
                tags = wheel_tags(row.url)
                why = f"{shown(row.url)} is no wheel for {task.scene.platform} and Python "
                why += f"{task.scene.python} (it is for {' '.join(tags[2]) if tags else '?'})"
                found_not = _fails(task, why, "platform", (row.at,))
                return replace(found_not, at_install=True)
            choice = built(name, text, row.url, None, "unknown", row.at, task.scene)
            if isinstance(choice, InstallOutcome):
                return _open(task, choice.why, (row.at,))
            if name == TORCH and _never_published(row.url, choice):
                why = f"{shown(row.url)} is not there: no such build was published"
                return _fails(task, why, "missing", (row.at,))
            found[name] = [
                Candidate(
                    name=name,
                    version=choice.version,
                    index=row.url,
                    variant=choice.variant,
                    build=choice.build,
                    pythons=(task.scene.python,),
                )
            ]
    return found


def _never_published(url: str, choice: Choice) -> bool:
    """Whether a URL of PyTorch's own index names a build that its release has not."""
    if torch_releases.release(choice.release) is None or "dev" in choice.version:
        return False
    official = (urlsplit(url).hostname or "").endswith(".pytorch.org")
    return official and choice.build is None and kb_indexes.carried(url).kind == "variant"


def _installs(task: Task, solution: Solution) -> InstallOutcome:
    choices = []
    exact = any("==" in wish.specifier or wish.url for wish in task.wishes.get(TORCH, ()))
    for item in solution.chosen:
        if not stack(item.name):
            rows = task.wishes[item.name]
            if not item.torch and not (exact and not any("==" in w.specifier for w in rows)):
                wanted = ",".join(w.specifier for w in rows if w.specifier)
                why = f"which torch {item.name}{wanted} demands is not known"
                return _open(task, why, places(task.wishes, [item.name]))
            continue
        at = _place(task, item.name)
        if item.name in (TORCH, *COMPANIONS) and task.scene.python not in item.pythons:
            return _unfit(task, item, at)
        there = task.installed.get(item.name)
        if there is not None and there.version == item.version and there.index == item.index:
            choices.append(there)
            continue
        choices.append(
            Choice(
                name=item.name,
                version=item.version,
                at=at,
                index=item.index,
                variant=item.variant,
                build=item.build,
            )
        )
    if not any(choice.name == TORCH for choice in choices):
        return _open(task, _silent(task), ())
    return InstallOutcome(
        status="installs", tool=task.tool, assumption=task.assumption, choices=tuple(choices)
    )


def _unfit(task: Task, item: Candidate, at: FileAt) -> InstallOutcome:
    """A version was chosen for all platforms, and this one has no wheel of it."""
    what = f"{task.tool} locks {item.name} {item.version} from {_index_name(item.index)}"
    if item.pythons:
        why = f"{what}, which has no wheel for Python {task.scene.python} (it has them for "
        why += f"{', '.join(item.pythons)})"
        found = _fails(task, why, "python", (at,))
    else:
        why = f"{what}, which has no wheel for {task.scene.platform}"
        found = _fails(task, why, "platform", (at,))
    return replace(found, at_install=True)


def _index_name(url: str) -> str:
    place = kb_indexes.carried(url)
    return "PyPI" if place.kind == "pypi" else place.variant or shown(url)


def _place(task: Task, name: str) -> FileAt:
    """Where a package is asked for; one that another brings is asked for there."""
    found = task.wishes.get(name) or next(iter(task.wishes.values()))
    return found[0].at


def _hindered(task: Task, solution: Solution) -> InstallOutcome:
    if solution.open is not None:
        name = solution.open
        why = f"what {task.where} holds of {name} is not known"
        return _open(task, why, places(task.wishes, [name]))
    if solution.missing is not None:
        name = solution.missing
        rows = task.wishes.get(name, ())
        wanted = ",".join(dict.fromkeys(w.specifier for w in rows if w.specifier))
        why, reason = _absent(task, name, wanted)
        return _fails(task, why, reason, places(task.wishes, [name]))
    names = solution.conflict
    asked = [
        f"{name}{','.join(dict.fromkeys(w.specifier for w in task.wishes[name] if w.specifier))}"
        for name in names
        if name in task.wishes
    ]
    why = f"{' and '.join(asked)} exclude each other: no versions on {task.where} fit together"
    return _fails(task, why, "conflict", places(task.wishes, names))


def _absent(task: Task, name: str, wanted: str) -> tuple[str, str]:
    """Why there is no such version: none for this Python, none for this platform, none at all."""
    if name != TORCH and name not in COMPANIONS:
        return f"{name}{wanted} is not known on {task.where}", "open"
    rows = task.wishes.get(name, ())
    if name == TORCH and (beyond := beyond_known(rows, task.urls, task.scene.python)):
        return f"torch{wanted} allows {beyond}, which this knowledge base does not have", "open"
    others = ("3.13", "3.12", "3.11", "3.10", "3.14", "3.15", "3.9", "3.8")
    for python in others:
        pool = task.pools(Scene(task.scene.platform, python))
        if any(fits(item, rows) for item in pool(name) or () if python in item.pythons):
            why = f"{name}{wanted} on {task.where} has no wheel for Python {task.scene.python}"
            return f"{why}; it has one for {python}", "python"
    return f"{name}{wanted} is not on {task.where} for {task.scene.platform}", "missing"


def _silent(task: Task) -> str:
    if task.gaps:
        return task.gaps[0].why
    return f"{task.path} does not name torch"


def _open(task: Task, why: str, files: tuple[FileAt, ...]) -> InstallOutcome:
    return InstallOutcome(
        status="open", tool=task.tool, assumption=task.assumption, why=why, files=files
    )


def _fails(task: Task, why: str, reason: str, files: tuple[FileAt, ...]) -> InstallOutcome:
    if reason == "open":
        return _open(task, why, files)
    return InstallOutcome(
        status="fails",
        tool=task.tool,
        assumption=task.assumption,
        why=why,
        reason=reason,  # type: ignore[arg-type]  # one of the literals, from above
        files=files,
    )
