"""Texts as numbers, MotionCLIP's network and its folder; a text model of transformers, made here, is read."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from kineme.errors import InputError, UsageError
from kineme.models.compose.motionclip import MotionCLIP, MotionCLIPConfig
from kineme.models.compose.objective import alignment
from kineme.models.compose.text import LabelWords, TransformersText, sentence, text_encoder
from small_compose import ACTIONS, SMALL

CONFIG = MotionCLIPConfig(SMALL)
LABELS = ("walk", "walk-turn-left", "walk-turn-right", "wave-left-hand", "wave-right-hand")


def test_pairs_are_put_into_words() -> None:
    assert sentence("walk+wave-left-hand") == "walk while wave left hand"
    assert sentence("lift_Dumbbell") == "lift dumbbell"
    assert sentence("walk while waving") == "walk while waving"


def test_two_actions_lie_between_both() -> None:
    words = LabelWords(LABELS)
    of = words(list(LABELS))
    torch.testing.assert_close(of.norm(dim=1), torch.ones(5))
    for pair in ("walk+wave-left-hand", "walk-turn-right+wave-left-hand", "walk-turn-left+wave-right-hand"):
        near = (words([sentence(pair)]) @ of.T)[0]
        assert {LABELS[k] for k in near.topk(2).indices} == set(pair.split("+"))
    assert torch.equal(words(["walk while wave left hand"]), words(["Walk, wave left hand"]))


def test_what_is_near_in_letters_is_near_and_what_is_unknown_is_said() -> None:
    words = LabelWords(LABELS)
    of = words(list(LABELS))
    assert (words(["walking"]) @ of.T).argmax() == LABELS.index("walk")
    assert (words(["waves with the right hand"]) @ of.T).argmax() == LABELS.index("wave-right-hand")
    with pytest.raises(UsageError, match="'fly' has no word of an action; there are walk, "):
        words(["walk", "fly"])


def test_alignment_by_hand() -> None:
    motions = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert float(alignment(motions, torch.tensor([[3.0, 0.0], [1.0, 0.0]]))) == pytest.approx(0.5)
    assert float(alignment(motions, -motions)) == pytest.approx(2.0)


def test_only_directions_count_and_padding_is_not_seen() -> None:
    network = MotionCLIP.random(CONFIG).network
    frames, valid = torch.randn(2, 12, SMALL.features), torch.ones(2, 12, dtype=torch.bool)
    valid[1, 7:] = False
    made = network(frames, valid)
    torch.testing.assert_close(made.places.norm(dim=1), torch.ones(2))
    assert not made.decoded[1, 7:].any() and made.decoded[1, :7].any()
    noisy = frames + 9.0 * ~valid[..., None]
    torch.testing.assert_close(network.encode(noisy, valid), made.places)
    torch.testing.assert_close(network.decode(3 * made.places, valid), made.decoded)
    assert not torch.allclose(network.decode(-made.places, valid), made.decoded, atol=1e-4)


def test_samples_are_of_the_text() -> None:
    model = MotionCLIP.random(CONFIG)
    made = model.sample(["walk", "walk+wave", "walk while wave"], [12, 7, 12])
    assert made.shape == (3, 12, SMALL.features) and not made[1, 7:].any()
    torch.testing.assert_close(made[1, :7], model.sample(["walk while wave"], 7)[0, :7])
    assert not torch.allclose(made[0], made[2], atol=1e-4)
    assert [len(motion) for motion in model.motions(made, [12, 7, 12])] == [12, 7, 12]
    with pytest.raises(InputError, match="1 to 12 frames"):
        model.sample(["walk"], 13)


def test_a_folder_gives_back_the_model(tmp_path) -> None:
    model = MotionCLIP.random(CONFIG, seed=3)
    model.card = "# mine"
    model.save(tmp_path / "model")
    held = MotionCLIP.load(tmp_path / "model")
    assert held.config == CONFIG and held.card == "# mine"
    torch.testing.assert_close(held.sample(["run+wave"]), model.sample(["run+wave"]))
    assert not torch.allclose(held.sample(["run"]), MotionCLIP.random(CONFIG, seed=4).sample(["run"]))
    file = tmp_path / "model" / "config.json"
    head = json.loads(file.read_text())
    for settings, said in (
        (head["settings"] | {"depth": 1}, "unknown MotionCLIP setting depth|damaged"),
        (head["settings"] | {"compose": {"labels": ["a"]}}, "does not fit|damaged"),
    ):
        file.write_text(json.dumps(head | {"settings": settings}))
        with pytest.raises(InputError, match=said):
            MotionCLIP.load(tmp_path / "model")
    with pytest.raises(UsageError, match="text_weight"):
        MotionCLIPConfig(SMALL, text_weight=-1.0)


def clip_folder(folder, projection: int = 8):
    """A CLIP text model with random weights and a tokenizer of letters, as transformers lays them out."""
    transformers = pytest.importorskip("transformers", reason='needs pip install "kineme[text]"')
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocab = {token: k for k, token in enumerate([*letters, *(f"{c}</w>" for c in letters)])}
    vocab |= {"<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1}
    transformers.CLIPTokenizer(vocab=vocab, merges=[], model_max_length=16).save_pretrained(folder)
    config = transformers.CLIPTextConfig(
        vocab_size=len(vocab), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16, projection_dim=projection,
        bos_token_id=vocab["<|startoftext|>"], eos_token_id=vocab["<|endoftext|>"],
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.CLIPTextModelWithProjection(config).save_pretrained(folder)
    return folder


def test_clips_text_model_is_read(tmp_path) -> None:
    texts = TransformersText(str(clip_folder(tmp_path / "clip")))
    assert texts.width == 8
    made = texts(["walk", "walk while wave", "walk " * 40])
    assert made.shape == (3, 8) and torch.isfinite(made).all()
    torch.testing.assert_close(made[:1], texts(["walk"]), atol=1e-5, rtol=1e-4)  # what fills up is not seen
    assert not torch.allclose(made[0], made[1], atol=1e-4)
    assert texts([]).shape == (0, 8)
    config = MotionCLIPConfig(SMALL, str(tmp_path / "clip"))
    model = MotionCLIP.random(config)
    made = model.sample(["fly while swim"])  # words that no action has
    assert made.shape == (1, 12, SMALL.features)
    model.save(tmp_path / "model")
    torch.testing.assert_close(MotionCLIP.load(tmp_path / "model").sample(["fly while swim"]), made)


def test_a_folder_of_a_model_has_nothing_fetched(tmp_path, monkeypatch) -> None:
    """The text model that it names, a person has to name, too."""
    pytest.importorskip("transformers", reason='needs pip install "kineme[text]"')
    made = MotionCLIP.random(MotionCLIPConfig(SMALL))
    MotionCLIP(MotionCLIPConfig(SMALL, "nobody/nothing"), made.network, made.texts).save(tmp_path / "model")

    def asked(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", asked)
    monkeypatch.setattr("kineme.formats.hub._hub_answers", lambda: True)
    with pytest.raises(
        InputError, match="nobody/nothing, which is not on this machine .* `hf download nobody"
    ):
        MotionCLIP.load(tmp_path / "model")


def test_other_text_models_are_the_mean_over_tokens(tmp_path) -> None:
    transformers = pytest.importorskip("transformers", reason='needs pip install "kineme[text]"')
    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "walk", "wave"])
    )
    tokens = transformers.BertTokenizer(str(tmp_path / "vocab.txt"))
    tokens.save_pretrained(tmp_path / "bert")
    config = transformers.BertConfig(
        vocab_size=7, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=20,
    )  # fmt: skip
    bert = transformers.BertModel(config).eval()
    bert.save_pretrained(tmp_path / "bert")
    made = TransformersText(str(tmp_path / "bert"))(["walk", "walk wave walk"])
    with torch.no_grad():
        alone = bert(**tokens("walk", return_tensors="pt")).last_hidden_state[0].mean(0)
    torch.testing.assert_close(made[0], alone, atol=1e-5, rtol=1e-4)


def test_what_is_no_text_model_is_said(tmp_path, monkeypatch) -> None:
    transformers = pytest.importorskip("transformers", reason='needs pip install "kineme[text]"')
    assert isinstance(text_encoder("", tuple(ACTIONS)), LabelWords)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is no text model; without a name"):
        text_encoder(str(tmp_path / "empty"), ())
    folder = clip_folder(tmp_path / "clip")
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="no text model can be had from"):
        text_encoder(str(folder), ())

    def offline(*_, **__):
        raise OSError("We couldn't connect to 'https://huggingface.co'\nand so on")

    monkeypatch.setattr("kineme.formats.hub.socket.create_connection", offline)
    with pytest.raises(InputError, match="no text model can be had from nobody/nothing"):
        text_encoder("nobody/nothing", ())  # at once, and of what was fetched before
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", offline)
    with pytest.raises(
        InputError, match=r"had from nobody/nothing \(We couldn't connect to '[^\n]*; without"
    ):
        text_encoder("nobody/nothing", ())
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r'pip install "kineme\[text\]"'):
        text_encoder("nobody/nothing", ())
