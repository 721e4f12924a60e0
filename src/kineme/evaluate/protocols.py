"""The tables that `kineme evaluate` can make, by name."""

from __future__ import annotations

#: name -> (module with `Request`, `run` and `TABLES`, what it measures)
PROTOCOLS: dict[str, tuple[str, str]] = {
    "discovery": (
        "kineme.evaluate.discovery",
        "boundaries, label agreement, purity and probes of atoms and motifs, against their baselines",
    ),
    "ablation": (
        "kineme.evaluate.ablation",
        "what each part of A4Mer is worth: the paper's ablation, on one budget",
    ),
    "prediction": (
        "kineme.evaluate.prediction",
        "how motion goes on, 0.4 to 4 s ahead, against direct networks and retrieval",
    ),
    "interpolation": (
        "kineme.evaluate.interpolation",
        "gaps of 0.5 to 4 s filled, against interpolation and a direct Transformer",
    ),
    "prediction-cmu": (
        "kineme.evaluate.prediction_cmu",
        "the CMU-mocap benchmark of prediction, its five complete actions, in its own protocol",
    ),
    "recognition": (
        "kineme.evaluate.recognition",
        "classes of frames from few and many labels, by tokens and by networks trained on poses",
    ),
    "search": (
        "kineme.evaluate.search",
        "whether changed copies of a stretch are found among real takes, and how quickly",
    ),
    "hgvae-imputation": (
        "kineme.evaluate.hgvae_imputation",
        "scattered features hidden, from one to all, and filled (HG-VAE, Figures 4, 7 and 8)",
    ),
    "hgvae-gaps": (
        "kineme.evaluate.hgvae_gaps",
        "joints hidden over stretches of time, and filled; intervals",
    ),
    "hgvae-ood": (
        "kineme.evaluate.hgvae_ood",
        "clean motion told from damaged and foreign motion (HG-VAE, Figures 1 and 7)",
    ),
    "hgvae-downstream": (
        "kineme.evaluate.hgvae_downstream",
        "predictors that are given occluded motion, filled in different ways (HG-VAE, Figure 5)",
    ),
    "hgvae-depth": (
        "kineme.evaluate.hgvae_depth",
        "likelihood and divergence with 1 to 16 stochastic levels (HG-VAE, Table 1)",
    ),
    "hgvae-conditional": (
        "kineme.evaluate.hgvae_conditional",
        "samples of a class, and the map of the top latent (HG-VAE, Figures 3, 6 and 9)",
    ),
    "compose": (
        "kineme.evaluate.compose",
        "two actions at once, made of single ones, against their baselines and ablations (Tables 1 and A.1)",
    ),
}
