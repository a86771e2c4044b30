"""The paper's second evaluation: a vision-language model answers four yes/no questions on every edit."""

from rses.vlm.judge import Answer, YesNoJudge
from rses.vlm.questions import QUESTIONS, opposite_style, questions
from rses.vlm.run import judge_run, open_questions

__all__ = ["QUESTIONS", "Answer", "YesNoJudge", "judge_run", "open_questions", "opposite_style", "questions"]
