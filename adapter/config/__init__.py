"""Configuration: a YAML file, ADAPTER_ environment variables over it and secrets from files → frozen dataclasses.

All mistakes are reported at once, each with its place and what to write instead. The way through the package:
`document` (YAML → a tree) → `environment` (variables laid over it) → `secret_files` → `schema` (kinds, ranges,
defaults) and `references` (between settings) → `build`. Beside it: `effective` (printing), `pepper` (first use).
"""

from .loader import find, load
from .settings import (
    Config,
    DatabaseConfig,
    LoggingConfig,
    RecordingConfig,
    SecurityConfig,
    ServerConfig,
    TierConfig,
    TwilioAccount,
    TwilioConfig,
)

__all__ = [
    "Config",
    "DatabaseConfig",
    "LoggingConfig",
    "RecordingConfig",
    "SecurityConfig",
    "ServerConfig",
    "TierConfig",
    "TwilioAccount",
    "TwilioConfig",
    "find",
    "load",
]
