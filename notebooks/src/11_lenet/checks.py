"""Checks of lesson 11: shapes, diagnoses, evaluating, training, top k."""

import contextlib
import functools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from exercises import (
    Rejection,
    exercise,
    labelled,
    says,
    table,
    variations,
)
from exercises.compare import difference
from exercises.judge import finish
from exercises.properties import without
from helpers import data


class LeNet(nn.Module):
    """The lesson's model."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):  # (B, 1, 28, 28)
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (B, 6, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (B, 16, 4, 4)
        x = torch.flatten(x, 1)  # (B, 256)
        x = F.relu(self.fc1(x))  # (B, 120)
        x = F.relu(self.fc2(x))  # (B, 84)
        return self.fc3(x)  # (B, 10)


class Batches:
    """The lesson's loader."""

    def __init__(self, x, y, batch_size, shuffle=False):
        self.x, self.y = x, y
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self):
        return -(-len(self.x) // self.batch_size)  # rounded up

    def __iter__(self):
        make = torch.randperm if self.shuffle else torch.arange
        for rows in make(len(self.x)).split(self.batch_size):
            yield self.x[rows], self.y[rows]  # (B, 1, 28, 28), (B,)


def train(loader, model, loss_fn, optimizer):
    """One epoch, as in the lesson."""
    for x, y in loader:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def seeded(rng):
    """Start torch's random numbers, for new parameters, from rng's."""
    torch.manual_seed(int(torch.randint(10_000, (), generator=rng)))


# --- 1. the shape after each step --------------------------------------------


def lenet_shapes(B, height, width):
    h1, w1 = height - 4, width - 4
    h2, w2 = h1 // 2, w1 // 2
    h3, w3 = h2 - 4, w2 - 4
    h4, w4 = h3 // 2, w3 // 2
    return [
        (B, 6, h1, w1),
        (B, 6, h2, w2),
        (B, 16, h3, w3),
        (B, 16, h4, w4),
        (B, 16 * h4 * w4),
    ]


def shapes_of_layers(B, height, width):
    x, shapes = torch.zeros(B, 1, height, width), []
    for layer in (
        *(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.Flatten()),
    ):
        x = layer(x)
        shapes.append(tuple(x.shape))
    return shapes


STEPS = ("conv1", "第一次池化", "conv2", "第二次池化", "展平")
STEPS_EN = ("conv1", "pooling 1", "conv2", "pooling 2", "flattening")


def by_step(got, want):
    """Like the usual comparison, but a wrong number is told by its step."""
    found = difference(got, want)
    if not found:
        return
    with contextlib.suppress(TypeError, ValueError):
        for i, (mine, due) in enumerate(zip(got, want, strict=True)):
            for j, (a, b) in enumerate(zip(mine, due, strict=True)):
                if type(a) is int and a != b:
                    raise Rejection(
                        f"{STEPS[i]}之后，轴 {j} 应为 {b}，得到 {a}。",
                        f"After {STEPS_EN[i]}, axis {j} should be {b}, got "
                        f"{a}.",
                    )
    raise Rejection(*finish(found))


def image_sizes(rng):
    for low in (16, 24, 40):  # sides of 16 at least, as the text says
        sides = (low + torch.randperm(12, generator=rng)[:2]).tolist()
        yield int(torch.randint(2, 10, (), generator=rng)), *sides
    yield 1, 17, 16
    yield 30, 30, 30
    yield 3, 40, 40
    yield 2, 16, 16
    yield 5, 64, 90


lenet_shapes = exercise(
    lenet_shapes,
    image_sizes,
    oracle=shapes_of_layers,
    compare=by_step,
    holds=[
        without(
            "conv1d conv2d max_pool2d avg_pool2d unfold flatten",
            "你的代码运行了模型的层：这里只用算术。",
            "Your code runs layers of a model: here, only calculate.",
        ),
    ],
    wrong="""
 - 4 =>
你让卷积保持了图像大小。没有填充时，5×5 的核放不满每一行、每一列。
Your convolutions keep the size of the image. Without padding, a 5×5 kernel
does not have a place at every pixel.

- 4 => - 5
你从每条边减去了 5：数一数，大小为 5 的核在长 6 的边上有几个位置？
You take 5 off each side: how many places has a kernel of size 5 along a side
of 6? Count them.

h1 // 2, w1 // 2 => -(-h1 // 2), -(-w1 // 2)
h3 // 2, w3 // 2 => -(-h3 // 2), -(-w3 // 2)
池化遇到奇数时向下取整（去掉最后一行），你向上取整了。
Pooling rounds an odd size down (the last row is dropped); you round up.

(B, 16 * h4 * w4) => (B * 16 * h4 * w4,)
展平时批次轴也被并进去了：torch.flatten(x, 1) 保留 B。
Flattening has swallowed the batch axis: torch.flatten(x, 1) keeps B.

16 * h4 * w4 => 256
最后的 256 只对 28 到 31 像素的图像成立。
The 256 at the end holds only for images of 28 to 31 pixels.

height - 4, width - 4 => height, width
你给 conv1 加了填充 2，那是常见教程里的 LeNet；讲义的没有填充。
You pad by 2 in conv1, as the LeNet of many tutorials does; the lecture's has
no padding.

16 * h4 * w4 => 16 * h3 * w3
你展平的是 conv2 的输出，应在第二次池化之后展平。
You flatten the output of conv2; flatten after the second pooling.

16 * h4 * w4 => h4 * w4
展平时漏了通道：16 张特征图都要接进这一行。
Flattening has lost the channels: all 16 maps go into the row.

return right(B, width, height)
高和宽颠倒了：轴的顺序是 (B, C, 高, 宽)。
Height and width are swapped: the order of the axes is (B, C, height, width).

*maps, flat = right(B, height, width)
return [(b, h, w, c) for b, c, h, w in maps] + [flat]
通道放在了最后。PyTorch 的顺序是 (B, C, 高, 宽)。
The channels stand last. PyTorch's order is (B, C, height, width).
""",
)


# --- 2. a forward for images of any size -------------------------------------


def safe_forward(model, x):
    if min(x.shape[2:]) < 16:
        raise ValueError(f"sides must be 16 at least, got {tuple(x.shape)}")
    x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    x = F.max_pool2d(F.relu(model.conv2(x)), 2)
    x = torch.flatten(x, 1)  # (B, 16, h, w) -> (B, 16 * h * w)
    if x.shape[1] != model.fc1.in_features:
        raise ValueError(f"expected 256 features, got {x.shape[1]}")
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


ODD_SIZES = (
    *((5, 8, 8), (16, 32, 32), (16, 28, 32), (16, 32, 28), (2, 30, 15)),
    *((2, 15, 30), (1, 44, 44), (4, 60, 17), (2, 27, 27), (3, 20, 44)),
)


def images(rng):
    def model(dtype):
        seeded(rng)
        lenet = LeNet().to(dtype)
        lenet.label = "LeNet()"  # what a verdict calls it
        return lenet

    for s in variations(rng, "B", high=5):
        h, w = (28 + torch.randperm(4, generator=rng)[:2]).tolist()
        s.update(C=1, h=h, w=w)  # 28 to 31, as the text says
        yield model(s.dtype), s.normal("B C h w")
    for shape in [(3, 28, 28), (70, 28, 28), *ODD_SIZES]:
        x = torch.randn(shape, generator=rng, dtype=torch.float64)
        yield model(x.dtype), x[:, None]


def at_any_size(answer):
    """The answer; at odd sizes one text for all that is allowed there."""

    def forward(model, x):
        if all(28 <= side <= 31 for side in x.shape[2:]):
            try:
                return answer(model, x)
            except (ValueError, AssertionError) as error:
                size = "×".join(map(str, x.shape[2:]))
                raise Rejection(
                    f"{size} 的图像也得到 4×4 的特征图，应照常返回 logits，"
                    f"你却抛出了 {type(error).__name__}。",
                    f"Images of {size} give maps of 4×4 too and should return "
                    f"logits, but {type(error).__name__} is raised.",
                ) from error
        with contextlib.suppress(ValueError):
            rows = rows_at_odd_size(answer, model, x)
            if len(x) > 1 and torch.allclose(rows[0], rows[1], 0, 0, True):
                raise Rejection(
                    "这个尺寸的不同图像得到了一样的行：凑出来的答案比报错更糟。",
                    "Different images of this size get the same row: a "
                    "made-up answer is worse than an error.",
                )
            alone = [rows_at_odd_size(answer, model, i[None]) for i in x]
            if not torch.allclose(rows, torch.cat(alone), atol=1e-6):
                raise Rejection(
                    "这个尺寸的图像单独送进去和放在一批里，得到的行不同："
                    "每行应只由自己那张图像算出。",
                    "Images of this size by themselves and in a batch get "
                    "different rows: each should be computed from its own "
                    "image alone.",
                )
        return "ValueError, or a row from each image"

    return forward


def rows_at_odd_size(answer, model, x):
    """The answer's rows, one an image; raises ValueError or Rejection."""
    size = " × ".join(map(str, x.shape[2:]))
    try:
        rows = answer(model, x)
    except ValueError:
        raise
    except AssertionError as error:
        raise Rejection(
            f"{size} 的图像引出了 AssertionError，它不是 ValueError，而且 "
            "python -O 会跳过 assert。",
            f"Images of {size} end in an AssertionError, which is no "
            "ValueError, and python -O skips assert.",
        ) from error
    except Exception as error:
        name = type(error).__name__
        raise Rejection(
            f"高 × 宽为 {size} 的图像引出了 {name}，它不是 ValueError。",
            f"Images of {size} (height × width) end in {name}, which is no "
            "ValueError.",
        ) from error
    if not isinstance(rows, torch.Tensor):
        raise Rejection(
            "这个尺寸返回的不是张量：错误要抛出来，不是返回。",
            "For this size something else than a tensor is returned: errors "
            "are raised, not returned.",
        )
    if rows.shape != (len(x), 10):
        raise Rejection(
            f"这个尺寸的图像有 {len(x)} 张，结果的形状应为 {(len(x), 10)}，"
            f"得到 {tuple(rows.shape)}。",
            f"The shape of the result should be {(len(x), 10)}, a row for "
            f"each image of this size, and is {tuple(rows.shape)}.",
        )
    return rows


@says(
    "模型训练不了：有的参数得不到梯度，计算图断了（no_grad、detach、data，或用了"
    "模型的副本）。",
    "The model cannot be trained: some parameters get no gradient, since the "
    "graph is cut (no_grad, detach, data, or a copy of the model).",
)
def trainable(f, model, x):
    if max(x.shape[2:]) > 31 or min(x.shape[2:]) < 28:
        return True
    logits, parameters = f(model, x), list(model.parameters())
    return logits.requires_grad and None not in torch.autograd.grad(
        logits.sum(), parameters, allow_unused=True
    )


safe_forward = exercise(
    safe_forward,
    images,
    adapt=at_any_size,
    holds=[trainable],
    wrong="""
if min(x.shape[2:]) < 16: => if False:
torch.flatten(x, 1) => x.view(-1, 256)
view(-1, 256) 让批次大小去迁就形状：16 张 32×32 的图像变成了 25 行。
view(-1, 256) lets the batch size give way: 16 images of 32×32 become 25 rows.

if min(x.shape[2:]) < 16: => if False:
if x.shape[1] != model.fc1.in_features: => if False:
批次不再乱了，但大小不对时，出来的是 RuntimeError，不是 ValueError。
The batch is safe now, but a wrong size ends in a RuntimeError, which is no
ValueError.

if min(x.shape[2:]) < 28 or max(x.shape[2:]) > 32:
    raise ValueError("sides must be 28 to 32")
return model(x)
32 像素已经太大：特征图变成 5×5。只有 28 到 31 像素得到 4×4。
32 pixels are too many: the maps become 5×5. Only 28 to 31 pixels give 4×4.

if not 28 <= x.shape[2] <= 31:
    raise ValueError("height must be 28 to 31")
return model(x)
你只检查了高，没有检查宽：28 × 32 的图像仍然出错。
You test the height and not the width: images of 28 × 32 still go wrong.

if not 28 <= x.shape[3] <= 31:
    raise ValueError("width must be 28 to 31")
return model(x)
你只检查了宽，没有检查高：32 × 28 的图像仍然出错。
You test the width and not the height: images of 32 × 28 still go wrong.

if x.shape[2:] != (28, 28):
    raise ValueError("x must be 28×28")
return model(x)
29 到 31 像素的图像也得到 4×4 的特征图，它们应当照常工作。
Images of 29 to 31 pixels give maps of 4×4 as well; they should work as before.

F.relu(model.fc2(F.relu(model.fc1(x)))) => model.fc2(model.fc1(x))
fc1 和 fc2 之后漏了 ReLU：三个线性层合起来只是一个线性层。
The ReLUs after fc1 and fc2 are missing: three linear layers are then a single
one.

F.relu(model.conv1(x)) => model.conv1(x)
F.relu(model.conv2(x)) => model.conv2(x)
两个卷积之后漏了 ReLU。
The ReLUs after the convolutions are missing.

return F.relu(right(model, x))
最后多了一个 ReLU：logits 可以是负的。
There is a ReLU too many at the end: logits may be negative.

return right(model, x).softmax(1)
返回的是概率，不是 logits：交叉熵里已经有一个 softmax。
You return probabilities, not logits: cross-entropy has a softmax inside.
""",
)


# --- 3. what went wrong in three trainings -----------------------------------


causes = {"A": 3, "B": 2, "C": 4}

AGAINST = {
    1: (
        "学习率小了一千倍时，参数几乎不动：看看它的参数走了多远（moved）。",
        "With a learning rate a thousand times too small, parameters hardly "
        "move: see how far they went (moved).",
    ),
    2: (
        "不清零时，每一步的梯度都加在旧的上面，.grad 会远远超过灰线："
        "看看下排的曲线。",
        "Without clearing, each step's gradient is added to the old ones, and "
        ".grad goes far above the grey line: see the lower curves.",
    ),
    3: (
        "多做一次 softmax 时，损失低不过 1.461：看看它的损失到过多低。",
        "With a second softmax the loss cannot fall below 1.461: see how low "
        "its loss has been.",
    ),
    4: (
        "图像和类别对不上时，连训练图像也读不对，参数却照样走：看看它的训练"
        "准确率和 moved。",
        "When images and classes do not belong together, even the training "
        "images are read wrong, while parameters move as usual: see its "
        "training accuracy and moved.",
    ),
    5: (
        "step 拿不到梯度时，参数一点也不动：看看它的参数走了多远（moved）。",
        "Where step finds no gradient, parameters do not move at all: see how "
        "far they went (moved).",
    ),
    6: (
        "最后多一个 ReLU 时，有几类读不出来，别的类仍然读得对，.grad 也不会"
        "一路变长：看看它的准确率和下排的曲线。",
        "With a ReLU after the last layer some classes are never read, the "
        "others are read right, and .grad does not grow all the way: see its "
        "accuracy and the lower curves.",
    ),
}


def against(training, told, due):
    """What speaks against a wrong cause."""
    return AGAINST.get(
        told if type(told) is int else None,
        (
            "要一个 1 到 6 的整数。",
            "An integer from 1 to 6 is asked for.",
        ),
    )


causes = exercise(
    causes,
    **table(causes, None, against),
    name="causes",
    wrong="""
{"A": 2, "B": 3, "C": 4}
A 和 B 对调了：哪一个的损失一直在 1.461 以上，哪一个的 .grad 越来越长？
A and B are swapped: which loss stays above 1.461, and whose .grad grows?

{"A": 3, "B": 4, "C": 2}
B 和 C 对调了：哪一个的 .grad 一路变长，哪一个什么也没学到？
B and C are swapped: whose .grad grows all the way, and which one has learned
nothing?

{"A": 3, "B": 2, "C": 1}
C 的损失停在起点，但它的参数走了很远（看 moved）：步子小一千倍时走不了这么远。
The loss of C stays where it began, but its parameters moved far (see moved):
with steps a thousand times smaller they could not.

{"A": 3, "B": 2, "C": 5}
C 的参数在动，所以 step 拿到了梯度：错在这些梯度教它的东西。
The parameters of C move, so step does find gradients: what is wrong is what
these gradients teach.
""",
)


# --- 4. evaluation, weighted by samples --------------------------------------


@torch.no_grad()
def weighted_evaluate(loader, model, loss_fn):
    was_training = model.training
    model.eval()
    total = correct = count = 0
    for x, y in loader:
        logits = model(x)  # (B, 10)
        total += loss_fn(logits, y).item() * len(x)
        correct += (logits.argmax(1) == y).sum().item()
        count += len(x)
    model.train(was_training)
    return total / count, correct / count


class NoLength(Rejection, TypeError):
    """What len() raises; list() passes over a TypeError."""


class Once:
    """Gives batches, can be read only once and has no length."""

    label = "a loader that can be read only once"

    def __init__(self, batches):
        self.batches, self.fresh = iter(batches), True

    def __iter__(self):
        if not self.fresh:
            raise Rejection(
                "你的代码从头读了两次 loader：只能读一遍的 loader，第二次"
                "给不出开头的批次。",
                "Your code starts to read the loader twice: one that can be "
                "read only once does not begin again.",
            )
        self.fresh = False
        return self.batches

    def __len__(self):
        raise NoLength(
            "loader 不一定有长度：例如生成器就没有 len()。",
            "A loader need not have a length: a generator has no len().",
        )

    def __bool__(self):
        return True


def loaders(rng):
    """The loader, the model in train or eval mode, the loss."""
    losses = [
        nn.CrossEntropyLoss(),
        F.multi_margin_loss,
        labelled(
            "cross_entropy with label_smoothing=0.3",
            lambda z, y: F.cross_entropy(z, y, label_smoothing=0.3),
        ),
    ]
    for i, s in enumerate(variations(rng, "N D", low=4, high=9, ones="N D")):
        C, size = (2 + torch.randperm(4, generator=rng)[:2]).tolist()
        if s.N > 1:
            s["N"] = 3 * size + (1, size - 1)[i % 2]  # the last batch is short
        seeded(rng)
        model = nn.Sequential(
            *(nn.Linear(s.D, 6), nn.BatchNorm1d(6), nn.Dropout(0.5)),
            *(nn.ReLU(), nn.Linear(6, C)),
        ).to(s.dtype)
        with torch.no_grad():
            model[4].weight.mul_(4)  # losses that differ between batches
        model[0].requires_grad_(i % 2 == 0)  # frozen, or not
        x, y = s.normal("N D"), s.integers("N", 0, C)
        batches = list(zip(x.split(size), y.split(size), strict=True))
        loader = [
            DataLoader(TensorDataset(x, y), batch_size=size),
            batches,
            Batches(x, y, size),
            Once(batches),
            batches[::-1],  # the short one first
        ][i % 5]
        yield loader, model.train(i % 3 != 1), losses[i % 3]


@says("调用模型时它还在训练模式。", "The model is called in training mode.")
def in_eval_mode(f, loader, model, loss_fn):
    modes = []
    for part in model.modules():
        part.register_forward_pre_hook(lambda m, _: modes.append(m.training))
    f(loader, model, loss_fn)
    return not any(modes)


@says(
    "评估时仍在记录计算图：交给 loss_fn 的 logits 需要梯度。",
    "The graph is still recorded while you evaluate: the logits handed to "
    "loss_fn require gradients.",
)
def without_a_graph(f, loader, model, loss_fn):
    seen = []

    def watched(logits, y):
        seen.append(logits.requires_grad)
        return loss_fn(logits, y)

    f(loader, model, watched)
    return not any(seen)


@says(
    "评估之后求导仍被关着，模型不能接着训练。",
    "After evaluating, gradients are still off, and the model cannot go on "
    "training.",
)
def leaves_gradients_on(f, *case):
    f(*case)
    return torch.is_grad_enabled()


@says(
    "你的代码改动了参数的 .grad：评估不应碰它。",
    "Your code changes .grad of the parameters: evaluating should leave it "
    "alone.",
)
def leaves_the_gradients(f, loader, model, loss_fn):
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    f(loader, model, loss_fn)
    grads = [p.grad for p in model.parameters()]
    return all(g is not None and bool((g == 1).all()) for g in grads)


weighted_evaluate = exercise(
    weighted_evaluate,
    loaders,
    part=True,
    holds=[
        in_eval_mode,
        without_a_graph,
        leaves_gradients_on,
        leaves_the_gradients,
    ],
    wrong="""
 * len(x) =>
count = 0 => count = steps = 0
count += len(x) => count += len(x); steps += 1
total / count => total / steps
你对各批次的平均损失再取平均：小批次里的样本分量过大。
You average the means of the batches: the samples of a short batch weigh too
much.

 * len(x) =>
total / count => total / len(loader)
你对各批次的平均损失再取平均：小批次里的样本分量过大。而且 loader
不一定有长度。
You average the means of the batches: the samples of a short batch weigh too
much; and a loader need not have a length.

each = [right([batch], model, loss_fn) for batch in loader]
losses, shares = zip(*each)
return sum(losses) / len(each), sum(shares) / len(each)
损失和准确率都成了各批平均的平均：小批次里的样本分量过大。
Loss and accuracy are both means of the batches' means: the samples of a short
batch weigh too much.

batches = list(loader)
each = [right([batch], model, loss_fn)[1] for batch in batches]
return right(batches, model, loss_fn)[0], sum(each) / len(each)
准确率成了各批准确率的平均：小批次里的样本分量过大。
The accuracy is a mean of the batches' accuracies: the samples of a short batch
weigh too much.

loss_fn(logits, y) => loss_fn(logits.softmax(1), y)
在损失函数之前多做了一次 softmax：logits 就应是模型的输出。
There is a softmax before the loss function: the logits should be what the
model gives.

loss_fn(logits, y) => F.cross_entropy(logits, y)
你总是算交叉熵：损失应由交给你的 loss_fn 来算。
You always compute cross-entropy: the loss is to be computed by the loss_fn
that is handed in.

for batch in loader:
    return right([batch], model, loss_fn)
只算了第一批：return 是不是写在了循环里面？
Only the first batch counts: does return stand inside the loop?

for batch in loader:
    last = right([batch], model, loss_fn)
return last
只剩最后一批：几个计数是不是在循环里面又回到了 0？
Only the last batch is left: do the counters go back to 0 inside the loop?

count = 0 => count = steps = 0
count += len(x) => count += len(x); steps += 1
total / count => total / steps
损失按样本加权了，却除以了批次数。
The loss is weighted by samples, but divided by the number of batches.

model.eval() => pass
算的时候模型不在 eval 模式：dropout 仍在随机丢弃。
While you compute, the model is not in eval mode: dropout still drops at
random.

count = 0 => count = steps = size = 0
count += len(x) => steps += 1; size = max(size, len(x)); count = steps * size
你按“批次数 × 批次大小”计算样本数，而有的批次并不满。
You count the samples as batches times batch size, but a batch may be short.

count = 0 => count = steps = 0
count += len(x) => count += len(x); steps += 1
correct / count => correct / steps
准确率除以了批次数，应除以样本数。
You divide the right answers by the batches; divide by the samples.

 * len(x) =>
损失除以了样本数，加起来的却是各批的平均，没有按样本数加权。
You divide the loss by the samples, but what you add up are means of batches,
not weighted by their samples.

count = 0 => count = size = 0
total += => size = max(size, len(x)); total +=
.item() * len(x) => .item() * size
每批都乘以了同一个批次大小，而有的批次并不满。
You multiply every batch by the same batch size, but a batch may be short.

/ count => / len(loader.dataset)
loader 不一定有 dataset，本课的 Batches 就没有：样本要自己数。
A loader need not have a dataset, the lesson's Batches has none: count the
samples yourself.

total / count => total
损失只求了和，没有除以样本数。
The losses are added up, but not divided by the samples.

logits.argmax(1) => logits.argmax()
argmax 没有给轴：它在整批里只挑出一个位置。
argmax has no axis: it picks a single place in the whole batch.

logits.argmax(1) => logits.argmax(0)
argmax 的轴错了：每一行（一个样本）挑一个类别。
The wrong axis for argmax: each row, a sample, picks one class.
""",
)


# --- 5. a small model that beats a baseline ----------------------------------


def beat_baseline(x, y):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 10)),
    )  # 156 + 2,416 + 2,570 = 5,142 parameters
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    loader = Batches(x, y, 32, shuffle=True)
    for _ in range(6):
        train(loader, model, nn.CrossEntropyLoss(), optimizer)
    return model


class Without(nn.Module):
    """A function of images as a model without parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def mirrored_digits(rng):
    """Yields x, y to train on, sorted by class, and x, y to judge by.

    The images exist nowhere else: digits, mirrored, with their classes
    renamed at random.
    """
    digits = data.digits()
    x = torch.cat([digits.x_train, digits.x_test]).flip(3)
    x = (x - x.mean()) / x.std()
    names = torch.randperm(10, generator=rng)
    y = names[torch.cat([digits.y_train, digits.y_test])]
    rows = torch.randperm(len(x), generator=rng)[:1200]
    rows, held_out = rows[:800], rows[800:]
    rows = rows[torch.argsort(y[rows], stable=True)]
    yield x[rows], y[rows], x[held_out], y[held_out]


def nearest_mean(x, y):
    """The baseline; x: (N, 1, height, width), y: (N,)."""
    means = torch.stack([x[y == c].mean(0).flatten() for c in range(10)])
    return Without(lambda images: -torch.cdist(images.flatten(1), means))


def nearest_image(x, y, reach):
    """The class of the nearest image; of none that is farther than reach."""
    hot = F.one_hot(y, 10).to(x)

    def model(images):
        apart = torch.cdist(images.flatten(1), x.flatten(1))
        near, which = apart.min(1)
        return hot[which] * (near < reach)[:, None] - 1

    return Without(model)


@torch.no_grad()
def symptom(model, x, y, x_held, y_held):
    """What is to be seen of a model, in one word."""
    if not isinstance(model, nn.Module):
        return "shape"
    if sum(p.numel() for p in model.parameters()) >= 6000:
        return "large"
    model.eval()
    logits, held, one = model(x), model(x_held), model(x_held[:1])
    for out, images in ((logits, x), (held, x_held), (one, x_held[:1])):
        if not isinstance(out, torch.Tensor) or out.shape != (len(images), 10):
            return "shape"
        if not out.isfinite().all():
            return "nan"
    if logits.std(0).max() < 1e-6:
        return "constant"
    if held.min() >= 0 and held.max() <= 1:
        return "probabilities"
    known = (logits.argmax(1) == y).double().mean()
    if known < 0.25:
        sure = F.cross_entropy(logits, y) > 3
        return "elsewhere" if sure else "chance"
    if known < 0.9:
        return "half"
    right, due = (
        (out.argmax(1) == y_held).double().mean()
        for out in (held, nearest_mean(x, y)(x_held))
    )
    if right > due + 0.01:
        return "beats"
    return "close" if known < 0.97 else "memorised"


def examined(answer):
    @functools.cache  # no second training on the very same images
    def run(x, y, x_held, y_held):
        return symptom(answer(x, y), x, y, x_held, y_held)

    return run


beat_baseline = exercise(
    beat_baseline,
    mirrored_digits,
    oracle=lambda x, y: nearest_image(x, y, 1e9),
    adapt=examined,
    seeds=(0,),  # one training is long enough
    time_limit=60.0,
    wrong="""
return nn.Linear(784, 7)(x.flatten(1))
返回的应是训练好的模型本身（一个 nn.Module，不是类，也不是它的输出），它把
(B, 1, 28, 28) 变为 (B, 10) 的 logits，B 也可以是 1。
Return the trained model itself (an nn.Module, no class, and not its output),
which turns (B, 1, 28, 28) into logits (B, 10), where B may be 1.

return LeNet()
模型有 6,000 个或更多参数：数一数每一层，哪一层最大？
The model has 6,000 parameters or more: count those of each layer; which is the
largest?

lr=4e-3 => lr=1e30
range(6) => range(1)
模型的输出里有 nan 或 inf：学习率太大了？
The model's output holds nan or inf: is the learning rate too large?

return Without(lambda images: nearest_mean(x, y)(images).softmax(1))
模型的输出都在 0 与 1 之间，像是概率；要的是 logits。如果末尾有 softmax 或
sigmoid：交叉熵内部已有 softmax。
The model's outputs all lie between 0 and 1, like probabilities; logits are
asked for. If there is a softmax or sigmoid at the end: cross-entropy has its
own softmax.

return Without(lambda images: images.new_zeros(len(images), 10))
无论输入什么图像，输出都一样。步子太大时，ReLU 会全部停在 0：学习率太大？
忘了 zero_grad？先看打乱了没有：交给你的图像是按类别排好的。
The output is the same for every image. With steps too large all ReLUs stay at
0: is the learning rate too large? zero_grad forgotten? And see
first whether you shuffle: the images come sorted by class.

other = nearest_mean(x, y.roll(99))
return Without(lambda images: 99 * other(images))
在交给你的训练图像上，模型自信地答错：它是用别的图像训练的（只用参数 x 和 y），
还是损失函数用错了（logits 配 cross_entropy）？
On the very images handed to it the model is confidently wrong: did it train on
others (use only x and y), or with a wrong loss (logits go with cross_entropy)?

range(6) => range(0)
在训练图像上也只有随机猜测的水平，什么也没学到：学习率太小；或者 step
之前梯度是空的（三个调用的次序对吗？优化器拿的是这个模型的参数吗？）；
或者 x 和 y 打乱的次序不同；或者没有打乱（图像是按类别排好的）。
Even on the training images it only guesses, nothing was learned: the learning
rate is too small, or step finds no gradients (are the three calls in order?
does the optimizer hold this model's parameters?), or x and y were shuffled
apart, or not shuffled (the images come sorted by class).

lr=4e-3 => lr=1e-3
range(6) => range(1)
训练图像只学会了一部分（准确率低于 0.9）：轮次太少？忘了 zero_grad？没有打乱
（交给你的图像是按类别排好的）？
The training images are only half learned (accuracy under 0.9): too few epochs?
zero_grad forgotten? not shuffled (the images come sorted by class)?

return nearest_mean(x, y)
训练图像的准确率刚过 0.9，留出的图像却没有超过基线：这就是基线本身，还是
没有学够（没有打乱？轮次太少？交叉熵之前多做了一次 softmax？）
The accuracy on the training images is just above 0.9, and on the held-out ones
it does not beat the baseline: is it the baseline itself, or too little
training (not shuffled? too few epochs? a softmax before cross-entropy?)

return nearest_image(x, y, 0.5)
训练图像都记住了，留出的图像却没有超过基线：这是过拟合。
The training images are known by heart, yet on the held-out ones it does not
beat the baseline: overfitting.
""",
)


# --- 6. top-k accuracy -------------------------------------------------------


def top_k(logits, y, k):
    best = logits.topk(k, dim=1).indices  # (B, M) -> (B, k)
    return (best == y[:, None]).any(1).double().mean().item()


def counted_above(logits, y, k):
    """By brute force: how many scores are above the right one?"""
    hits = 0
    for scores, label in zip(logits.tolist(), y.tolist(), strict=True):
        hits += sum(score > scores[label] for score in scores) < k
    return hits / len(y)


def scores(rng):
    for s in variations(rng, "N M", low=5, high=14):
        for k in {1, s.M, int(torch.randint(1, s.M + 1, (), generator=rng))}:
            yield s.normal("N M"), s.integers("N", 0, s.M), k
    for k in (2, 3, 4):  # many samples, and the right class is often near
        s.update(N=40 + k, M=12 - k)
        y = s.integers("N", 0, s.M)
        yield s.normal("N M") + 0.7 * F.one_hot(y, s.M), y, k


top_k = exercise(
    top_k,
    scores,
    oracle=counted_above,
    wrong="""
topk(k, => topk(1,
你的结果与 k 无关：这是普通的准确率（k = 1）。
Your result does not depend on k: it is the plain accuracy (k = 1).

topk(k, dim=1 => topk(k, dim=1, largest=False
你取了最小的 k 个。topk 默认取最大的，argsort 默认升序。
You take the k smallest. topk takes the largest, argsort sorts upwards unless
told otherwise.

return right(logits, y, k) / k
分母多了 k：除以了 N·k，应除以 N。
The denominator has a k too many: divide by N, not by N·k.

topk(k, => topk(min(k + 1, logits.shape[1]),
多取了一个：你算的是前 k + 1 名。
One too many: you look at the first k + 1.

topk(k, => topk(k - 1,
少取了一个：你算的是前 k − 1 名。
One too few: you look at the first k − 1.

.indices => .values
和 y 比较的是分数（values），不是类别的编号（indices）。
You compare y with scores (values), not with numbers of classes (indices).

.any(1) => .all(1)
k 个里要有一个对上才算对，你要求全部对上。
One hit among the k is enough; you ask for all of them.

.any(1) => .any()
any() 没有给轴：有一个样本对上就算全对。
any() has no axis: one right sample stands for all.

.any(1) => .any(0)
any 的轴错了：每个样本（一行）自己有没有对上，才是要数的。
The wrong axis for any: what counts is whether each sample, a row, has a hit.

y[:, None] => y
best 是 (B, k)，y 是 (B)：两者按最后一个轴对齐，每行没有和自己的 y 比。
best is (B, k) and y is (B): they are lined up by the last axis, and a row is
not compared with its own y.

dim=1 => dim=0
topk 的轴错了：你对每个类别挑样本，应对每个样本挑类别。
The wrong axis for topk: you choose samples for each class; choose classes for
each sample.

return logits.softmax(1).topk(k).values.sum(1).mean().item()
这是前 k 名的概率之和，与 y 无关：要数的是正确的类在不在里面。
This is the sum of the k largest probabilities, whatever y is: count whether
the right class is among them.

.mean().item() => .sum().item() / 10
分母是样本数，不一定是 10。
Divide by the number of samples, which need not be 10.

return round(right(logits, y, k), 2)
结果被四舍五入了：返回比例本身。
The result is rounded: return the share itself.

order = logits.argsort(1, descending=True)[:, 1 : k + 1]
return (order == y[:, None]).any(1).double().mean().item()
漏了第一名，多了第 k + 1 名：名次从 0 数起。
The first place is missing and place k + 1 is one too many: places count from
0.

order = logits.argsort(1)[:, -k:-1]
return (order == y[:, None]).any(1).double().mean().item()
漏了第一名：升序排列时切片 [-k:-1] 不含最后一列。
The first place is missing: in ascending order the slice [-k:-1] leaves out the
last column.

best = logits.topk(k, dim=1).indices[:, k - 1]
return (best == y).double().mean().item()
你只看第 k 名，应看前 k 名里有没有正确的类。
You look at place k only; look for the right class in the first k places.
""",
)
