"""`gpudoctor plan`: what to install on a machine that is not at hand."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import common, plan_plain


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("plan")(plan)


def plan(
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            "--gpu",
            metavar="NAME",
            help="A GPU as people write it ('5060 ti'), sm_120, or 12.0. Once for each card.",
        ),
    ] = None,
    driver: Annotated[
        str | None, typer.Option("--driver", metavar="VERSION", help="570.172.08, or 570.")
    ] = None,
    os: Annotated[
        str | None,
        typer.Option("--os", metavar="NAME", help="One of linux, windows, wsl, macos."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", metavar="NAME", help="One of x86_64, aarch64, arm64."),
    ] = None,
    python: Annotated[
        str | None, typer.Option("--python", metavar="VERSION", help="3.12, or 3.13t.")
    ] = None,
    torch: Annotated[
        str | None,
        typer.Option("--torch", metavar="SPEC", help="A version or a specifier of torch."),
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="stable or nightly.")
    ] = "stable",
    tool: Annotated[
        str,
        typer.Option("--tool", metavar="NAME", help="One of pip, uv, conda, pixi, poetry."),
    ] = "auto",
    index_url: Annotated[
        str | None,
        typer.Option("--index-url", metavar="URL", help="A mirror of the wheel index's root."),
    ] = None,
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Print how to build torch.")
    ] = False,
    requirements: Annotated[
        list[str] | None,
        typer.Option(
            "--requirements",
            metavar="FILE",
            help="Judge what a requirements file, manifest, lock or folder installs; repeatable.",
        ),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option("--extra", metavar="NAME", help="An extra of the project to install."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="A dependency group to install."),
    ] = None,
    facts: Annotated[
        str | None,
        typer.Option("--facts", metavar="FILE", help="Judge for a machine that was saved."),
    ] = None,
    format_: common.FormatOption = "text",
    json: common.JsonOption = False,
    output: common.OutputOption = None,
    quiet: common.QuietOption = False,
    verbose: common.VerboseOption = 0,
    color: common.ColorOption = "auto",
) -> int:
    """What to install on a machine that is not at hand."""
    return plan_plain.execute(
        gpus=gpu,
        driver=driver,
        os=os,
        arch=arch,
        python=python,
        torch=torch,
        channel=channel,
        tool=tool,
        index_url=index_url,
        from_source=from_source,
        requirements=requirements,
        extras=extra,
        groups=group,
        facts=facts,
        format_="json" if json else format_,
        outputs=output,
        quiet=quiet,
        verbose=verbose,
        color=color,
    )
