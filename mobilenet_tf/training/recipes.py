"""The recipes by name, and where each setting comes from."""

import dataclasses

from mobilenet_tf import arguments
from mobilenet_tf.training.recipe import Recipe

# The paper gives the optimizer (RMSprop), no label smoothing, little augmentation and
# no weight decay on depthwise filters. The rest completes it:
# Deviation: learning rate, its decay and the L2 penalty (4e-5 / 2, Keras' L2 has no
#   factor 1/2) are those of the authors' released training script.
# Deviation: RMSprop's decay, momentum and epsilon are those of Inception V3, to whose
#   training the paper compares its own.
# Deviation: the rate falls in 40 steps over the run, as in 100 epochs of the script.
# Deviation: batch-norm momentum 0.99; the script's 0.9997 needs 10,000s of steps.
# Deviation: crops of at least half the image, mirrored or not; the paper says only that
#   small crops are limited.
# Deviation: 30 epochs of batches of 64; the paper gives neither.
PAPER = Recipe(
    name="paper",
    optimizer="rmsprop",
    learning_rate=0.045,
    schedule="exponential",
    epochs=30,
    batch_size=64,
    l2=2e-5,
    min_area=0.5,
    bn_momentum=0.99,
)

# The best of the recipes tried at equal epochs: SGD over AdamW, a high rate, and
# growing sides, which cost a third less than the full side at the same accuracy.
MODERN = Recipe(
    name="modern",
    optimizer="sgd",
    learning_rate=0.2,
    schedule="cosine",
    warmup_epochs=2,
    epochs=30,
    batch_size=64,
    weight_decay=2.5e-3,
    label_smoothing=0.1,
    min_area=0.35,
    bn_momentum=0.9,
    side_steps=(4 / 7, 5 / 7, 6 / 7, 1.0),
)

# For SqueezeNet, which has no normalisation and does not learn at `modern`'s rates. At
# twice the rate wide squeeze layers learn more slowly in the first epochs.
PLAIN = Recipe(
    name="plain",
    optimizer="adamw",
    learning_rate=5e-4,
    schedule="cosine",
    warmup_epochs=2,
    epochs=20,
    batch_size=64,
    weight_decay=0.05,
    label_smoothing=0.1,
    min_area=0.35,
    bn_momentum=0.9,
    side_steps=(4 / 7, 5 / 7, 6 / 7, 1.0),
)

# For tables that hold networks with and without normalisation, or pre-trained ones next
# to fresh ones: the rate at which both learn.
GENTLE = dataclasses.replace(MODERN, name="gentle", learning_rate=0.02, epochs=20)

# For several times as many images, which a few epochs must do for: neither time to warm
# up and to grow the sides in, nor a need of small crops against learning by heart.
FEW_EPOCHS = dataclasses.replace(
    MODERN,
    name="few_epochs",
    epochs=8,
    warmup_epochs=0.5,
    min_area=0.7,
    side_steps=(1.0,),
)

# For the embedded data set: what learns it in the minutes of `make reproduce`. The
# pictures have one scale, so all of each is seen, and mirrored ones are of no class.
# What the other settings are worth: `python -m benchmarks.short_recipe`.
SHORT = Recipe(
    name="short",
    optimizer="sgd",
    learning_rate=0.1,
    schedule="cosine",
    warmup_epochs=1,
    epochs=4,
    batch_size=32,
    weight_decay=1e-3,
    min_area=1.0,
    flip=False,
    bn_momentum=0.9,
    central_fraction=1.0,
    depthwise_norm=3.0,
    stratified=True,
)

# For trained networks and few images (`python -m benchmarks.fine_tuning`): the
# classifier is fitted to the features, then all layers learn slowly. At a rate of 0.01,
# ten images a class of tinyimagenet100 ended below what the fitted classifier alone had
# reached (one seed).
FINE_TUNE = Recipe(
    name="fine_tune",
    optimizer="sgd",
    learning_rate=0.003,
    schedule="cosine",
    warmup_epochs=1,
    epochs=20,
    batch_size=32,
    weight_decay=1e-3,
    label_smoothing=0.1,
    min_area=0.35,
    bn_momentum=0.9,
    fit_classifier_first=True,
)

# For a trained network that is being compressed: a tenth of the rate it began with.
COMPRESS = Recipe(
    name="compress",
    optimizer="sgd",
    learning_rate=0.02,
    schedule="cosine",
    epochs=6,
    batch_size=64,
    weight_decay=2.5e-3,
    label_smoothing=0.1,
    min_area=0.35,
    bn_momentum=0.9,
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        PAPER,
        MODERN,
        PLAIN,
        GENTLE,
        FEW_EPOCHS,
        SHORT,
        FINE_TUNE,
        COMPRESS,
    )
}


def named(recipe: Recipe | str, epochs: int | None = None) -> Recipe:
    """A recipe by name, or as it is; with another number of epochs if given.

    Raises:
        ValueError: There is no such recipe.
    """
    if isinstance(recipe, str):
        arguments.one_of("recipe", recipe, RECIPES)
        recipe = RECIPES[recipe]
    arguments.instance("recipe", recipe, Recipe)
    return recipe if epochs is None else dataclasses.replace(recipe, epochs=epochs)
