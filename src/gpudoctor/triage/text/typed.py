"""Which lines of a text are commands that somebody typed, rather than what a program put out."""

from __future__ import annotations

import re

from gpudoctor.model.pattern import late_pattern

# What a shell prints before a command: `$ `, `# `, `user@host:~$ `, `(env) PS C:\> `.
_PROMPT = late_pattern(
    r"^\s{0,8}(?:\([\w .-]{1,40}\) ?){0,2}(?:"
    r"(?:\[?[\w.-]{1,40}@[\w.-]{1,60}[ :][^$#%>\n]{0,120}[$#%>])"
    r"|PS [A-Za-z]:\\[^>\n]{0,160}>|[A-Za-z]:\\[^>\n]{0,160}>"
    r"|[$❯➜]|#(?= (?:sudo|apt|docker|nvidia-smi|modprobe|pip3?|dkms|systemctl)\b)|!(?=\w)"
    r") ?(?=\S)"
)
_COMMAND = (
    r"(?:sudo|apt|apt-get|dnf|yum|pacman|zypper|snap|brew|winget|choco|pip3?(?:\.\d{1,2})?|pipx|uv"
    r"|conda|mamba|micromamba|poetry|python(?:3(?:\.\d{1,2})?)?|py|docker|docker-compose|podman"
    r"|nvidia-docker|kubectl|dkms|modprobe|rmmod|insmod|lsmod|depmod|mokutil|systemctl|service"
    r"|journalctl|dmesg|ldconfig|ldd|lspci|lsof|fuser|usermod|ubuntu-drivers|prime-select|nvidia-smi"
    r"|nvidia-ctk|nvidia-modprobe|rocminfo|rocm-smi|nvcc|gcc|cmake|make|ninja|git|curl|wget|cat|ls"
    r"|grep|find|echo|export|unset|set|setx|source|cd|which|where|wsl|torchrun|accelerate|deepspeed"
    r"|update-initramfs|update-grub|reboot|setpci|kill|pkill|bash|sh)"
)
# A command without a prompt: the whole line, in lower case, without a sentence around it.
_BARE = late_pattern(
    rf"^\s{{0,8}}(?:[-*+] |\d{{1,2}}[.)] )?`{{0,3}}(?:[A-Z_]{{2,40}}=\S{{0,200}} )*{_COMMAND}"
    r"(?:\.exe)?(?: [^\n]{0,600})?`{0,3}$"
)
_ASSIGNS = late_pattern(
    r"^\s{0,8}(?:export |set |setx |\$env:)[A-Za-z_]\w{1,60}(?:=| )\S{0,300}\s*$"
)
# Words of a sentence or of an error, which a line that begins like a command may go on with.
_NOT_A_COMMAND = late_pattern(
    r"\b(?:fails?|failed|failing|errors?|cannot|can't|couldn't|doesn't|don't|does not|did not"
    r"|didn't|not found|is|was|were|are|has|have|gives?|says?|shows?|returns?|reports?|works?"
    r"|worked|prints?|hangs?|crash(?:es|ed)?|because|but|then|and I|I|me|my|solved|fixed|fixes"
    r"|helped|unknown|denied|killed|terminated|fatal|unsupported|warning|installs|brings|gets|gave"
    r"|got)\b(?![=/_.-])",
    re.I,
)
_OUTPUT = late_pattern(r"^\s{0,8}[\w.-]{1,40}: |Traceback|\*\*\*|\s(?:->|=>|→|#) ?\S")


def is_typed(line: str) -> bool:
    """Whether a line is nothing but a command for a shell, with or without its prompt."""
    if len(line) > 1000:
        return False
    if prompt := _PROMPT.match(line):
        rest = line[prompt.end() :]
        return not _OUTPUT.search(rest)
    if _ASSIGNS.match(line):
        return True
    if _OUTPUT.search(line) or not _BARE.match(line):
        return False
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
    return _NOT_A_COMMAND.search(unquoted) is None
