"""A small supervised finetuning with TRL, as its own examples write them.

python examples/finetune.py --model_name_or_path MODEL --dataset_name examples/support.jsonl --output_dir out
"""

from datasets import load_dataset
from trl import ModelConfig, ScriptArguments, SFTConfig, SFTTrainer, TrlParser, get_peft_config

from sekisho.training_log import SekishoCallback

if __name__ == "__main__":
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    script_args, training_args, model_args = parser.parse_args_and_config()

    dataset = load_dataset("json", data_files=script_args.dataset_name, split="train")

    trainer = SFTTrainer(
        model=model_args.model_name_or_path,
        args=training_args,
        train_dataset=dataset,
        peft_config=get_peft_config(model_args),
    )
    trainer.add_callback(SekishoCallback())  # the one line that is Sekisho's
    trainer.train()
    trainer.save_model(training_args.output_dir)
