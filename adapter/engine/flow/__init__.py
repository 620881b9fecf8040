"""The conversation: what a caller is asked, in which order, and where the call goes. Values in, values out."""

from .plain import Step, greeting

__all__ = ["Step", "greeting"]
