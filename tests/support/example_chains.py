"""An example of every family and of every regime, for contracts over all of them."""

import numpy as np

import hayflick as hf
from hayflick.chains.resampler import Resampler
from hayflick.corpus.sentences import split_sentences

COUNTS = {f"word{rank}": 1 + 300 // rank for rank in range(1, 80)}
COUNTED = {
    "discrete": hf.Discrete.from_counts(COUNTS),
    "discrete, smoothed": hf.Discrete.from_counts(COUNTS, estimator=hf.AddDelta(0.1)),
    "discrete, known law": hf.Discrete.zipf_mandelbrot(60, exponent=1.1),
}
TRAINED = tuple(map(tuple, np.diag([1e-4, 1e-2, 1e-3, 0.0])))
TEXT = "The cat sat on the mat. The dog sat on the cat! A dog ran; the cat ran too. " * 6
FAMILIES = {
    **COUNTED,
    "discrete, a trained model": hf.Discrete.from_counts(COUNTS).with_estimator(
        Resampler(1.05, 1.2, 0.5, 0.01, TRAINED)
    ),
    "discrete, Good-Turing": hf.Discrete.from_counts(COUNTS).with_estimator(hf.GoodTuring()),
    "bernoulli": hf.Bernoulli(0.2),
    "poisson": hf.Poisson(1.0),
    "negative binomial": hf.NegativeBinomial(2.0, 0.7),
    "gaussian": hf.Gaussian(0.0, 1.0),
    "multivariate gaussian": hf.MultivariateGaussian(np.zeros(3), np.eye(3)),
    "symmetric mixture": hf.SymmetricMixture(1.0, 1.0),
    "n-gram": hf.NGram(split_sentences(TEXT), order=3),
}
STAGES = {
    "discrete": hf.Stages(
        sampler=hf.TopP(0.9), degradation=hf.LabelNoise(0.1), rounding=hf.Grid(bits=8)
    ),
    "discrete, a trained model": hf.Stages(sampler=hf.TopP(0.9), degradation=hf.LabelNoise(0.1)),
    "bernoulli": hf.Stages(degradation=hf.Contamination(0.2), real_weight=3.0),
    "poisson": hf.Stages(real_weight=2.0, rounding=hf.Grid(bits=4)),
    "negative binomial": hf.Stages(real_weight=2.0, rounding=hf.Grid(bits=4)),
    "gaussian": hf.Stages(degradation=hf.AdditiveNoise(0.5), selection=hf.Interval(-1.0, 2.0)),
    "multivariate gaussian": hf.Stages(degradation=hf.AdditiveNoise(0.5), rounding=hf.Grid(bits=6)),
    "symmetric mixture": hf.Stages(degradation=hf.AdditiveNoise(0.5), rounding=hf.Grid(bits=6)),
    "n-gram": hf.Stages(sampler=hf.Temperature(0.7), rounding=hf.Grid(bits=6)),
}
REGIMES = {
    "replace": hf.Replace(),
    "fresh": hf.Fresh(share=0.3),
    "periodic": hf.Periodic(share=0.3, every=2),
    "scheduled": hf.Scheduled(samples=(7, 100), fresh=(0, 10, 7)),
    "anchor": hf.Anchor.from_mapping({"word79": 2, "word5": 1}),
    "accumulate": hf.Accumulate(),
    "accumulate-subsample": hf.AccumulateSubsample(),
    "triggered": hf.Triggered(hf.Threshold(below=0.9, items=20)),
}
