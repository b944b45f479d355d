"""Results of benchmarks: each a value, the floor that was measured in the same run, a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `budget` is the highest allowed ratio to the floor, None for a mere report.

    Where more is better (rows a second), `more` is True and `budget` is the lowest allowed ratio.
    Without a floor the value itself is held against the budget.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    budget: float | None = None
    more: bool = False

    @property
    def ratio(self) -> float:
        """The value as a multiple of the floor, or the value itself where there is none."""
        return self.value / self.floor if self.floor else self.value

    @property
    def kept(self) -> bool:
        """Whether the budget is kept; a mere report always is."""
        if self.budget is None:
            return True
        return self.ratio >= self.budget if self.more else self.ratio <= self.budget


def alternate(
    ours: Callable[[], float], floor: Callable[[], float], runs: int = 5
) -> tuple[float, float]:
    """The medians of two measurements taken in turn, so that both meet the same weather."""
    pairs = [(ours(), floor()) for _ in range(runs)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def table(results: Iterable[Result]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| what | measured | floor | ratio | budget | kept |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for result in results:
        floor = f"{result.floor:.4g} {result.unit}" if result.floor else "-"
        ratio = f"{result.ratio:.2f}" if result.floor else "-"
        sign = "≥" if result.more else "≤"
        budget = f"{sign} {result.budget:g}" if result.budget is not None else "reported"
        kept = "-" if result.budget is None else "yes" if result.kept else "NO"
        lines.append(
            f"| {result.name} | {result.value:.4g} {result.unit} | {floor} | {ratio} "
            f"| {budget} | {kept} |"
        )
    return "\n".join(lines) + "\n"
