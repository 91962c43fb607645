"""Make a tiny language model in a folder: a network of real models without a download.

It is trained for a minute on a text file with a text a line; it says words and knows nothing.
It needs torch and transformers, which hayflick does not install:

    pip install torch "transformers[serving]"
    python examples/tiny_model.py TEXT FOLDER
    transformers serve FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END = "<|end|>"
TEMPLATE = "{% for message in messages %}{{ message['content'] + '\n' }}{% endfor %}"
WORDS, LENGTH, BATCH, STEPS = 2048, 64, 16, 600


def tokenizer_of(texts: list[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes and of what they often form; a chat is its messages in lines."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    chat = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)
    chat.chat_template = TEMPLATE
    return chat


def model_of(texts: list[str], tokenizer: PreTrainedTokenizerFast, steps: int) -> LlamaForCausalLM:
    """Return a model of two small layers that has learned to go on from a text, and to end it."""
    torch.manual_seed(1)
    end = tokenizer.eos_token_id
    special = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end}
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=4, **sizes, **special)
    model = LlamaForCausalLM(config)
    tokens = torch.tensor(tokenizer("".join(f"{text}{END}\n" for text in texts)).input_ids)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        starts = torch.randint(len(tokens) - LENGTH, (BATCH,)).tolist()
        batch = torch.stack([tokens[start : start + LENGTH] for start in starts])
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    # The server draws no tokens unless the model's folder says so: all answers would be the same.
    model.generation_config = GenerationConfig(do_sample=True, **special)
    return model


def main(source: Path, folder: Path, steps: int = STEPS) -> None:
    """Make the model of a file's texts and save it."""
    texts = [line.strip() for line in source.read_text(encoding="utf-8").splitlines()]
    texts = [text for text in texts if text]
    tokenizer = tokenizer_of(texts)
    model_of(texts, tokenizer, steps).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
    print(f"wrote {sys.argv[2]}", file=sys.stderr)
