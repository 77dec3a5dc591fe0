"""The lesser answers: a fact that is missing, nothing that can be done."""

from __future__ import annotations

from gpudoctor.model.finding import Finding
from gpudoctor.model.prescription import Prescription, Step
from gpudoctor.model.sheet import FactSheet
from gpudoctor.model.terms.sentence import said, together
from gpudoctor.prescribe.answers.elsewhere import looks


def without(sheet: FactSheet, path: str, first: tuple[Step, ...]) -> Prescription:
    """The answer where the fact at `path`, which choosing a build needs, is unknown."""
    entry = sheet.why_unknown(path)
    reason = f" ({entry.reason})" if entry else ""
    text = f"What to install cannot be computed, because {path} is unknown{reason}."
    if first:
        text = f"These steps come first; then check again. {text}"
    why = said("fact-unknown", text, path=path)
    return Prescription(status="resolved" if first else "impossible", why=why, steps=first)


def helpless(sheet: FactSheet, errors: tuple[Finding, ...]) -> Prescription:
    """Where neither a rule nor the solver knows a step."""
    names = {f.name for f in errors}
    if "no-gpu-found" in names:
        why = said(
            "gpus-elsewhere",
            "No GPU that PyTorch serves is in this machine, and no command changes that; the "
            "nearest way out is to work on the processor (--allow-cpu accepts that).",
        )
        torch = sheet.facts.torch
        built_for_gpus = torch is not None and (torch.cuda or torch.hip or torch.xpu)
        if built_for_gpus:
            more = " If the GPUs that are meant are elsewhere, check there, or plan for them."
            why = together(why, more)
        return Prescription(
            status="impossible", why=why, steps=looks(sheet) if built_for_gpus else ()
        )
    if names & {"amd-gpu-unsupported", "intel-gpu-unsupported"}:
        text = f"{errors[0].title}; the nearest way out is to work on the processor."
        return Prescription(status="impossible", why=said("none-for-vendor", text))
    why = said("no-step", f"No step is known against it: {errors[0].title}.")
    return Prescription(status="impossible", why=why)
