"""Configuration: a YAML file, ADAPTER_ environment variables over it and secrets from files → frozen dataclasses.

All mistakes are reported at once, each with its place and what to write instead. The way through the package:
`document` (YAML → a tree) → `environment` (variables laid over it) → `secret_files` → `schema` (kinds, ranges,
defaults) and `references` (between settings) → `build`. What is where:

    loader, document, tree, environment, secret_files   reading what was written, with its place
    fields, tables, suggestions                         kinds of values and of sections; what a typing mistake meant
    schema, conversation, destinations, words           every setting: the whole, what callers are asked, where calls
                                                        go, what is said
    references, line_references, flow_references,       mistakes between settings: all, between lines, within a
    text_references                                     conversation, in texts and what may be told
    inheritance, lines, build, settings                 a line and its flow become one; the values that come out
    remarks, missing_texts                              what is no mistake and yet not meant (`check-config`)
    effective, effective_lines                          printing what is in effect
    pepper                                              made on first use
"""

from .loader import find, load
from .settings import (
    ApiConfig,
    Config,
    DatabaseConfig,
    LoggingConfig,
    MetricsConfig,
    RecordingConfig,
    SecurityConfig,
    ServerConfig,
    TierConfig,
    TracingConfig,
    TwilioAccount,
    TwilioConfig,
)

__all__ = [
    "ApiConfig",
    "Config",
    "DatabaseConfig",
    "LoggingConfig",
    "MetricsConfig",
    "RecordingConfig",
    "SecurityConfig",
    "ServerConfig",
    "TierConfig",
    "TracingConfig",
    "TwilioAccount",
    "TwilioConfig",
    "find",
    "load",
]
