"""A section as plain lines, for formats that hold text inside something else."""

from __future__ import annotations

from gpudoctor.report.blocks import Block, Command, Item, Page, Row, Section


def plain(section: Section, *, heading: bool = True) -> str:
    """Heading and blocks, a line or more each, without markup."""
    lines = [section.title] if section.title and heading else []
    return "\n".join([*lines, *(_line(block) for block in section.blocks)])


def _line(block: Block) -> str:
    if isinstance(block, Row):
        return f"{block.name}: {block.text}"
    if isinstance(block, Item):
        return f"{block.label}: {block.text}"
    if isinstance(block, Page):
        return block.url or f"gpudoctor explain {block.code} says more."
    if isinstance(block, Command):
        return f"    {block.text}"
    return block.text
