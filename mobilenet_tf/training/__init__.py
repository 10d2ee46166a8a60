"""Training and evaluating classifiers: recipes, distillation, batch normalisation."""

from mobilenet_tf.training.classifier import fit
from mobilenet_tf.training.distillation import distil
from mobilenet_tf.training.evaluation import evaluate
from mobilenet_tf.training.measures import Evaluation
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.prediction import Prediction, predict
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import RECIPES

__all__ = [
    "RECIPES",
    "Evaluation",
    "Prediction",
    "Recipe",
    "distil",
    "evaluate",
    "fit",
    "predict",
    "recalibrate_batch_norm",
]
