"""Tiny models of random weights, made in the tests that need them."""

from pathlib import Path

WORDS = "dementia care carers housing people living well plan priority we will the of and in by"
SIZE = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.7,
}


def bert(folder: Path, labels: int | None = None) -> Path:
    """A BERT of random weights with letters and a few words, or with a head for one label."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    torch.manual_seed(7)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:;-()'%"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
    vocabulary += [*letters] + [f"##{c}" for c in letters]
    places = {piece: place for place, piece in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = BertTokenizerFast(vocab=places, model_max_length=128)
    assert tokenizer.unk_token_id not in tokenizer("dementia care")["input_ids"]
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **SIZE)
    if labels is None:
        model = BertModel(config)
    else:
        config.num_labels = labels
        model = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def embedding_model(folder: Path) -> Path:
    """A sentence-transformers model of 16 dimensions that wants prefixes, in a folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    words = Transformer(str(bert(folder / "bert")), max_seq_length=128)
    model = SentenceTransformer(
        modules=[words, Pooling(16)], prompts={"query": "ask: ", "document": "told: "}, device="cpu"
    )
    model.save(str(folder / "small"))
    return folder / "small"
