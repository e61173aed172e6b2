"""What users write against the package's types, for mypy to read; nothing of it is run

Policies, arrivals, features and networks of their own, a log's sources, and each call of the README and the tutorials."""
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from edgeml_dqn.acting import Acting
from edgeml_dqn.all import (
    IID, BeliefPolicy, CausalOracle, History, LearnedFilter, LocationReset, LowerBound, MarkovModulated, Perceptron, Periodic, Planned,
    Settings, Source, TokenBucket, acting_policy, baseline, clairvoyant, comparison, kept_policy, learn_outlook, make_problem,
    make_validation, mdp, populations, read_data, simulate, strong, train, weak)
from edgeml_dqn.board import TensorBoard
from edgeml_dqn.policies import Policy
from edgeml_dqn.sequences import Sequences
from edgeml_dqn.training import State


@dataclass(frozen=True)
class Greedy:
    "Sends whatever it has a token for"
    bucket: TokenBucket
    name: str = "Greedy"

    def prices(self, sequences: Sequences, stream: int) -> Iterator[np.ndarray]:
        yield np.zeros((1, self.bucket.levels))


class Rewards:
    "Prints the learning curve"
    def on_score(self, state: State) -> None: print(state.scores[-1].validation.mean())


class Named:
    "Whose name and bucket are worked out"
    @property
    def name(self) -> str: return "Named"

    @property
    def bucket(self) -> TokenBucket: return TokenBucket("1/3", 2)

    def prices(self, sequences: Sequences, stream: int) -> Iterator[np.ndarray]:
        yield np.zeros((1, self.bucket.levels))


@dataclass(frozen=True)
class LastMetric:
    "The metric at hand, and nothing else"
    shapes = {"last": (1,)}
    warmup = 0
    observes_intervals = False

    def start(self, streams: int) -> None: return None

    def __call__(self, scaled: np.ndarray, intervals: np.ndarray, memory: Any) -> tuple[dict[str, np.ndarray], Any]:
        return {"last": scaled[..., None].astype(np.float32)}, None


def network(inputs: dict[str, Any]) -> Any:
    "Of a user's own"
    return inputs["last"]


def keep(seen: dict[str, np.ndarray]) -> np.ndarray:
    "No image is sent"
    return np.zeros(len(seen["tokens"]), int)


def pair(seen: dict[str, np.ndarray]) -> tuple[np.ndarray, None]:
    "As Stable-Baselines3 answers"
    return keep(seen), None


images, unseen = populations(read_data("ilsvrc"))
buckets = [TokenBucket(rate=.1, depth=4), TokenBucket("1/3", 2), TokenBucket(Fraction(1, 10), Fraction(7, 2))]
bucket = buckets[0]
sources = [Source(images, LocationReset(.1, .1)), Source(images, IID, MarkovModulated((1, 3), (.001, .0005))), Source(images, IID, Periodic())]
source = sources[0]
outlook = learn_outlook(source, 0)
streams = source.sample(20, 10_000, 1)
oracle = CausalOracle(source, bucket)
policies: list[Policy] = [
    weak(), strong(), baseline(images, bucket), mdp(images, bucket), LowerBound(bucket), Planned(outlook, bucket), BeliefPolicy(oracle),
    Greedy(bucket), Named(), Acting(keep, bucket, History(1)), Acting(pair, bucket, LastMetric(), "kept")]
table = comparison([simulate(policy, streams) for policy in policies], simulate(oracle, streams), clairvoyant(streams, bucket))
problems = [
    make_problem(source, bucket),
    make_problem(source, bucket, History(32, 8), Settings(seed=1), Perceptron((32, 32)), "sgd"),
    make_problem(source, bucket, LastMetric(), network=network),
    make_problem(source, bucket, LearnedFilter(outlook.metric, outlook.arrival))]
state = train(problems[0], 100, validation=make_validation(problems[0]), callbacks=[Rewards(), TensorBoard("board")])
learned: list[Policy] = [acting_policy(state.learner, problems[0]), kept_policy(state, problems[0])]
