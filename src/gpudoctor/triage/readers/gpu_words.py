"""GPUs as people name them: vendor, model, count, and whether they have them or ask for them."""

from __future__ import annotations

import re
from typing import Any

from gpudoctor.kb.hardware import amd_gpus as kb_amd
from gpudoctor.kb.hardware import intel_gpus as kb_intel
from gpudoctor.kb.hardware import nvidia_gpus as kb_gpus
from gpudoctor.model.pattern import late_pattern
from gpudoctor.triage.text.anchored import Near

# Names that can only be a GPU's; a bare "A2" or "L4" in a sentence may be anything.
_GPU = Near(
    r"(?:NVIDIA )?(?:"
    r"(?:GeForce |Geforce |Quadro |Tesla |TITAN |Titan |NVIDIA )?(?:RTX|rtx|Rtx"
    r"|GTX|gtx|Gtx)[ -]?(?:PRO )?(?:TITAN )?(?:A?\d{3,4}M?)(?:[ -]?(?:Ti|TI|ti|SUPER|Super|super|D"
    r"|Ada|Blackwell|Laptop|Mobile|Max-Q))*(?: (?:Generation|Workstation|Server|Laptop|Max-Q"
    r"|Edition|GPU)){0,4}"
    r"|(?:[Tt]esla|Teslas?)[ -]?[A-Za-z]\d{1,3}[A-Za-z0-9-]{0,14}"
    r"|(?:GT|MX|NVS) ?\d{3,4}M?\b|TITAN (?:X|Xp|V|RTX)|Titan (?:X|Xp|V|RTX)"
    r"|Quadro [A-Z]{1,3}\d{3,4}\w?"
    r"|Jetson(?: AGX| Xavier| Orin| Thor| Nano| TX[12])+|DGX Spark"
    r"|\b(?:A100|A800|A10G|A30|A40|A6000|A5000|A4000|A4500|H100|H200|H800|H20|B100|B200|B300"
    r"|GB200|GB300|GB10|GH200|L40S|V100S?|P100|K80|M40|M60)(?:[- ](?:SXM\d?|PCIe|PCIE|NVL"
    r"|\d{2,3} ?GB)[\w-]*)*"
    r"|NVIDIA (?:A10|A16|A2|L4|L40|T4)\b|\b(?:L4|T4) GPU"
    r")",
    "rtx|gtx|tesla|gt |gt7|gt6|gt5|gt4|gt1|gt3|gt2|gt8|gt9|mx|nvs|titan|quadro|jetson|"
    "dgx spark|a100|a800|a10g|a30|a40|a6000|a5000|a4500|h100|h200|h800|h20|b100|b200|"
    "b300|gb10|l40|v100|p100|k80|m40|m60|nvidia |l4|t4",
)
# A card by its number alone: "my 3090", "GPU: 5070 Ti", "the 1080Ti"; a bare number needs such
# a word beside it, and sizes, counts and years are none.
_NUMBER = (
    r"(?:7[5-8]0|9[5-8]0|10[5-8]0|16[56]0|20[5-8]0|30[5-9]0|40[5-9]0|50[5-9]0)"
    r"(?: ?(?:ti|super|d)\b)*"
)
_BARE = Near(
    r"(?:\b(?:gpus?|cards?|nvidia|geforce|my|their|his|her)|显卡)(?: (?:is|are|was)|s)?(?: an?)?"
    r" ?[:=：]? ?("
    + _NUMBER
    + r")(?![\w.%:/]|,\d| ?(?:MiB|MB|GB|ms|steps|images|px|files|tokens|it))"
    r"|(?<![\w.:/,$#-])(" + _NUMBER + r") ?(?:GPU|card|laptop|显卡)"
    r"|(?<![\w.:/,$#-])((?:7[58]0|980|10[578]0|1660|20[678]0|30[678]0|4070|4080|50[67]0) ?ti)\b",
    "750|760|770|780|950|960|970|980|1050|1060|1070|1080|1650|1660|2050|2060|2070|2080|"
    "3050|3060|3070|3080|3090|4050|4060|4070|4080|4090|5050|5060|5070|5080|5090",
    flags=re.I,
)
_AND = late_pattern(
    r"s?(?:,|,? and|,? plus| [+&]) (?:(?:an?|one|my|the|1x?) )?(?:old |second )?(" + _NUMBER + r")"
    r"(?![\w.%:/]|,\d)",
    re.I,
)
_AMD = Near(
    r"(?:AMD |Radeon |\(TM\) )*\b(?:RX ?(?:Vega ?)?\d{2,4}(?: ?(?:XTX?|GRE|M|S)\b)?"
    r"(?: \d{1,2} ?GB)?"
    r"|Pro WX? ?\d{4}|Instinct MI\d{2,3}\w?|MI(?:50|60|100|210|250X?|300[AX]|325X|350X|355X)\b"
    r"|[67][6-9][05]0 ?(?:XTX?|GRE|S)\b|Radeon \d{3}M\b|Radeon VII|Vega (?:56|64)"
    r"|90[67]0(?: XT)?(?= )"
    r"|(?<=AMD )(?:4[678]0|5[678]0|[567]\d{3})(?: ?(?:XTX?|GRE|M|S)\b)?)",
    "rx|pro w|pro 4|pro 5|pro 6|pro 7|pro 8|pro 9|pro 2|pro 3|instinct|mi50|mi60|mi100|"
    "mi210|mi250|mi300|mi325|mi350|mi355|6600|6650|6700|6750|6800|6850|6900|6950|7600|"
    "7650|7700|7750|7800|7850|7900|7950|radeon|vega|9060|9070|amd ",
    flags=re.I,
)
_INTEL = Near(
    r"\bArc(?:\(TM\)|™)? ?(?:Pro )?[AB]\d{2,3}M?\b|\bData Center GPU Max\b",
    "arc|data center",
    flags=re.I,
)
_APPLE = Near(
    r"\bApple M[1-6](?: (?:Pro|Max|Ultra))?\b|\bM[1-6] (?:Pro|Max|Ultra)\b"
    r"|(?:Mac\w*(?: (?:Pro|Air|mini|Studio))?)[ ,(]{1,2}(?:with )?(?:an? )?"
    r"(M[1-6](?: (?:Pro|Max|Ultra))?)\b"
    r"|\b(M[1-6]) (?:chip|Mac\w*)",
    "m1|m2|m3|m4|m5|m6",
    flags=re.I,
)
# "4x RTX 3090", "2 × A100", "8 H100s", "dual 3090", "two RTX 4090".
_COUNT = late_pattern(
    r"(?:\b(?P<number>[2-9]|1[0-6]) ?(?:[x×*]|NVIDIA)? ?|\b(?P<word>dual|two|three|four|eight) )"
    r"(?:NVIDIA )?(?:GeForce )?$",
    re.I,
)
# The tables have few of the mobile cards: a 1060M is a 1060.
_MOBILE = late_pattern(r"(?<=\d)M\b")
_WORDS = {"dual": 2, "two": 2, "three": 3, "four": 4, "eight": 8}
# A card that is asked about, wished for or compared is not owned.
_ASKED = late_pattern(
    r"(?:should I (?:buy|get|choose|go for|pick)\b[^.?!]{0,60}?"
    r"|(?:want|plan\w*|think\w*|going) (?:to |of |about )*"
    r"(?:buy|get|upgrad)\w*(?: \w{1,12}){0,3}|consider\w*(?: \w{1,12}){0,3}|compared? (?:to|with)"
    r"|instead of|unlike|better than|faster than|slower than|recommend\w*"
    r"|same (?:code|script) (?:works|runs) (?:fine )?on) (?:an? |my |the |another )?"
    r"(?:NVIDIA |GeForce |old |new |other )*$",
    re.I,
)
# "It works on my RTX 3060, but …": the other machine.
_ELSEWHERE = late_pattern(r"\b(?:works?|runs?|fine|well) on (?:\w{1,8} ){0,3}$", re.I)
_BUT = late_pattern(r"^[^.]{0,60}\b(?:but|however|while|whereas)\b", re.I)
_MEMORY = late_pattern(r"(?: GPU| card)?,? ?\(?(?:with )?(\d{1,3}) ?(?:GB|GiB|G)\b", re.I)
_MOST = 4
_CAPABILITY = Near(
    r"(?:compute capability|cuda capability|\bcc|\bCC|compute_cap)[ :=(]{0,3}(?:is |of "
    r"|= ?)?(\d{1,2}\.\d)\b|\bsm_?(\d{2,3})\b(?![\w,'\" ]{0,3}sm_)",
    "capability|cc|compute_cap|sm_|sm1|sm2|sm3|sm5|sm6|sm7|sm8|sm9",
    flags=re.I,
)


def named_gpus(flat: str) -> list[dict[str, Any]]:
    """The GPUs that the words of a text name as its machine's, with how many and their memory."""
    if found := _nvidia(flat):
        return found
    for pattern, entry_of in ((_AMD, _amd), (_INTEL, _intel), (_APPLE, _apple)):
        for match in pattern.finditer(flat):
            if _is_asked(flat, match.start()):
                continue
            if entry := entry_of(match):
                return [entry]
    return _by_number(flat)


def _nvidia(flat: str) -> list[dict[str, Any]]:
    named: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    for match in _GPU.finditer(flat):
        words = match[0].replace(" GPU", "").replace("DGX Spark", "GB10").strip()
        words = re.sub(r"^Teslas? ?", "Tesla ", words)
        # Cards from the 20 series on are called RTX, whatever people write.
        words = re.sub(r"^((?:NVIDIA |GeForce )*)GTX(?= ?[2-5]0[5-9]0)", r"\1RTX", words)
        models = kb_gpus.match(words) or kb_gpus.match(_MOBILE.sub("", words))
        if not models or _is_asked(flat, match.start()):
            continue
        capabilities = {c for model in models for c in model.capabilities}
        entry: dict[str, Any] = {"name": models[0].name if len(models) == 1 else words}
        if len(capabilities) == 1:
            entry["compute_capability"] = next(iter(capabilities))
        if memory := _MEMORY.match(flat, match.end()):
            entry["memory_bytes"] = int(memory[1]) * 2**30
        name = str(entry["name"])
        named.setdefault(name, entry)
        counts[name] = max(counts.get(name, 1), _count(flat, match.start()))
        for more in _further(flat[match.end() : match.end() + 40]):
            named.setdefault(str(more["name"]), more)
            counts.setdefault(str(more["name"]), 1)
        if len(named) >= _MOST:
            break
    return [dict(entry) for name, entry in named.items() for _ in range(counts[name])]


def _further(after: str) -> list[dict[str, Any]]:
    """A second card by its number alone behind the first: "an RTX 4090 and a 1080 Ti"."""
    match = _AND.match(after)
    return _card(match[1]) if match else []


def _is_asked(flat: str, start: int) -> bool:
    before = flat[max(0, start - 80) : start]
    elsewhere = _ELSEWHERE.search(before) and _BUT.search(flat[start : start + 90])
    return bool(elsewhere) or _ASKED.search(before) is not None


def _count(flat: str, start: int) -> int:
    match = _COUNT.search(flat[max(0, start - 24) : start])
    if match is None:
        return 1
    return int(match["number"]) if match["number"] else _WORDS[match["word"].lower()]


def _amd(match: re.Match[str]) -> dict[str, Any] | None:
    rows = kb_amd.match(re.sub(r" \d{1,2} ?GB$", "", match[0], flags=re.I))
    codes = {row.gfx for row in rows}
    if not rows:
        # A card that the tables do not know is AMD's all the same where its name says so.
        named = re.match(r"AMD|Radeon|RX", match[0], re.I)
        return {"name": match[0], "vendor": "amd"} if named else None
    entry: dict[str, Any] = {"name": f"AMD {rows[0].name}", "vendor": "amd"}
    if len(codes) == 1:
        entry["gfx"] = codes.pop()
    return entry


def _intel(match: re.Match[str]) -> dict[str, Any] | None:
    return {"name": f"Intel {match[0]}", "vendor": "intel"} if kb_intel.match(match[0]) else None


def _apple(match: re.Match[str]) -> dict[str, Any]:
    chip = re.search(r"M[1-6](?: (?:Pro|Max|Ultra))?", match[0], re.I)
    return {"name": f"Apple {chip[0] if chip else ''}".strip(), "vendor": "apple"}


def _by_number(flat: str) -> list[dict[str, Any]]:
    """A card by its number alone, by a stated capability, or by its generation."""
    if (bare := _BARE.search(flat)) and (found := _card(bare[1] or bare[2] or bare[3])):
        return found
    if stated := _CAPABILITY.search(flat):
        digits = stated[2]
        value = stated[1] or f"{digits[:-1]}.{digits[-1]}"
        if kb_gpus.capability_row(value) is not None:
            return [{"compute_capability": value}]
    for pattern, capability in kb_gpus.series():
        if pattern.search(flat):
            return [{"compute_capability": capability}]
    return []


def _card(words: str) -> list[dict[str, Any]]:
    """The GeForce card of a number: `3090`, `1080ti`."""
    number = words.strip()
    line = "RTX" if number[0] in "2345" else "GTX"
    models = kb_gpus.match(f"{line} {_spaced(number)}")
    capabilities = {c for model in models for c in model.capabilities}
    if len(capabilities) != 1:
        return []
    name = models[0].name if len(models) == 1 else f"{line} {_spaced(number)}"
    return [{"name": name, "compute_capability": capabilities.pop()}]


def _spaced(number: str) -> str:
    """`1080ti` as the tables write it: `1080 Ti`."""
    return re.sub(r"(?<=\d) ?(ti|super|d)\b", lambda m: f" {m[1].title()}", number, flags=re.I)
