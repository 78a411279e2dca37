"""Two toy systems that the loop must be able to carry: adversarial turns, and a phase that repeats until it is done."""

import torch
from torch import nn

from coterie.data import make_source
from coterie.training import Checkpointer, Fit, Phase, Runtime, Schedule, Streams, Turn, train

CONSTANT = Schedule(steps=1, shape="constant", optimiser="sgd", learning_rate=0.1, momentum=0.0)


class TwoPlayers(nn.Module):
    """A critic that maximises what a generator minimises."""

    def __init__(self):
        super().__init__()
        self.generator = nn.Linear(1, 1, bias=False)
        self.critic = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            self.generator.weight.fill_(1.0)
            self.critic.weight.fill_(0.0)


class TwoTurns:
    """Five critic steps to one of the generator, as an adversarial system takes them."""

    def __init__(self, steps=4):
        self.steps = steps
        self.seen = []

    def plan(self, fit):
        turns = (
            Turn("critic_terms", ("critic",), CONSTANT, repeat=5),
            Turn("generator_terms", ("generator",), CONSTANT),
        )
        return Phase("play", turns, self.steps, batch_size=4) if fit.clock.phase == 0 else None

    def enter(self, fit, phase):
        self.seen.append(phase.name)

    def finish(self, fit):
        self.finished = fit.clock.phase

    def critic_terms(self, fit, batch):
        self.seen.append(("critic", tuple(batch.index.tolist())))
        gap = fit.model.generator(batch.view).mean() - batch.x.mean()
        return {
            "critic": -(gap.detach() * fit.model.critic.weight).sum(),
            "size": fit.model.critic.weight.square().sum(),
        }

    def generator_terms(self, fit, batch):
        self.seen.append(("generator", tuple(batch.index.tolist())))
        return {"generator": (fit.model.critic.weight * fit.model.generator(batch.view)).mean()}


class Halver:
    """Merges clusters until two are left, training a little after each merge, as an agglomerative system does."""

    def __init__(self, first=16, steps=3):
        self.first, self.steps, self.seen = first, steps, []

    def plan(self, fit):
        left = int(fit.memory["left"]) if "left" in fit.memory else self.first
        if left <= 2:
            return None
        turn = Turn("terms", ("layer",), CONSTANT)
        return Phase(f"merge-{left}", (turn,), self.steps, batch_size=4)

    def enter(self, fit, phase):
        left = int(fit.memory["left"]) if "left" in fit.memory else self.first
        fit.memory["left"] = torch.tensor(left // 2)
        self.seen.append((phase.name, left // 2))

    def terms(self, fit, batch):
        return {"size": fit.model.layer(batch.view).square().mean()}

    def finish(self, fit):
        self.finished = fit.clock.phase


def halver_model():
    model = nn.Module()
    model.layer = nn.Linear(1, 1)
    with torch.no_grad():
        model.layer.weight.fill_(1.0)
        model.layer.bias.fill_(0.0)
    return model


def make_fit(model, n=20, seed=0, augment=None):
    source = make_source(torch.linspace(0, 1, n).reshape(-1, 1).numpy())
    return Fit(model, source, Streams(seed), Runtime(torch.device("cpu"), "float32"), augment)


def run(algorithm, fit, folder=None, **options):
    checkpointer = Checkpointer(folder, options.pop("every", 0.0), {"toy": type(algorithm).__name__})
    train(algorithm, fit, checkpointer=checkpointer, saved=checkpointer.read(), **options)
    return fit
