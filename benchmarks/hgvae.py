"""HG-VAE against a straight transcription of the paper's equations (the twin in `tests/naive.py`).

Goal: training and filling at least 2 times as fast as the twin at equal results (1e-5); and the memory
that filling 800 windows at once takes.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import naive  # noqa: E402  # pyright: ignore[reportMissingImports]
from kineme.models.hgvae import HGVAE, PRESETS  # noqa: E402
from kineme.models.hgvae.objective import elbo, latent_log_density  # noqa: E402
from kineme.tasks.ascent import PAPER_ASCENT, fill_windows  # noqa: E402

BATCH, TIMES = 32, 3


def seconds(run) -> float:
    """The fastest of a few runs after one that does not count."""
    run()
    spent = []
    for _ in range(TIMES):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)


def twin_bound(model: HGVAE, windows: torch.Tensor) -> torch.Tensor:
    """Mean bound of the windows by the transcription, one after another, at the means of the posteriors."""
    weights, total = dict(model.network.named_parameters()), torch.zeros(())
    for window in windows:
        mean, log_variance, levels = naive.hgvae(window, weights, model.config, model.network.basis)
        divergence = sum(naive.kl(posterior, prior) for posterior, prior in levels)
        total = total + naive.log_normal(window, mean, log_variance) - divergence
    return total / len(windows)


def twin_latent(model: HGVAE, windows: torch.Tensor) -> torch.Tensor:
    """log p(z | x) of the windows by the transcription."""
    weights = dict(model.network.named_parameters())
    passes = (naive.hgvae(window, weights, model.config, model.network.basis)[2] for window in windows)
    return torch.stack([naive.latent_log_density(levels) for levels in passes])


def main() -> None:
    """Print both ratios, how far the results are apart, and the memory of a large batch."""
    for preset in ("small", "paper"):
        model = HGVAE.random(PRESETS[preset])
        config = model.config
        windows = torch.randn(BATCH, config.nodes, config.frames)

        def ours(model=model, windows=windows) -> None:
            model.network.requires_grad_(True).zero_grad()
            elbo(windows, model.network(windows, sample=False)).elbo.mean().backward()

        def theirs(model=model, windows=windows) -> None:
            model.network.requires_grad_(True).zero_grad()
            twin_bound(model, windows).backward()

        fast, slow = seconds(ours), seconds(theirs)
        model.network.requires_grad_(False)
        made = model.network(windows, sample=False)
        apart = abs(float(elbo(windows, made).elbo.mean() / twin_bound(model, windows)) - 1)
        print(
            f"training step, {preset}: {BATCH / fast:.0f} windows/s, the transcription {BATCH / slow:.0f}: "
            f"{slow / fast:.1f} times as fast (goal 2); bounds differ by {apart:.0e} of their size"
        )
        missing = torch.zeros_like(windows, dtype=torch.bool)
        missing[:, 9:18, 10:30] = True
        ascent = PAPER_ASCENT._replace(steps=3)

        def fill(model=model, windows=windows, missing=missing, ascent=ascent) -> None:
            fill_windows(model, windows, missing, ascent, lambda x: model.score(x, "latent"))

        def fill_twin(model=model, windows=windows, missing=missing, ascent=ascent) -> None:
            fill_windows(model, windows, missing, ascent, lambda x: twin_latent(model, x))

        fast, slow = seconds(fill), seconds(fill_twin)
        work = BATCH * (ascent.steps + 1)
        apart = float((latent_log_density(made) / twin_latent(model, windows) - 1).abs().max())
        print(
            f"filling, {preset}: {work / fast:.0f} windows x steps/s, the transcription {work / slow:.0f}: "
            f"{slow / fast:.1f} times as fast (goal 2); log p(z | x) differs by {apart:.0e} of its size"
        )
    model = HGVAE.random(replace(PRESETS["paper"]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    windows = torch.randn(800, 54, 50)
    missing = torch.rand(windows.shape) < 0.1
    fill_windows(model, windows, missing, PAPER_ASCENT._replace(steps=1), lambda x: model.score(x, "latent"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak, more = (n / 2**20 for n in (peak, peak - before))
    print(f"filling 800 windows at once, paper: peak memory {peak:.2f} GB ({more:.2f} more)")


if __name__ == "__main__":
    main()
