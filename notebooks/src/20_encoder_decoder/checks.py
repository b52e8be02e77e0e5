"""Lesson 20: decoding, the shift, cross-attention, beams, pairs of dates."""

import datetime
import itertools
import math

import torch
import torch.nn.functional as F

from exercises import Rejection, exercise, labelled, says, variations
from exercises.properties import same_gradients

PAD, BOS, EOS = 0, 1, 2
DIGITS = "零一二三四五六七八九"


def teller(table, end=()):
    """A decoder: the next word depends on the row, the place and two words.

    Args:
        table: (L, B, V, V) logits.
        end: for each row the place at which it ends; -1 if it never does.
    """
    L, B, V, _ = table.shape
    table = table.clone()
    table[..., [PAD, BOS]] -= 30  # these two are never written
    for row, place in enumerate(end):
        table[:, row, :, EOS] -= 30
        if place >= 0:
            table[place, row, :, EOS] += 90
    given = []

    def step(ids):
        rows, t = ids.shape
        if t == 0 or (ids[:, 0] != BOS).any():
            raise Rejection(
                "step 每次要收到从 BOS 起的全部词：第 0 列总是 BOS。",
                "step gets all words from BOS on each time: column 0 is BOS.",
            )
        if end and rows != B:
            raise Rejection(
                f"step 总要收到全部 {B} 行，得到 {rows} 行。",
                f"step always gets all {B} rows; it got {rows}.",
            )
        before = ids[:, max(t - 2, 0)]
        which = torch.arange(rows) % B
        given.append(ids.clone())
        now = table[min(t, L) - 1, which, ids[:, -1]]
        return now + table[0, which, before] / 3

    step = labelled(f"(B, t) -> (B, {V})", step)
    step.given = given
    return step


# --- 1: greedy decoding ------------------------------------------------------


def greedy(step, batch_size, limit):
    ids = torch.full((batch_size, 1), BOS)
    ended = torch.zeros(batch_size, dtype=torch.bool)
    while ids.shape[1] <= limit and not ended.all():
        words = step(ids).argmax(dim=-1)  # (B, V) -> (B,)
        words[ended] = PAD
        ended = ended | (words == EOS)
        ids = torch.cat([ids, words[:, None]], dim=1)
    return ids[:, 1:]  # (B, T)


def row_by_row(step, batch_size, limit):
    """The same one word at a time, in lists."""
    rows, open_rows = [[BOS] for _ in range(batch_size)], batch_size
    for _ in range(limit):
        if not open_rows:
            break
        logits = step(torch.tensor(rows))
        for row, scores in zip(rows, logits.tolist(), strict=True):
            over = EOS in row
            row.append(PAD if over else scores.index(max(scores)))
            open_rows -= row[-1] == EOS
    return torch.tensor(rows)[:, 1:]


def decoders(rng):
    ends = [[3, 0, 5, 2], [4], [0], [2, 2, 2], [-1, 1, -1], [1, -1], [6, 3]]
    for n, end in enumerate(ends):
        B, V = len(end), 5 + n
        step = teller(2 * torch.randn(8, B, V, V, generator=rng), end)
        yield step, B, (8, 7)[n % 2]


@says("step 收到的 ids 不对。", "The ids that step is given are wrong.")
def one_word_a_call(f, step, batch_size, limit):
    step.given.clear()
    y = f(step, batch_size, limit)
    calls = step.given[:]
    first = calls[0].shape[1] if calls else 1
    if first != 1:
        raise Rejection(
            f"第一次交给 step 的应是一列 BOS；得到 {first} 列。",
            f"step first gets one column of BOS; it got {first} columns.",
        )
    want = row_by_row(step, batch_size, limit)
    due = F.pad(want, (1, 0), value=BOS)
    if not torch.equal(y, want):
        return
    if any(not torch.equal(ids, due[:, : ids.shape[1]]) for ids in calls):
        raise Rejection(
            "结果对，但交给 step 的词不对：已经结束的行里应接着 PAD。",
            "The result is right, but not what step is given: rows that have "
            "ended go on with PAD.",
        )
    if len(calls) > want.shape[1]:
        raise Rejection(
            f"{want.shape[1]} 个词，step 被调用了 {len(calls)} 次：一次一个。",
            f"{want.shape[1]} words, {len(calls)} calls of step: one a word.",
        )


greedy = exercise(
    greedy,
    decoders,
    oracle=row_by_row,
    holds=[one_word_a_call],
    wrong="""
words[ended] = PAD =>
一行写出 EOS 以后又接着写词：EOS 后面应全是 PAD。
After EOS a row goes on writing words: after EOS there should only be PAD.

and not ended.all() =>
所有的行都结束了，你还接着写：T 应是最长的一行的长度。
All rows have ended and you go on: T is the length of the longest row.

not ended.all() => not ended.any()
有一行写出 EOS 你就停了：要等所有的行。
You stop as soon as one row has written EOS: wait for all rows.

ended.all() => (ids[:, -1] == EOS).all()
要到所有的行在同一步写 EOS 你才停：每一行都写过就该停。
You stop only when all rows write EOS in the same step: it is enough that each
has written it.

while ids.shape[1] <= limit and not => while not
ended.all(): => ended.all() and ids.shape[1] <= 40:
limit 没有用上：有的行一直不写 EOS。
limit is not used: some rows never write EOS.

ids[:, 1:] => ids
结果里还有 BOS。
BOS is still in the result.

words[ended] = PAD =>
(words == EOS) => (words == EOS)\\n        words[ended] = PAD
EOS 自己也成了 PAD：它应留在结果里。
EOS itself became PAD: it stays in the result.

<= limit => < limit
少写了一个词：BOS 不算在 limit 里。
One word short: BOS does not count towards limit.

words[ended] = PAD => words[ended] = EOS
EOS 只写一次，它后面是 PAD。
EOS is written once, and PAD follows it.

ended = ended | (words == EOS) => ended = words == EOS
你忘了更早结束的行：只有刚写出 EOS 的算结束了。
You forget the rows that ended earlier: only those that have just written EOS
count as ended.
""",
)


# --- 2: the shift ------------------------------------------------------------


def shift_right(target):
    first = torch.full_like(target[:, :1], BOS)
    return torch.cat([first, target[:, :-1]], dim=1)


def targets(rng):
    for s in variations(rng, "B N", dtypes=(torch.int64,)):
        ids = s.integers("B N", 3, 40_000)
        ids[:, -1] = EOS
        if s.N > 3:
            ids[0, s.N // 2 :] = PAD
            ids[0, s.N // 2 - 1] = EOS
        yield (ids,)


@says(
    "移反了方向：第 t 列成了 target 的第 t + 1 列，应是第 t − 1 列。",
    "Shifted the wrong way: column t is column t + 1 of target, and it should "
    "be column t − 1.",
)
def not_to_the_left(f, target):
    same = torch.equal(f(target)[:, :-1], target[:, 1:])
    return target.shape[1] < 3 or not same


shift_right = exercise(
    shift_right,
    targets,
    holds=[not_to_the_left],
    wrong="""
return target.clone()
没有移位：输入的第 t 个词就是要写的第 t 个词，照抄就行。
Nothing is shifted: input t is the very word t that is to be written, and
copying it is enough.

return target.roll(1, 1)
roll 把最后一个词绕到了最前面：第一个应是 BOS。
roll brings the last word round to the front: the first one should be BOS.

target[:, :-1] => target
多出一列：最后一个词没有去掉。
There is a column too many: the last word is not taken away.

BOS => PAD
第一个应是 BOS，你放了 PAD。
The first one should be BOS, and yours is PAD.
""",
)


# --- 3: cross-attention ------------------------------------------------------


def cross_attention(q, k, v, real):
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, H, N, M)
    scores = scores.masked_fill(~real[:, None, None, :], -torch.inf)
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


def by_library(q, k, v, real):
    B, M = real.shape
    mask = real[:, None, None, :]
    unit = torch.eye(M, dtype=q.dtype).expand(B, q.shape[1], M, M)
    attend = F.scaled_dot_product_attention
    return attend(q, k, v, mask), attend(q, k, unit, mask)


def padded(rng):
    for n, s in enumerate(variations(rng, "B H N M D", high=7)):
        real = torch.arange(s.M) < s.integers("B", 1, s.M + 1)[:, None]
        real = real.flip(1) if n % 2 else real  # pads need not be at the end
        q, k, v = (s.normal(f"B H {n} D") for n in "NMM")
        yield q, k, v, real


@says("输出里有 nan 或 inf。", "The output holds nan or inf.")
def both_finite(f, *case):
    return all(bool(x.isfinite().all()) for x in f(*case))


@says(
    "换掉 pad 位置的 k 和 v，结果就变了：pad 没有完全遮住。",
    "With other k and v at the pads the result changes: pads are not fully "
    "hidden.",
)
def ignores_pads(f, q, k, v, real):
    gaps = ~real[:, None, :, None]
    before, _ = f(q, k, v, real)
    after, _ = f(q, k + 50 * gaps, v + 50 * gaps, real)
    if not after.isfinite().all():
        raise Rejection(
            "pad 的 k 很大时，结果里有 nan：先遮，再取 exp。",
            "With a large k at the pads the result holds nan: mask first, "
            "then take exp.",
        )
    return bool((after - before).abs().max() < 1e-4)


cross_attention = exercise(
    cross_attention,
    padded,
    oracle=by_library,
    holds=[
        both_finite,
        ignores_pads,
        same_gradients(cross_attention),
    ],
    wrong="""
scores = scores.masked_fill(~real[:, None, None, :], -torch.inf) =>
real 没有用上：pad 也分到了权重。
real is not used: pads get weight, too.

~real => real
掩码反了：real 里 True 是真的 token，你遮掉的正是它们。
The mask is the wrong way round: True in real is a token, and these you hide.

scores = scores.masked_fill(~real[:, None, None, :], -torch.inf) =>
softmax(dim=-1) => softmax(dim=-1) * real[:, None, None, :]
你在 softmax 之后才遮：每一行的权重加起来不到 1。
You mask after softmax: the weights of a row add up to less than 1.

-torch.inf => 0.0
分数 0 不是没有权重：exp(0) = 1，pad 仍分到权重。
A score of 0 is not no weight: exp(0) = 1, and pads still get some.

/ math.sqrt(q.shape[-1]) =>
分数没有缩放：应除以 √d_k。
The scores are not scaled: they should be divided by √d_k.

q.shape[-1] => q.shape[-2]
你除以了 √N：d_k 是 q 的最后一个轴的大小。
You divide by √N: d_k is the size of the last axis of q.

weights @ v, => weights @ k,
你平均的是 k 的行：应是 v 的。
You average the rows of k: it should be those of v.

k.mT => k.reshape(*k.shape[:2], k.shape[3], k.shape[2])
reshape 不是转置：数换了位置，却不是行列互换。
reshape is not a transpose: the numbers move, but not from rows to columns.

math.sqrt(q.shape[-1]) => q.shape[-1]
分数除以了 d_k：应除以 √d_k。
The scores are divided by d_k: it should be √d_k.

-torch.inf) => -torch.inf)\\n    scores = scores.masked_fill(ABOVE, -torch.inf)
ABOVE => torch.ones_like(scores).triu(1) > 0
这里没有因果掩码：原文全都可以看，只遮 pad。
There is no causal mask here: all of the source may be seen but the pads.

softmax(dim=-1) => softmax(dim=-2)
softmax 的轴错了：每个查询（行）对 M 个键的权重之和应为 1。
The wrong axis for softmax: the weights of each query (row) over the M keys
add up to 1.

return weights @ v, weights => return weights @ v
应返回两个张量：y 和权重。
Two tensors are asked for: y and the weights.
""",
)


# --- 4: beam search ----------------------------------------------------------


def beam(step, width, limit):
    kept = [([], 0.0)]  # the words of a sentence, its score
    for _ in range(limit):
        grown = [(words, score) for words, score in kept if EOS in words]
        for words, score in kept:
            if EOS not in words:
                logits = step(torch.tensor([[BOS, *words]]))[0]  # (V,)
                more = logits.log_softmax(dim=-1).tolist()
                for word, gain in enumerate(more):
                    grown.append(([*words, word], score + gain))
        kept = sorted(grown, key=lambda pair: pair[1], reverse=True)[:width]
    return kept[0]


def beam_by_tensors(step, width, limit):
    ids, scores = torch.tensor([[BOS]]), torch.zeros(1)
    for _ in range(limit):
        ended = (ids == EOS).any(dim=1)
        gain = step(ids).log_softmax(dim=-1)
        gain[ended] = -torch.inf
        gain[ended, PAD] = 0.0  # an ended sentence stays as it is
        total = (scores[:, None] + gain).flatten()
        scores, best = total.topk(min(width, total.isfinite().sum().item()))
        rows = best // gain.shape[1]
        ids = torch.cat([ids[rows], best[:, None] % gain.shape[1]], dim=1)
    words = ids[0, 1:].tolist()
    if EOS in words:
        words = words[: words.index(EOS) + 1]
    return words, scores[0].item()


def plain(answer):
    """Its words, a list of int, and its score as a float."""

    def run(step, width, limit):
        found = answer(step, width, limit)
        if not (isinstance(found, (tuple, list)) and len(found) == 2):
            raise Rejection(
                "应返回两样：词的列表和得分。",
                "Two things are asked for: the list of words and the score.",
            )
        words, score = found
        if not (isinstance(words, list) and {int} >= {*map(type, words)}):
            raise Rejection(
                "词应是整数的列表。", "The words should be a list of integers."
            )
        return words, float(score)

    return run


def tellers(rng):
    for V, width, limit in itertools.product((6, 9), (1, 2, 40), (1, 7)):
        table = torch.randn(7, 1, V, V, generator=rng)
        table[:3, ..., EOS] -= 2  # not all end at once
        yield teller(table), width, limit
    for width in (2, 3) * 8:  # many: few of them tell width from width + 1
        table = torch.randn(7, 1, 6, 6, generator=rng) / 2
        yield teller(table), width, 5
    for width in (2, 3):  # here a finished one loses its place later
        own = torch.Generator().manual_seed(52)
        table = torch.randn(7, 1, 6, 6, generator=own)
        table[:3, ..., EOS] -= 2
        yield teller(table), width, 7


beam = exercise(
    beam,
    tellers,
    seeds=(0,),
    adapt=plain,
    oracle=beam_by_tensors,
    wrong="""
[:width] => [:1]
每一步只留了一个：那是贪心。应留 width 个。
You keep a single one in every round: that is greedy. Keep `width` of them.

[:width] => [:width + 1]
你多留了一个：应留 width 个。
You keep one too many: keep `width` of them.

return kept[0] => return max(kept, key=lambda pair: (EOS in pair[0], pair[1]))
写完的总是排在前面：应是得分最高的，不管它写完没有。
Finished ones always come first: it should be the highest score, ended or not.

[(words, score) for words, score in kept if EOS in words] => []
if EOS not in words: => if True:
已经写出 EOS 的还在接着写：它应原样留着，与别的一起比较。
One that has written EOS goes on: it stays as it is and competes with the rest.

[(words, score) for words, score in kept if EOS in words] => []
写完的被丢掉了，或者得分变了：它应原样留着，与别的一起比较。
A finished one is thrown away, or its score changes: it stays as it is and
competes with the rest.

if EOS in words] => if False]
:width] => :width]\\n        done += [pair for pair in kept if EOS in pair[0]]
kept = [([], 0.0)] => kept, done = [([], 0.0)], []
return kept[0] => return max(done + kept, key=lambda pair: pair[1])
写完的被放到了一边：它要和没写完的一起排序、截断，以后还可能被挤掉。
Finished ones are put aside: they are sorted and cut with the others, and may
still lose their place later.

if EOS in words] => if False]
kept = [([], 0.0)] => kept, done = [([], 0.0)], []
kept = sorted( => done += ENDED\\n        kept = sorted(
ENDED => [p for p in grown if EOS in p[0]]
(grown, => ([p for p in grown if EOS not in p[0]],
return kept[0] => return max(done + kept, key=lambda pair: pair[1])
没写完的独占了 width 个：写完的也占 width 的名额。
The unfinished ones have all places of width: finished ones take some up, too.

[:width] => [:width]\\n        for pair in kept:\\n            STOP
STOP => if EOS in pair[0]:\\n                return pair
有一句写完你就停了：别的句子接下去，得分还可能更高。
You stop at the first finished one: another may still end with a higher score.

return kept[0] => return [BOS, *kept[0][0]], kept[0][1]
结果里还有 BOS。
BOS is still in the result.

key=lambda pair: pair[1] => key=lambda pair: pair[1] / len(pair[0])
你按长度平均了得分：得分是和，不除以长度。
You take the mean score of a word: the score is the sum, not divided by length.

score + gain => score + math.exp(gain)
你把概率相加了：得分是概率的对数之和。
You add probabilities: the score is the sum of their logarithms.

logits.log_softmax(dim=-1) => logits
你把 logits 相加了：不同前缀的 logits 不能比较。
You add logits: those of different prefixes cannot be compared.

score + gain => gain
得分只是最后一个词的：应是所有词的对数概率之和。
The score is that of the last word alone: it is the sum over all words.
""",
)


# --- 5: dates ----------------------------------------------------------------


def chinese(n):
    """1 to 99 in Chinese characters, as the lesson's function."""
    tens, ones = divmod(n, 10)
    text = (DIGITS[tens] if tens > 1 else "") + "十" if tens else ""
    return text + (DIGITS[ones] if ones else "")


def date_pair(date):
    year = "".join(DIGITS[int(digit)] for digit in str(date.year))
    source = f"{year}年{chinese(date.month)}月{chinese(date.day)}日"
    return source, date.isoformat()


def some_dates(rng):
    first = datetime.date(1900, 1, 1)
    days = torch.randint(73_000, (30,), generator=rng).tolist()
    for day in [0, 9, 19, 31, 288, 303, 39_000, *days]:
        yield (first + datetime.timedelta(days=day),)
    yield (datetime.date(2000, 2, 29),)


date_pair = exercise(
    date_pair,
    some_dates,
    wrong="""
chinese(date.month) => DIGITS[date.month % 10]
chinese(date.day) => DIGITS[date.day % 10]
月和日写成了个位数字：十二月是“十二”，不是“二”。
Month and day are written as their last digit alone: December has two
characters.

chinese(date.month) => ''.join(DIGITS[int(d)] for d in str(date.month))
chinese(date.day) => ''.join(DIGITS[int(d)] for d in str(date.day))
月和日逐位读了：12 应写成“十二”，不是“一二”。
Month and day are read digit by digit: 12 is written with the character of ten.

source, target = right(date)
return source[:-1] + "\\u53f7", target
末尾写了“号”：应是“日”。
The last character is the colloquial one for a day: the text names another.

date.isoformat() => f"{date.year}-{date.month}-{date.day}"
月和日应总是两位：三月是 03。
Month and day always have two digits: March is 03.

return source, date.isoformat() => return date.isoformat(), source
次序反了：先原文，再译文。
The order is reversed: first the source, then the target.
""",
)
