# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Notebook: from photographs to a LiteRT file
#
# A small sample from beginning to end: a folder of photographs, a network, its
# accuracy, an int8 file, and a prediction by that file, in a minute or two. It needs
# `pip install 'mobilenet_tf[export]'`.

# %%
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import mobilenet_tf as mt
from mobilenet_tf.data import rendering

# %% [markdown]
# ## A folder of photographs
#
# One folder for each class, with the name of the class. Set `PHOTOS` to your own
# folder; here it is filled with pictures of the data set that comes with the package,
# if there is none: fractals of four of its classes.

# %%
PHOTOS, SIDE, EPOCHS = Path("photos"), 56, 12

if not PHOTOS.exists():
    for index in range(480):
        label = index % 4
        pixels = rendering.render(label, np.random.default_rng(index))
        folder = PHOTOS / rendering.CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{index}.png")

data = mt.data.from_folder(PHOTOS, validation=0.2, base_resolution=SIDE)
print(data.describe())

# %% [markdown]
# ## A network
#
# `alpha` makes every layer narrower. With photographs of your own, begin with
# published weights: `SIDE = 128`, `weights="imagenet"`, and `"fine_tune"` as the
# recipe. The drawn pictures are unlike photographs, so here the network begins from
# nothing.

# %%
model = mt.build(alpha=0.25, base_resolution=SIDE, classes=data.classes)
print(mt.cost.parameters(model), "weights,", mt.cost.mult_adds(model), "mult-adds")

# %%
progress = mt.fit(model, data, "short", epochs=EPOCHS)

# %% [markdown]
# ## How good is it?
#
# Top-1 on photographs that were not trained on; precision and recall of each class;
# what is taken for what.

# %%
evaluation = mt.evaluate(model, data)
print(evaluation)
evaluation.save_confusion_matrix("confusion_matrix.png")

# %% [markdown]
# ## An int8 file
#
# The file is verified before it appears: the validation photographs go through the
# network and through the file.

# %%
report = mt.export.litert(model, "photos.tflite", "int8", data=data)
print(report)

# %% [markdown]
# ## A prediction by the file, as a device makes it

# %%
interpreter = Interpreter("photos.tflite")
interpreter.allocate_tensors()
(image,) = interpreter.get_input_details()
(scores,) = interpreter.get_output_details()
path = mt.data.image_files(PHOTOS)[0]
photograph = Image.open(path).convert("RGB").resize((SIDE, SIDE))
interpreter.set_tensor(image["index"], np.asarray(photograph)[None])
interpreter.invoke()
probabilities = interpreter.get_tensor(scores["index"])[0]
best = probabilities.argmax()
print(f"{path}: {data.class_names[best]}, {100 * probabilities[best]:.0f} %")

# %% [markdown]
# ## Further
#
# [Fine-tune](../fine_tune.md) says what to change where the accuracy is not enough,
# [compress](../compress.md) how to make the network smaller still, and
# [export and deploy](../export.md) which file suits which processor.
