"""A causal language model of Hugging Face transformers as a trainer: made on the spot, or yours.

    pip install torch transformers
    python transformers_lm.py train DATA MODEL                  # a tiny one, made on the spot
    python transformers_lm.py train DATA MODEL --base FOLDER    # fine-tunes a downloaded one
    python transformers_lm.py generate MODEL N OUT SEED --temperature 0.9

DATA has a text a line. Every round starts from the same base, as a user's trainer would. The tiny
model knows the words of its data alone; a downloaded one brings its own tokenizer, and may write
words that were never in the data.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

END, LENGTH, BATCH, LINES = "<|end|>", 64, 16, 128


def made_on_the_spot(texts: list[str]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return a new model of two small layers, and a tokenizer that knows the words of the texts."""
    words = [END, *sorted({word for text in texts for word in text.split()})]
    vocabulary = {word: place for place, word in enumerate(words)}
    by_words = Tokenizer(models.WordLevel(vocabulary, unk_token=END))
    by_words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    special = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    config = LlamaConfig(vocab_size=len(words), num_attention_heads=4, **sizes, **special)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=by_words, eos_token=END, pad_token=END)
    return LlamaForCausalLM(config), tokenizer


def train(data: Path, model: Path, base: Path | None, steps: int, rate: float, seed: int) -> None:
    """Train on the texts, from the base or from nothing, and save the model's folder."""
    torch.manual_seed(seed)
    texts = [line for line in data.read_text(encoding="utf-8").splitlines() if line.strip()]
    if base is None:
        network, tokenizer = made_on_the_spot(texts)
    else:
        network = AutoModelForCausalLM.from_pretrained(base)
        tokenizer = AutoTokenizer.from_pretrained(base)
    read = tokenizer(texts, add_special_tokens=False).input_ids
    end = tokenizer.eos_token_id
    tokens = torch.tensor([end, *(number for text in read for number in (*text, end))])
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    network.train()
    for _ in range(steps):
        starts = torch.randint(max(len(tokens) - LENGTH, 1), (BATCH,)).tolist()
        batch = torch.stack([tokens[start : start + LENGTH] for start in starts])
        network(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.save_pretrained(model)
    tokenizer.save_pretrained(model)


def generate(model: Path, items: int, out: Path, seed: int, temperature: float, top_k: int) -> None:
    """Write texts until they have as many words as asked, and cut the last one there."""
    torch.manual_seed(seed)
    network, tokenizer = (
        AutoModelForCausalLM.from_pretrained(model),
        AutoTokenizer.from_pretrained(model),
    )
    end = tokenizer.eos_token_id
    start = torch.full((LINES, 1), end)
    # transformers draws from the 50 likeliest tokens unless it is told otherwise: 0 is all.
    drawn = {"do_sample": True, "temperature": temperature, "top_k": top_k}
    lines: list[str] = []
    while items > 0:
        made = network.generate(
            start,
            attention_mask=torch.ones_like(start),
            max_new_tokens=LENGTH,
            pad_token_id=end,
            **drawn,
        )
        found = [
            re.findall(r"\w+", text.lower())
            for text in tokenizer.batch_decode(made, skip_special_tokens=True)
        ]
        if not any(found):
            raise SystemExit(f"{model}: writes no words")
        for words in found:
            if words[:items]:
                lines.append(" ".join(words[:items]))
            items -= len(words[:items])
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command and carry it out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("data", type=Path)
    one.add_argument("model", type=Path)
    one.add_argument("--base", type=Path, help="folder of a model to start from")
    one.add_argument("--steps", type=int, default=300)
    one.add_argument("--rate", type=float, default=3e-3)
    one.add_argument("--seed", type=int, default=1)
    one = commands.add_parser("generate")
    one.add_argument("model", type=Path)
    one.add_argument("items", type=int)
    one.add_argument("out", type=Path)
    one.add_argument("seed", type=int)
    one.add_argument("--temperature", type=float, default=1.0)
    one.add_argument("--top-k", type=int, default=0, help="0 for all tokens")
    arguments = vars(parser.parse_args())
    torch.set_num_threads(1)
    {"train": train, "generate": generate}[arguments.pop("command")](**arguments)


if __name__ == "__main__":
    main()
