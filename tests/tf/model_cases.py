# SPDX-License-Identifier: MIT
"""Small Keras networks with random weights, frozen by TensorFlow as its users freeze theirs."""

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

keras, layers = tf.keras, tf.keras.layers


def frozen(model, inputs, batch=None):
    """The graph of model(inputs) with the batch left open unless `batch` says otherwise, and its results."""
    signature = [tf.TensorSpec([batch, *v.shape[1:]], v.dtype, name=k) for k, v in inputs.items()]
    function = tf.function(lambda *x: model(x[0] if len(x) == 1 else list(x), training=False)).get_concrete_function(*signature)
    constant = convert_variables_to_constants_v2(function)
    results = constant(*(tf.constant(v) for v in inputs.values()))
    results = results if isinstance(results, (list, tuple)) else [results]
    names = [t.name.split(":")[0] for t in constant.outputs]
    return constant.graph.as_graph_def().SerializeToString(), inputs, {k: np.asarray(v) for k, v in zip(names, results)}


def randomise(model):
    """Weights and statistics that are neither zero nor one."""
    rng = np.random.default_rng(3)
    for w in model.weights:
        spread = 0.5 if len(w.shape) < 2 else 1.0 / np.sqrt(np.prod(w.shape[:-1]))
        value = rng.normal(0, spread, w.shape)
        if "variance" in w.path or "gamma" in w.path:
            value = 0.5 + np.abs(value)
        w.assign(value.astype(np.float32))
    return model


def mobile_net():
    def block(x, channels, stride, expand):
        y = layers.Conv2D(x.shape[-1] * expand, 1, use_bias=False)(x)
        y = layers.ReLU(6)(layers.BatchNormalization()(y))
        if stride == 2:
            y = layers.ZeroPadding2D(((0, 1), (0, 1)))(y)
        y = layers.DepthwiseConv2D(3, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False)(y)
        y = layers.Activation("hard_swish")(layers.BatchNormalization()(y))
        scale = layers.GlobalAveragePooling2D(keepdims=True)(y)
        scale = layers.Conv2D(y.shape[-1], 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(scale))
        y = layers.BatchNormalization()(layers.Conv2D(channels, 1, use_bias=False)(layers.Multiply()([y, scale])))
        return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == channels else y

    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.ReLU(6)(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)))
    for channels, stride in ((8, 1), (12, 2), (12, 1)):
        x = block(x, channels, stride, 2)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def u_net():
    image = keras.Input((16, 24, 3))
    a = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    b = layers.Conv2D(8, 3, padding="same", activation="elu")(layers.MaxPooling2D()(a))
    c = layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation="selu")(layers.AveragePooling2D(2)(b))
    up = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="leaky_relu")(c)
    x = layers.Concatenate()([up, b])
    x = layers.UpSampling2D(interpolation="bilinear")(layers.SeparableConv2D(6, 3, padding="same")(x))
    x = layers.Concatenate()([x, a])
    return keras.Model(image, layers.Conv2D(2, 1, activation="sigmoid")(layers.UpSampling2D()(x)))


def transformer():
    tokens = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 16)(tokens)
    x = x + layers.Embedding(12, 16)(tf.range(12))
    mask = keras.ops.expand_dims(keras.ops.not_equal(tokens, 0), 1)
    for _ in range(2):
        attention = layers.MultiHeadAttention(2, 8)(x, x, attention_mask=mask)
        x = layers.LayerNormalization(epsilon=1e-6)(x + attention)
        y = layers.Dense(16)(layers.Dense(32, activation="gelu")(x))
        x = layers.LayerNormalization(epsilon=1e-6)(x + y)
    return keras.Model(tokens, [layers.Dense(5)(x), layers.Dense(3, activation="tanh")(x[:, 0])])


def recurrent(cell, unroll):
    x = keras.Input((7, 5))
    y = layers.Bidirectional(cell(6, unroll=unroll, return_sequences=True))(x)
    return keras.Model(x, layers.Dense(4)(cell(5, unroll=unroll, go_backwards=True)(y)))


def text_cnn():
    tokens = keras.Input((20,), dtype="int32")
    x = layers.Embedding(30, 8)(tokens)
    parts = [layers.GlobalMaxPooling1D()(layers.Conv1D(6, k, activation="relu")(x)) for k in (2, 3, 4)]
    x = layers.Concatenate()([*parts, layers.Flatten()(layers.ZeroPadding1D(1)(layers.AveragePooling1D(4)(x)))])
    return keras.Model(tokens, layers.Dense(3, activation="log_softmax")(x))


def volume():
    x = keras.Input((6, 8, 8, 2))
    y = layers.MaxPooling3D(2)(layers.Conv3D(4, 3, padding="same", activation="softplus")(x))
    return keras.Model(x, layers.Conv3DTranspose(2, 2, strides=2)(layers.GroupNormalization(2)(y)))


def model_cases():
    rng = np.random.default_rng(5)
    real = lambda *d: rng.normal(0, 1, d).astype(np.float32)
    image = rng.uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    words = rng.integers(1, 30, (1, 20)).astype(np.int32)
    tokens = rng.integers(1, 50, (2, 12)).astype(np.int32)
    tokens[:, 9:] = 0
    sequence = real(2, 7, 5)
    for name, build, inputs, batch in (
        ("mobile_net", mobile_net, dict(image=image), None),
        ("u_net", u_net, dict(image=real(1, 16, 24, 3)), None),
        ("transformer", transformer, dict(tokens=tokens), 2),
        ("text_cnn", text_cnn, dict(tokens=words), None),
        ("volume", volume, dict(x=real(1, 6, 8, 8, 2)), None),
        ("lstm_unrolled", lambda: recurrent(layers.LSTM, True), dict(x=sequence), 2),
        ("gru_unrolled", lambda: recurrent(layers.GRU, True), dict(x=sequence), 2),
        ("lstm_loop", lambda: recurrent(layers.LSTM, False), dict(x=sequence), 2),
        ("gru_loop", lambda: recurrent(layers.GRU, False), dict(x=sequence[:1]), None),
    ):
        keras.utils.set_random_seed(1)
        yield name, frozen(randomise(build()), inputs, batch)
