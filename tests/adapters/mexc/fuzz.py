"""Fuzz every parser of the adapter: ``python -m tests.adapters.mexc.fuzz --inputs 1000000 --seed 1``

An input is a damaged frame or reply, given to a parser that reads it in the running adapter: four times in five one of
a shape that this parser takes. Data, nothing, or a :class:`MexcPayloadError` that names its channel in few words are
clean; anything else is a finding, and is printed with its input. Exit code 1 when there was one.
"""

import argparse
import asyncio
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.mexc.errors import MexcPayloadError
from tests.adapters.mexc.fuzz_corpus import PROTOBUF, texts
from tests.adapters.mexc.fuzz_damage import BAD_TOKENS, damaged, damaged_bytes
from tests.adapters.mexc.fuzz_targets import Call, Targets

LONGEST_COMPLAINT = 1_000
"""Characters: an error must not carry a whole payload into the log."""
FITTING = 0.8
WIDE = (
    "public socket",
    "private socket",
    "live book",
    "reports",
    "listing",
    "contract push",
    "snapshot",
    "spot socket",
)
"""Parsers of many shapes or with much behind them have more turns than those of one row."""
TURNS_OF_THE_WIDE = 5
_PARTICULAR = re.compile(r"'.*'|\".*\"|`.*`|-?\d[\d.Ee+-]*|\b[A-Z]{2,}\w*\b")


@dataclass
class Findings:
    """What came of the inputs."""

    inputs: int = 0
    taken: int = 0
    """Damaged, and yet without anything to complain of: unknown fields, other values."""
    clean_errors: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Of the clean errors, by their words without values."""
    by_target: Counter[str] = field(default_factory=Counter)
    """Clean errors, by the parser."""
    dirty: list[tuple[str, bytes, BaseException]] = field(default_factory=list)

    def complain(self, target: str, text: str) -> None:
        """A clean error of a parser."""
        self.clean_errors += 1
        self.by_target[target] += 1
        self.kinds[_PARTICULAR.sub("_", text.rpartition(": ")[2])[:60]] += 1


class Fuzzer:
    """Needs a running event loop."""

    def __init__(self, seed: int) -> None:
        self.findings = Findings()
        self.targets = Targets()
        self._rng = random.Random(seed)
        self._corpus = texts()
        calls = self.targets.all()
        self._calls = [*calls.items(), *((name, calls[name]) for name in WIDE for _ in range(TURNS_OF_THE_WIDE - 1))]
        self._fitting = {name: self._shapes(name, call) for name, call in calls.items()}

    def step(self) -> None:
        """One input to one parser."""
        name, call = self._calls[self.findings.inputs % len(self._calls)]
        raw = self._input(name)
        self.findings.inputs += 1
        self.targets.sink.troubles.clear()
        try:
            call(raw)
        except MexcPayloadError as error:
            self._judge(name, raw, error)
        except Exception as error:  # noqa: BLE001  # anything else is what is looked for
            self.findings.dirty.append((name, raw, error))
        else:
            self.findings.taken += not self.targets.sink.troubles
        for trouble in self.targets.sink.troubles:
            self.findings.complain(name, trouble)

    def _judge(self, name: str, raw: bytes, error: MexcPayloadError) -> None:
        if error.channel and error.problem and len(str(error)) <= LONGEST_COMPLAINT:
            self.findings.complain(name, str(error))
        else:
            self.findings.dirty.append((name, raw, error))

    def _input(self, name: str) -> bytes:
        rng = self._rng
        fits = rng.random() < FITTING
        if name == "numbers":
            token = rng.choice(BAD_TOKENS).encode(errors="surrogatepass")
            return token if fits else damaged_bytes(token, rng)
        if name == "spot socket" and fits:
            return damaged_bytes(rng.choice(PROTOBUF), rng)
        return damaged(rng.choice(self._fitting[name] if fits else self._corpus), rng)

    def _shapes(self, name: str, call: Call) -> list[str]:
        """The payloads that this parser takes undamaged; for sockets, those of their channels."""
        sign: Callable[[str], bool] = {
            "public socket": lambda text: '"push.' in text and "personal" not in text,
            "private socket": lambda text: "push.personal" in text,
            "reports": lambda text: "push.personal" in text,
            "login": lambda text: '"rs.' in text,
            "live book": lambda text: '"push.depth"' in text,
        }.get(name, lambda text: _is_taken(call, text))
        return [text for text in self._corpus if sign(text)]


def _is_taken(call: Call, text: str) -> bool:
    with suppress(MexcPayloadError):
        call(text.encode(errors="surrogatepass"))
        return True
    return False


async def run(inputs: int, seed: int) -> Findings:
    """Feed so many inputs, each to one parser."""
    fuzzer = Fuzzer(seed)
    for number in range(inputs):
        fuzzer.step()
        if number % 1_000 == 0:
            await asyncio.sleep(0)
    await fuzzer.targets.stop()
    return fuzzer.findings


def main() -> int:
    """The command."""
    arguments = argparse.ArgumentParser(description="Fuzz the parsers of the MEXC adapter.")
    arguments.add_argument("--inputs", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    begun = time.monotonic()
    findings = asyncio.run(run(chosen.inputs, chosen.seed))
    seconds = time.monotonic() - begun
    for name, raw, error in findings.dirty[:20]:
        print(f"{name}: {error!r}\n  {raw[:500]!r}")
    print(
        f"{findings.inputs} inputs in {seconds:.0f} s to {len(findings.by_target)} parsers: {findings.clean_errors} "
        f"clean errors, {findings.taken} inputs taken, {len(findings.dirty)} other exceptions"
    )
    print("errors, most frequent first:", *(f"{n:>8}  {kind}" for kind, n in findings.kinds.most_common(25)), sep="\n")
    print("errors by parser:", ", ".join(f"{name} {count}" for name, count in sorted(findings.by_target.items())))
    return 1 if findings.dirty else 0


if __name__ == "__main__":
    sys.exit(main())
