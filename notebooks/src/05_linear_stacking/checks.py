"""Checks of lesson 05: linear layers by shape, in stacks; their size."""

import ast
import itertools
import re

import torch
from torch import nn

from exercises import (
    Property,
    Rejection,
    about_shapes,
    exercise,
    says,
    table,
    variations,
)

# --- 1. do these inputs work -------------------------------------------------

fits = {
    "m1(x), x: (20,)": (30,),
    "m1(x), x: (5, 20)": (5, 30),
    "m1(x), x: (20, 5)": "error",
    "m1(x), x: (4, 7, 20)": (4, 7, 30),
    "m1(x), x: (2, 3, 20, 10)": "error",
    "m1(x), x: (0, 20)": (0, 30),
    "m1(x), x: ()": "error",
    "m1(x), x: (20, 1)": "error",
    "m2(m1(x)), x: (2, 20, 20)": (2, 20, 40),
    "m1(m2(x)), x: (2, 9, 30)": "error",
}


def by_torch(question):
    """What torch makes of a case."""
    layers = {"m1": nn.Linear(20, 30), "m2": nn.Linear(30, 40)}
    call, shape = question.split(", x: ")
    x = torch.zeros(ast.literal_eval(shape))
    try:
        for name in reversed(re.findall("m[12]", call)):
            x = layers[name](x)
    except RuntimeError:
        return "error"
    return tuple(x.shape)


ABOUT = about_shapes(
    (
        "最后一个轴的大小正好是 in_features 吗？（括号里面的层先算。）",
        "Is the size of the last axis exactly in_features? (The inner layer "
        "runs first.)",
    ),
    (
        "这一行可以运行：只要最后一个轴对，前导轴有几个、多大都可以。",
        "This row runs: with the right last axis, there may be any number of "
        "leading axes, of any size.",
    ),
    (
        "轴的个数不对：前导轴一个不多，一个不少。",
        "The number of axes is not right: all leading axes stay.",
    ),
    (
        "轴的个数对，但有的大小不对：前导轴不变，最后一个轴换成 "
        "out_features。",
        "The number of axes is right, but not all sizes: leading axes stay, "
        "and the last axis becomes out_features.",
    ),
)


fits = exercise(
    fits,
    **table(fits, by_torch, ABOUT),
    name="fits",
    wrong="""
"m1(x), x: (20, 5)": "error" => "m1(x), x: (20, 5)": (30, 5)
m1(x), x: (20, 5)：你把第一个轴当成了特征轴。线性层看的是最后一个轴。
m1(x), x: (20, 5): you take the first axis for the features. A linear layer
looks at the last one.

20, 10)": "error" => 20, 10)": (2, 3, 30, 10)
m1(x), x: (2, 3, 20, 10)：你在倒数第二个轴上找到 20，就换成了 30。只有最后一个
轴算数。
m1(x), x: (2, 3, 20, 10): you find the 20 on the last axis but one and put 30.
Only the last axis counts.

"m1(x), x: (20,)": (30,) => "m1(x), x: (20,)": "error"
m1(x), x: (20,)：前导轴可以一个都没有，这个输入就是一行。
m1(x), x: (20,): there may be no leading axis; this input is one row.

"m1(x), x: (0, 20)": (0, 30) => "m1(x), x: (0, 20)": "error"
m1(x), x: (0, 20)：0 行也是合法的行数，形状照样变。
m1(x), x: (0, 20): no rows at all is a legal number of rows; the shape changes
alike.

"m1(x), x: ()": "error" => "m1(x), x: ()": (30,)
m1(x), x: ()：标量没有轴，哪里放得下 20 个特征？
m1(x), x: (): a scalar has no axis; where would its 20 features be?

"m1(x), x: (20, 1)": "error" => "m1(x), x: (20, 1)": (20, 30)
m1(x), x: (20, 1)：矩阵乘不做广播，大小为 1 的最后一个轴不会变成 20。
m1(x), x: (20, 1): a matrix product does not stretch a last axis of size 1 to
20.

"m1(x), x: (4, 7, 20)": (4, 7, 30) => "m1(x), x: (4, 7, 20)": (28, 30)
m1(x), x: (4, 7, 20)：你给出的是展平后的形状 (N, E)。算完以后前导轴会还原。
m1(x), x: (4, 7, 20): you give the flattened shape (N, E). After the product
the leading axes are restored.

(2, 20, 20)": (2, 20, 40) => (2, 20, 20)": "error"
m2(m1(x)), x: (2, 20, 20)：括号里面的 m1 先算，它的 30 个特征正好交给 m2。
m2(m1(x)), x: (2, 20, 20): m1, the inner one, runs first, and m2 takes its 30
features.

"m1(m2(x)), x: (2, 9, 30)": "error" => "m1(m2(x)), x: (2, 9, 30)": (2, 9, 40)
m1(m2(x)), x: (2, 9, 30)：你先算了 m1。括号里面的 m2 先算，它的输出有 40 个特征
。
m1(m2(x)), x: (2, 9, 30): you take m1 first. m2, the inner one, runs first, and
its output has 40 features.
""",
)

# --- 2. collapse two layers --------------------------------------------------


def collapse(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)  # (E, M) @ (M, D) -> (E, D)
        one.bias.copy_(m2(m1.bias))  # (M,) -> (E,)
    return one


def two_layers(rng):
    # The text promises float32.
    for s in variations(rng, "D M E", dtypes=(torch.float32,), layouts=False):
        yield linear(s, "D M"), linear(s, "M E")
    twice = linear(s, "D D")
    yield twice, twice


def linear(s, word):
    """A layer of normal numbers: `"D E"` is D -> E."""
    D, E = word.split()
    layer = nn.Linear(s[D], s[E], dtype=s.dtype)
    with torch.no_grad():
        layer.weight.copy_(s.normal(f"{E} {D}"))
        layer.bias.copy_(s.normal(E))
    return layer


def parts_of(answer):
    """The parameters of the new layer."""

    def run(m1, m2):
        one = answer(m1, m2)
        if not isinstance(one, nn.Linear):
            kind = type(one).__name__
            raise Rejection(
                f"应返回一个 nn.Linear，得到 {kind}。",
                f"One nn.Linear should be returned, got {kind}.",
            )
        if one is m1 or one is m2:
            raise Rejection(
                "应返回一个新的 nn.Linear，你返回了输入的那一个。",
                "A new nn.Linear should be returned; you return one of the "
                "two that were handed in.",
            )
        sizes = one.in_features, one.out_features
        if (
            one.weight.shape[::-1]
            == (m1.in_features, m2.out_features)
            != (sizes)
        ):
            raise Rejection(
                f"新的层自称 in_features, out_features = {sizes}，与它的 "
                "weight 不符：造 nn.Linear 时就写对大小。",
                f"The new layer claims in_features, out_features = {sizes}, "
                "which its weight contradicts: make the nn.Linear with the "
                "right sizes.",
            )
        return {"weight": one.weight, "bias": one.bias}

    return run


@says(
    "两次调用返回的层共用参数：每次都要返回一个新的层。",
    "Two calls return layers that share parameters: return a new layer each "
    "time.",
)
def a_new_layer(f, m1, m2):
    return not {*f(m1, m2).parameters()} & {*f(m1, m2).parameters()}


collapse = exercise(
    collapse,
    two_layers,
    adapt=parts_of,
    holds=[a_new_layer],
    wrong="""
m2(m1.bias) => m2.bias
权重对了，偏置等于只有 b2 时的结果：第一层的 b1 还要经过第二层。
The weight is right, the bias is what you get from b2 alone: the b1 of the
first layer still passes the second.

m2(m1.bias) => m2.weight @ m1.bias
权重对了，偏置里少了第二层自己的 b2。
The weight is right, but b2, the second layer's own, is missing in the bias.

m2(m1.bias) => m1.bias + m2.bias
你把两个偏置直接相加了：b1 有 M 个数，要先经过第二层。
You add the two biases as they are: b1 holds M numbers and passes the second
layer first.

m2(m1.bias) => m2.weight @ m1.bias - m2.bias
权重对了，偏置里 b2 的符号反了。
The weight is right, but b2 has the wrong sign in the bias.

m2(m1.bias) => m2(m1.bias) + m2.bias
权重对了，偏置里 b2 加了两次：m2(…) 已经加过一次。
The weight is right, but b2 is added twice: m2(…) has added it already.

m2(m1.bias) => m2(m1.bias.relu())
权重对了，但 b1 先过了 ReLU：两层之间没有激活函数。
The weight is right, but b1 passes a ReLU; between the two layers is none.

one.bias.copy_(m2(m1.bias)) => pass
权重对了，偏置还是新层随机的初值：两层的偏置合成什么，就写进去。
The weight is right, the bias still holds the random first values of the new
layer: write into it what the two biases make together.

one.weight.copy_(m2.weight @ m1.weight) => pass
偏置对了，权重还是新层随机的初值。
The bias is right, the weight still holds the random first values of the new
layer.

one.weight.copy_(m2.weight @ m1.weight) => pass
one.bias.copy_(m2(m1.bias)) => pass
新层的权重和偏置都还是随机的初值。
Weight and bias of the new layer are both still its random first values.

m2.weight @ m1.weight => m2(m1.weight.T).T
m2(…) 会加上偏置 b2，权重里就混进了 b2：权重只要乘积。
m2(…) adds its bias, so b2 went into the weight, which is the product alone.

m2.weight @ m1.weight => m2(m1(torch.eye(m1.in_features))).T
m2(m1(…)) 会加上偏置，权重里就混进了偏置。
m2(m1(…)) adds the biases, so they went into the weight.

with torch.no_grad(): => if True:
参数要求梯度，copy_ 这样的原地修改要写在 with torch.no_grad(): 里面。
Parameters require gradients: a change in place such as copy_ belongs inside
with torch.no_grad():.

one.weight.copy_(m2.weight @ m1.weight) => one.weight = m2.weight @ m1.weight
weight 只接受 nn.Parameter，普通张量不能直接赋给它：用 copy_ 往里写。
weight takes an nn.Parameter only, a plain tensor cannot be assigned to it:
write into it with copy_.

m2.out_features) => m2.out_features, bias=False)
one.bias.copy_(m2(m1.bias)) => pass
权重对了，但新的层没有偏置：两层的偏置合起来还是一个偏置。
The weight is right, but the new layer has no bias: together the two biases
make one.

m2.weight @ m1.weight => m1.weight @ m2.weight
两个因子的次序不对：weight 存的是 W 的转置，转置一个乘积时次序会变。
The order of the two factors is wrong: weight is stored as the transpose of W,
and transposing a product changes its order.

m2.weight @ m1.weight => m1.weight.T @ m2.weight.T
W1·W2 的形状是 (D, E)，而 weight 存成 (E, D)。
W1·W2 has shape (D, E), but weight is stored as (E, D).
""",
)

# --- 3. a model from a list of widths ----------------------------------------


def mlp(widths):
    layers = []
    for D, E in itertools.pairwise(widths):
        layers += [nn.Linear(D, E), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def lists_of_widths(rng):
    for s in variations(rng, "A B C D", layouts=False):
        yield [s.A, s.B, s.C], s.normal("D A")
        yield [s.B, s.C, s.D, s.A], s.normal("C D B")
        yield [s.C, s.D, s.C, s.D, s.B], s.normal("C")  # a width twice
        yield [s.D, s.A], s.normal("B D")


def run_of(answer):
    """Its layers, and what it gives for chosen parameters."""

    def run(widths, x):
        sizes = list(itertools.pairwise(widths))
        model = answer(widths)
        if not isinstance(model, nn.Sequential):
            kind = type(model).__name__
            raise Rejection(
                f"应返回一个 nn.Sequential，得到 {kind}。",
                f"An nn.Sequential should be returned, got {kind}.",
            )
        for part in model.modules():
            if not isinstance(part, (nn.Sequential, nn.Linear, nn.ReLU)):
                kind = type(part).__name__
                raise Rejection(
                    f"模型里有 {kind}：只要 nn.Linear 和 nn.ReLU。",
                    f"The model holds {kind}: only nn.Linear and nn.ReLU are "
                    "asked for.",
                )
        parts = [m for _, m in model.named_modules(remove_duplicate=False)]
        layers = [m for m in parts if isinstance(m, nn.Linear)]
        made = [(m.in_features, m.out_features) for m in layers]
        if made != sizes:
            raise Rejection(
                f"nn.Linear 的大小依次应为 {sizes}，得到 {made}。",
                f"The sizes of the nn.Linear should be {sizes}, got {made}.",
            )
        if len({m.weight for m in layers}) < len(layers):
            raise Rejection(
                "同一个 nn.Linear 用了不止一次：每一对宽度都要有自己的层。",
                "One nn.Linear is used more than once: each pair of widths "
                "has a layer of its own.",
            )
        due = ", ".join(["Linear"] * len(sizes)).replace(", ", ", ReLU, ")
        parts = [m for m in parts if not isinstance(m, nn.Sequential)]
        order = ", ".join(type(m).__name__ for m in parts)
        if order != due:
            raise Rejection(
                f"各层依次应为 {due}，得到 {order}。",
                f"The layers should be {due}, got {order}.",
            )
        model.to(x.dtype)
        rng = torch.Generator().manual_seed(len(widths))
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(torch.randn(p.shape, generator=rng))
        return {
            "parameters": sum(p.numel() for p in model.parameters()),
            "y": model(x),
        }

    return run


def is_new(f, rng):
    one, other = f([6, 9, 4]), f([6, 9, 4])
    return not {*one.parameters()} & {*other.parameters()}


def as_made(f, rng):
    one, other = f([6, 9, 4]), f([6, 9, 4])
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        if torch.equal(p, q):
            raise Rejection(
                "两次调用的初值一模一样：初值应是 nn.Linear 的随机数，不要"
                "改写，也不要设种子。",
                "Two calls have the same first values: they should be the "
                "random ones of nn.Linear, neither rewritten nor seeded.",
            )
    largest = {6: 6**-0.5, 9: 9**-0.5}
    return all(
        p.dtype == torch.float32
        and p.requires_grad
        and p.abs().max() <= largest[m.in_features] + 1e-6
        for m in one.modules()
        if isinstance(m, nn.Linear)
        for p in m.parameters()
    )


mlp = exercise(
    mlp,
    lists_of_widths,
    part=True,
    adapt=run_of,
    seeds=(0,),
    holds=[
        Property(
            is_new,
            "两次调用返回的模型共用参数：每次调用都要造新的层。",
            "Two calls return models that share parameters: make new layers "
            "at each call.",
        ),
        Property(
            as_made,
            "nn.Linear 造好以后又被改动了（dtype、requires_grad 或初值）："
            "保持它造出来的样子。",
            "The nn.Linear were changed after they were made (dtype, "
            "requires_grad or first values): leave them as they are made.",
        ),
    ],
    wrong="""
[:-1] =>
最后一个 nn.Linear 之后也有 ReLU：模型再也给不出负数。
There is a ReLU after the last nn.Linear too: the model can no longer give a
negative number.

*layers => layers
nn.Sequential 要的是一块块积木，你给了它一个列表。
nn.Sequential takes the layers one by one, and you give it a list.

nn.ReLU() => nn.ReLU
nn.Sequential 只收模块：F.relu 是函数，不带括号的 nn.ReLU 是类，都不是模块。
nn.Sequential takes modules only: F.relu is a function, and nn.ReLU without
brackets is a class.

nn.Linear(D, E) => nn.Linear(E, D)
nn.Linear 的两个大小写反了：先写进来的特征数，再写出去的。
The two sizes of nn.Linear are swapped: first the features that come in, then
those that go out.

, nn.ReLU() =>
[:-1] =>
没有 ReLU：这些线性层合并起来只是一层。
There is no ReLU: this stack of linear layers collapses into one.

first, *others = (nn.Linear(*pair) for pair in itertools.pairwise(widths))
return nn.Sequential(first, nn.ReLU(), *others)
只有第一个 nn.Linear 之后有 ReLU：相邻的两个 nn.Linear 之间都要有。
Only the first nn.Linear is followed by a ReLU: there is one between each
nn.Linear and the next.

(*layers => (nn.ReLU(), *layers
输入先过了一个 ReLU：负的输入全变成了 0。
The input passes a ReLU first: all negative inputs become 0.

(D, E), => (D, E, bias=False),
nn.Linear 没有偏置：不要写 bias=False。
The nn.Linear have no biases: leave bias=False out.

pairwise(widths) => pairwise(widths[:-1])
少了最后一层：从倒数第二个宽度到最后一个宽度也要一个 nn.Linear。
The last layer is missing: from the last width but one to the last there is an
nn.Linear too.

return right([widths[0], widths[1], widths[-1]])
中间只用了一个宽度：widths 里的每一个都要用上。
Only one width in the middle is used: every number in widths counts.
""",
)

# --- 4. how large is a model -------------------------------------------------


def model_size(model):
    numbers = sum(p.numel() for p in model.parameters())
    nbytes = sum(p.numel() * p.element_size() for p in model.parameters())
    return numbers, nbytes


def total(tensors):
    """The numbers and bytes of tensors."""
    tensors = list(tensors)
    return sum(t.numel() for t in tensors), sum(t.nbytes for t in tensors)


class Own(nn.Module):
    """Parameters of its own, in a list too, and layers in a dict."""

    def __init__(self, n):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.kept = nn.ParameterList([torch.ones(n, 2), torch.ones(3)])
        self.parts = nn.ModuleDict({"a": nn.Linear(n, n), "b": nn.PReLU()})


def all_kinds(rng):
    kinds = torch.float32, torch.float64, torch.bfloat16
    f32, f64, b16 = ({"dtype": kind} for kind in kinds)
    # The layers have data types of their own; one size of 1 is enough.
    for s in variations(
        rng, "D M E", low=3, high=9, ones="E", dtypes=(torch.float32,),
        layouts=False,
    ):  # fmt: skip
        D, M, E = s.D, s.M, s.E
        yield (nn.Linear(D, E, **f32),)
        yield (
            nn.Sequential(
                nn.Linear(D, M, **f64),
                nn.ReLU(),
                nn.Sequential(nn.Linear(M, E, bias=False, **b16)),
            ),
        )
        frozen = nn.Sequential(nn.Linear(D, M), nn.Linear(M, E))
        frozen[0].requires_grad_(False)
        yield (frozen,)
        norms = nn.BatchNorm1d(M), nn.BatchNorm1d(M)  # alike, not shared
        yield (nn.Sequential(nn.Linear(D, M), *norms),)
        tied = nn.Sequential(nn.Embedding(E, D, **f64), nn.Linear(D, E, **f64))
        tied[1].weight = tied[0].weight
        yield (tied,)
        same = nn.Linear(D, D, **f64)
        yield (nn.Sequential(same, nn.ReLU(), same, nn.Linear(D, D, **f64)),)
        yield (Own(E),)
    yield (nn.ReLU(),)


# What is wrong elsewhere too is told as values.


def on_meta(f, rng):
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    return f(model) != (25, 100) or f(model.to("meta")) == (25, 100)


def views_count_alone(f, rng):  # a copy of a case would not be a view
    rows = torch.zeros(10, 3)
    whole, part = nn.ParameterList([rows]), nn.ParameterList([rows[:2]])
    return f(whole) != (30, 120) or f(part) == (6, 24)


model_size = exercise(
    model_size,
    all_kinds,
    seeds=(0,),
    holds=[
        Property(
            on_meta,
            "模型在 meta 设备上时不对：那里的参数有形状和 dtype，没有数据，也"
            "没有地址。",
            "Wrong for a model on the meta device: its parameters have shapes "
            "and a dtype, but no data and no address.",
        ),
        Property(
            views_count_alone,
            "参数只是一块存储的一部分时不对：只算参数自己的数，不算整块存储。",
            "Wrong where a parameter is part of a larger storage: only its "
            "own numbers count, not all of the storage.",
        ),
    ],
    wrong="""
parameters = model.parameters()
return sum(p.numel() for p in parameters), sum(p.nbytes for p in parameters)
parameters() 给出的东西只能遍历一遍：求第二个和时，里面已经空了。
What parameters() gives can be gone through only once: for the second sum
nothing is left in it.

return total(p for part in model.children() for p in part.parameters())
你只看了 children()，漏了模型自己的参数：模型也可以就是一个 nn.Linear。
You look at children() only, and the model's own parameters are missing: a
model may be a single nn.Linear.

p.numel() * p.element_size() => 4 * p.numel()
字节数等于每个数都占 4 字节时的结果：那只对 float32 成立。
Your bytes are what you get when every number takes 4 bytes, which holds for
float32 only.

numbers, _ = right(model)
return numbers, numbers * next(model.parameters()).element_size()
你用第一个参数的 element_size() 代表了全部：各个参数的数据类型可能不同，模型也
可能一个参数都没有。
You take element_size() of the first parameter for all: their data types may
differ, and a model may have none at all.

p.numel() * p.element_size() => p.element_size()
element_size() 是一个数的字节数，一个参数里有好多个数。
element_size() is the bytes of one number, and a parameter holds many.

numbers = sum(p.numel() => numbers = sum(1
你数的是有几个参数张量，而不是里面有几个数。
You count the parameter tensors, not the numbers in them.

numbers = sum(p.numel() => numbers = sum((len(p) if p.ndim else 1)
你数的是每个参数有几行，而不是有几个数。
You count the rows of each parameter, not the numbers in it.

arrays = [p.detach().numpy() for p in model.parameters()]
return sum(a.size for a in arrays), sum(a.nbytes for a in arrays)
numpy() 在 bfloat16 的参数上报错：有几个数、每个数几字节，参数自己知道。
numpy() fails for a parameter of bfloat16: how many numbers it holds, and the
bytes of each, the parameter knows itself.

numbers = nbytes = 0
for p in model.parameters():
    numbers, nbytes = p.numel(), p.nbytes
return numbers, nbytes
你只得到最后一个参数的大小：循环里后一个的值覆盖了前一个，没有加起来。
You get the size of the last parameter only: in the loop each replaces the one
before, and nothing is added up.

return total(model.parameters(recurse=False))
recurse=False 只给出模型自己的参数，里面各层的都漏了。
recurse=False gives the model's own parameters only, without those of its
layers.

return total(p for part in model for p in part.parameters())
model 不一定是 nn.Sequential，不都能用 for 遍历；parameters() 自己会走遍各层。
A model need not be an nn.Sequential, and for does not go through every one;
parameters() visits all layers by itself.

named = model.named_parameters()
return total(p for name, p in named if "bias" not in name)
你漏了偏置：它也是参数。
The biases are missing: they are parameters too.

return total(p for p in model.parameters() if p.requires_grad)
你漏了被冻结的参数（requires_grad=False）：它们不训练，但照样占内存，要算进去。
Frozen parameters (requires_grad=False) are missing: they do not train, yet
they take memory and count.

return total(model.state_dict().values())
你的结果等于把 state_dict 里的张量全加起来：里面还有缓冲区，共用的参数也会出现
两次。
Your result is the sum over state_dict: that holds buffers too, and lists a
shared parameter twice.

return total([*model.parameters(), *model.buffers()])
你把缓冲区也算进去了：它们不是参数。
You count buffers too: they are not parameters.

own = [m.parameters(recurse=False) for m in model.modules()]
return total(itertools.chain(*own))
两层共用的参数你算了两次。
You count a parameter that two layers share twice.

return total(p for _, p in model.named_parameters(remove_duplicate=False))
remove_duplicate=False 把共用的参数列出不止一次：只算一次。
remove_duplicate=False lists a shared parameter more than once; it counts once.

return total(p for m in model.modules() for p in m.parameters())
里面的层你数了好几遍：modules() 给出模型自己和每一层，而 parameters() 已经包括
了里层的参数。
You count inner layers several times: modules() gives the model itself and
every layer, and parameters() already goes inside.

linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
return total(p for m in linear for p in m.parameters())
你只数了 nn.Linear：别的层也有参数，例如 nn.BatchNorm1d 和 nn.Embedding。
You count nn.Linear only: other layers have parameters too, such as
nn.BatchNorm1d and nn.Embedding.

linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
numbers = sum((m.in_features + 1) * m.out_features for m in linear)
return numbers, right(model)[1]
你用 (D + 1)·E 数每个 nn.Linear：它可以没有偏置，可以与别的层共用权重，别的层也
有参数。
You count (D + 1)·E for every nn.Linear: it may have no bias, it may share its
weight, and other layers have parameters too.
""",
)
