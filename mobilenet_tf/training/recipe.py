"""A recipe is data: everything about a training run but the network, data and seed."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Self

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.augmentation import ALTERNATING, Augmentation
from mobilenet_tf.training import fused_sgd

OPTIMIZERS = ("adamw", "sgd", "rmsprop")
SCHEDULES = ("cosine", "exponential")
_RANGES = (
    ("learning_rate", lambda value: value > 0, "> 0"),
    ("warmup_epochs", lambda value: value >= 0, ">= 0"),
    ("weight_decay", lambda value: value >= 0, ">= 0"),
    ("l2", lambda value: value >= 0, ">= 0"),
    ("label_smoothing", lambda value: 0 <= value < 1, "in [0, 1)"),
    ("min_area", lambda value: 0 < value <= 1, "in (0, 1]"),
    ("bn_momentum", lambda value: 0 < value < 1, "in (0, 1)"),
    ("central_fraction", lambda value: 0 < value <= 1, "in (0, 1]"),
    ("mixup", lambda value: value >= 0, ">= 0"),
    ("cutmix", lambda value: value >= 0, ">= 0"),
    ("ema_momentum", lambda value: 0 <= value < 1, "in [0, 1)"),
    ("depthwise_norm", lambda value: value >= 0, ">= 0"),
)
# Settings that came later are in the JSON form only where they are used: trials keep
# the keys that they had before.
_OPTIONAL = ("mixup", "cutmix", "ema_momentum", "depthwise_norm", "stratified")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Optimizer, schedule, length, regularisation and augmentation of a training run.

    Args:
        name: What the recipe is called on the command line and in the records.
        optimizer: "adamw", "sgd" (Nesterov momentum 0.9) or "rmsprop" (decay 0.9,
            momentum 0.9, epsilon 1).
        learning_rate: Peak learning rate for a batch of `batch_size`.
        schedule: "cosine" to zero after `warmup_epochs`, or "exponential": times 0.94
            in 40 equal steps, which is every 2.5 epochs in a run of 100.
        warmup_epochs: Epochs of linear warm-up from zero (cosine only).
        epochs: Passes over the training split.
        batch_size: Images in a step, over all replicas.
        weight_decay: Decoupled weight decay on all kernels; not on biases and batch
            normalisation.
        l2: L2 penalty in the loss on convolution and dense kernels, never on depthwise
            ones.
        label_smoothing: Share of the label spread over all classes, in [0, 1).
        min_area: Smallest random crop as a fraction of the image's area, in (0, 1].
        flip: True mirrors half of the crops at random; "alternating" shows each image
            as it is and mirrored in turn; False mirrors none.
        bn_momentum: Momentum of the moving batch statistics, in (0, 1).
        side_steps: Input sides of successive equal parts of the training, as fractions
            of the network's own; `(1.0,)` trains at the network's side throughout,
            and so is a network trained that flattens a feature map.
        central_fraction: The central part of the image that is evaluated.
        fit_classifier_first: Whether the classifier begins as the best one for the
            features that the network has, instead of as it is: for trained features
            and a fresh classifier, whose first gradients would spoil them. See
            `mobilenet_tf.training.linear_probe`.
        mixup: Blends pairs of images, and their labels, in shares of the distribution
            Beta(mixup, mixup) (arXiv 1710.09412); 0 does not.
        cutmix: Puts a part of one image into the other instead (arXiv 1905.04899). With
            both, each pair has one of the two. Both need a `batch_size` that is even.
        ema_momentum: Momentum, per step, of an exponential moving average of the
            weights, which replaces them in the end; 0 keeps the last weights. See
            `mobilenet_tf.training.averaging`.
        depthwise_norm: Norm that depthwise filters are scaled to before the training,
            without changing the network's outputs; 0 leaves them. It sets how fast they
            turn, see `mobilenet_tf.training.depthwise`.
        stratified: Whether each class is spread evenly over the batches of an epoch,
            instead of wherever the shuffling puts its images. For images in memory, or
            in files, that have one label each.
    """

    name: str
    optimizer: str
    learning_rate: float
    schedule: str
    warmup_epochs: float = 0.0
    epochs: int = 30
    batch_size: int = 64
    weight_decay: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0
    min_area: float = 0.35
    flip: bool | str = True
    bn_momentum: float = 0.99
    side_steps: tuple[float, ...] = (1.0,)
    central_fraction: float = 0.875
    fit_classifier_first: bool = False
    mixup: float = 0.0
    cutmix: float = 0.0
    ema_momentum: float = 0.0
    depthwise_norm: float = 0.0
    stratified: bool = False

    def __post_init__(self):
        arguments.one_of("optimizer", self.optimizer, OPTIMIZERS)
        arguments.one_of("schedule", self.schedule, SCHEDULES)
        arguments.integer("epochs", self.epochs)
        arguments.integer("batch_size", self.batch_size)
        for name, legal, text in _RANGES:
            arguments.number(name, getattr(self, name), legal, text)
        arguments.one_of("flip", self.flip, (True, False, ALTERNATING))
        arguments.one_of("stratified", self.stratified, (True, False))
        if self.augmentation.blends and self.batch_size % 2:
            raise ValueError(
                "batch_size must be even with mixup or cutmix, which blend pairs of "
                f"images, got {self.batch_size}"
            )
        steps = self.side_steps
        if not steps or steps[-1] != 1 or not all(0 < step <= 1 for step in steps):
            raise ValueError(
                f"side_steps must be in (0, 1] and end with 1.0, got {steps!r}"
            )

    def to_json(self) -> dict:
        """A JSON dictionary of all settings, as records hold it."""
        settings = {**dataclasses.asdict(self), "side_steps": list(self.side_steps)}
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in settings.items()
            if name not in _OPTIONAL or value
        }

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Self:
        """The recipe of such a dictionary; what it leaves out has its default."""
        steps = tuple(settings.get("side_steps", cls.side_steps))
        return cls(**{**settings, "side_steps": steps})

    def batch_of(self, images: int) -> int:
        """Images in a batch of a split of so many: all of a small one."""
        batch_size = min(self.batch_size, images)
        return batch_size - batch_size % 2 if self.augmentation.blends else batch_size

    @property
    def augmentation(self) -> Augmentation:
        """How the training images are augmented."""
        return Augmentation(self.min_area, self.flip, self.mixup, self.cutmix)

    def stages(self, side: int) -> list[tuple[int, int]]:
        """`(last epoch + 1, input side in pixels)` of each part of the training."""
        count = len(self.side_steps)
        ends = [round(self.epochs * (index + 1) / count) for index in range(count)]
        # The side that is evaluated is trained, however few epochs there are.
        ends = [*(min(end, self.epochs - 1) for end in ends[:-1]), ends[-1]]
        return [
            (end, round(side * step))
            for end, step in zip(ends, self.side_steps, strict=True)
        ]

    def build_optimizer(
        self, steps_per_epoch: int, framework: types.ModuleType = keras
    ) -> keras.optimizers.Optimizer:
        """The optimizer with its schedule over `epochs * steps_per_epoch`.

        Args:
            steps_per_epoch: Batches in an epoch.
            framework: `keras`, or `tf_keras`, which has the same optimizers.
        """
        optimizers = framework.optimizers
        steps = self.epochs * steps_per_epoch
        warmup_steps = round(self.warmup_epochs * steps_per_epoch)
        rate = self._schedule(optimizers.schedules, steps, warmup_steps)
        decay = self.weight_decay or None
        average: dict[str, Any] = {}
        if self.ema_momentum:
            average = {"use_ema": True, "ema_momentum": self.ema_momentum}
        if self.optimizer == "adamw":
            optimizer = optimizers.AdamW(
                rate, weight_decay=self.weight_decay, **average
            )
        elif self.optimizer == "sgd":
            sgd = fused_sgd.sgd if framework is keras else optimizers.SGD
            optimizer = sgd(
                rate, momentum=0.9, nesterov=True, weight_decay=decay, **average
            )
        else:
            optimizer = optimizers.RMSprop(
                rate,
                rho=0.9,
                momentum=0.9,
                epsilon=1.0,
                weight_decay=decay,
                **average,
            )
        if decay:
            optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        return optimizer

    def _schedule(self, schedules, steps, warmup_steps):
        if self.schedule == "exponential":
            return schedules.ExponentialDecay(
                self.learning_rate, max(1, steps // 40), 0.94, staircase=True
            )
        return schedules.CosineDecay(
            0.0 if warmup_steps else self.learning_rate,
            max(1, steps - warmup_steps),
            warmup_target=self.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
