"""Prompt-to-prompt (arXiv 2208.01626) on real pictures: inversion, then attention control between two captions."""

from baselines.prompt_to_prompt.method import PromptToPrompt

__all__ = ["PromptToPrompt"]
