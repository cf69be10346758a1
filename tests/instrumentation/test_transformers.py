"""Real Hugging Face pipelines over tiny models made here; runs where torch and transformers are installed (opt-in).

pip install 'torch==2.13.0' transformers   # a CPU build: PyPI's newest brings CUDA along
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tocsin
from tocsin.testing import capture

pytest.importorskip("torch", reason="opt-in: needs torch and transformers")
pytest.importorskip("transformers", reason="opt-in: needs torch and transformers")

WORDS = ["refund", "please", "where", "is", "my", "invoice", "Berlin", "the", "a", "hello", "you", ".", "?", "Ada"]
pytestmark = [
    pytest.mark.slow,
    # The libraries' own: not what is tested here.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A vocabulary of a few words."""
    from transformers import BertTokenizerFast

    folder = tmp_path_factory.mktemp("words")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *(word.lower() for word in WORDS)]))
    return BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), vocab=str(folder / "vocab.txt"))


def bert(tokenizer: Any, kind: str, **said: Any) -> Any:
    """Make a BERT of one layer, always the same."""
    import torch
    import transformers

    torch.manual_seed(7)
    if "id2label" in said:
        said["label2id"] = {name: number for number, name in said["id2label"].items()}
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        name_or_path="acme/tiny-bert",
        **said,
    )
    return getattr(transformers, f"BertFor{kind}")(config).eval()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What is recorded of pipelines, where no words may leave."""
    monkeypatch.setenv("TOCSIN_CAPTURE", "features")
    with capture() as found:
        tocsin.instrument_transformers("triage", cost_per_call=0.002)
        yield found
        tocsin.uninstrument_transformers()


def classifier(tokenizer: Any, **said: Any) -> Any:
    """Make a classifier of three classes."""
    from transformers import pipeline

    labels = {0: "billing", 1: "shipping", 2: "other"}
    return pipeline(
        "text-classification",
        model=bert(tokenizer, "SequenceClassification", id2label=labels, **said),
        tokenizer=tokenizer,
    )


def test_a_text_is_classified_with_label_score_and_features(tokenizer: Any, calls: Any) -> None:
    """One line, and a pipeline's answers are measured: no code of the host's changes, nor does its result."""
    answered = classifier(tokenizer)("where is my invoice ?")

    (call,) = calls
    assert call.attributes["tocsin.output.label"] == answered[0]["label"]
    assert call.attributes["tocsin.confidence"] == answered[0]["score"]
    assert call.attributes["tocsin.confidence.source"] == "proba"
    assert call.attributes["tocsin.model.name"] == "acme/tiny-bert"
    assert call.attributes["tocsin.task"] == "classification"
    assert call.attributes["tocsin.use_case"] == "triage"
    assert call.attributes["tocsin.cost.amount"] == 0.002
    assert call.attributes["tocsin.input.prompt.chars"] == 21
    assert "invoice" not in json.dumps(dict(call.attributes))


def test_all_scores_are_the_calls_probabilities(tokenizer: Any, calls: Any) -> None:
    """With them, shifts of every class can be seen."""
    answered = classifier(tokenizer)(["hello you", "refund please"], top_k=None)

    assert len(calls) == 2
    for call, scores in zip(calls, answered, strict=True):
        for one in scores:
            assert call.attributes[f"tocsin.output.probability.{one['label']}"] == one["score"]


def test_each_text_of_a_batch_is_a_call_with_a_handle(tokenizer: Any, calls: Any) -> None:
    """Outcomes come by row."""
    answered = classifier(tokenizer)(["hello you", "refund please", "where is Ada ?"], batch_size=2)

    assert [call.attributes["tocsin.output.label"] for call in calls] == [one["label"] for one in answered]
    assert len(set(tocsin.last_calls())) == 3


def test_generators_and_data_sets_are_answered_lazily(tokenizer: Any, calls: Any) -> None:
    """They may be endless: each answer is a call when it is taken, and what nobody takes is none."""
    from torch.utils.data import Dataset

    class Texts(Dataset[str]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, at: int) -> str:
            return ["hello you", "refund", "a"][at]

    pipe = classifier(tokenizer)
    asked = iter(["hello you", "refund please now"] * 50)
    taken = pipe(one for one in asked)
    first, second = next(iter(taken)), next(taken)
    assert {first["label"], second["label"]} <= {"billing", "shipping", "other"}
    assert [call.attributes["tocsin.input.prompt.words"] for call in calls] == [2, 3]
    calls.clear()

    assert len(pipe(Texts())) == 3
    assert len(list(pipe(Texts(), batch_size=2))) == 3

    assert len(calls) == 3


def test_a_long_stream_is_sampled_with_exact_counts(tokenizer: Any, calls: Any) -> None:
    """A million rows must not be a million spans, nor less than a million calls."""
    tocsin.instrument_transformers("triage", max_rows=5)

    done = list(classifier(tokenizer)((text for text in ["hello you"] * 64), batch_size=16))

    assert len(done) == 64
    assert 5 < len(calls) < 40
    assert sum(call.attributes.get("tocsin.weight", 1) for call in calls) == 64


def test_zero_shot_ranks_the_candidates(tokenizer: Any, calls: Any) -> None:
    """The classes are the call's own."""
    from transformers import pipeline

    model = bert(tokenizer, "SequenceClassification", id2label={0: "entailment", 1: "neutral", 2: "contradiction"})
    pipe = pipeline("zero-shot-classification", model=model, tokenizer=tokenizer)

    answered = pipe("where is my invoice", candidate_labels=["refund", "hello"])

    (call,) = calls
    assert call.attributes["tocsin.output.label"] == answered["labels"][0]
    assert call.attributes["tocsin.confidence"] == answered["scores"][0]
    assert (
        call.attributes["tocsin.output.probability.hello"]
        == dict(zip(*list(answered.values())[1:], strict=True))["hello"]
    )


def test_found_entities_are_named_and_the_least_sure_counts(tokenizer: Any, calls: Any) -> None:
    """What is found is an extraction, as good as its weakest part."""
    from transformers import pipeline

    model = bert(tokenizer, "TokenClassification", id2label={0: "LOC", 1: "PER"})
    answered = pipeline("token-classification", model=model, tokenizer=tokenizer)("Ada is a refund")

    (call,) = calls
    assert call.attributes["tocsin.task"] == "extraction"
    assert call.attributes["tocsin.output.label"] == ", ".join(sorted({one["entity"] for one in answered}))
    assert call.attributes["tocsin.confidence"] == pytest.approx(min(float(one["score"]) for one in answered))
    assert "ada: " in call.attributes["tocsin.output.text"]


def test_a_filled_mask_is_its_likeliest_word(tokenizer: Any, calls: Any) -> None:
    """The vocabulary is its classes."""
    from transformers import pipeline

    answered = pipeline("fill-mask", model=bert(tokenizer, "MaskedLM"), tokenizer=tokenizer)("where is [MASK]")

    (call,) = calls
    assert call.attributes["tocsin.output.label"] == answered[0]["token_str"]
    assert call.attributes["tocsin.confidence"] == answered[0]["score"]


def generator(tokenizer: Any) -> Any:
    """Make a language model of one layer."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, pipeline

    torch.manual_seed(7)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, bos_token_id=2, eos_token_id=3)
    ).eval()
    return pipeline("text-generation", model=model, tokenizer=tokenizer)


def test_generated_text_is_an_answer_without_confidence(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody said how sure it is; and the prompt's words are kept where the policy says so."""
    monkeypatch.setenv("TOCSIN_CAPTURE", "full")
    with capture() as calls:
        tocsin.instrument_transformers("writer")
        answered = generator(tokenizer)("hello you", max_new_tokens=4, do_sample=False)
        tocsin.uninstrument_transformers()

    (call,) = calls
    assert call.attributes["tocsin.task"] == "generation"
    assert call.attributes["tocsin.output.text"] == answered[0]["generated_text"].removeprefix("hello you")
    assert "tocsin.confidence" not in call.attributes
    assert "hello you" in call.attributes["gen_ai.input.messages"]


def test_an_observed_function_around_a_pipeline_is_the_one_call(tokenizer: Any, calls: Any) -> None:
    """Two spans would count, and cost, one answer twice."""
    pipe = classifier(tokenizer)

    @tocsin.observe("triage")
    def triage(text: str) -> str:
        return str(pipe(text)[0]["label"])

    answered = triage("refund please")

    (call,) = calls
    assert call.attributes["tocsin.output.label"] == answered
    assert call.attributes["tocsin.input.prompt.words"] == 2
    assert call.attributes["tocsin.model.name"] == "acme/tiny-bert"


def test_an_error_is_the_hosts_and_is_recorded(tokenizer: Any, calls: Any) -> None:
    """A failed call is a call."""
    with pytest.raises(ValueError, match="invalid inputs"):
        classifier(tokenizer)([["a", "b", "c"]])

    (call,) = calls
    assert call.attributes["error.type"] == "ValueError"


def test_an_uninstrumented_pipeline_is_as_it_was(tokenizer: Any, calls: Any) -> None:
    """Everything that was replaced is given back."""
    from transformers import TextClassificationPipeline

    tocsin.uninstrument_transformers()
    classifier(tokenizer)("hello")

    assert "tocsin" not in TextClassificationPipeline.__call__.__code__.co_filename
    assert len(calls) == 0


def test_a_version_is_the_same_in_every_process(tokenizer: Any, tmp_path: Path, calls: Any) -> None:
    """Releases are told apart by it; a model saved and loaded is the same."""
    from transformers import BertForSequenceClassification, pipeline

    first = classifier(tokenizer)
    first.model.save_pretrained(tmp_path / "kept")
    second = pipeline(
        "text-classification",
        model=BertForSequenceClassification.from_pretrained(tmp_path / "kept"),
        tokenizer=tokenizer,
    )

    first("hello")
    second("hello")

    one, other = calls
    assert str(tmp_path) not in json.dumps([dict(one.attributes), dict(other.attributes)])
    assert other.attributes["tocsin.model.name"] == "kept"
    assert one.attributes["tocsin.model.version"] == other.attributes["tocsin.model.version"] != ""
