"""Webhooks from elsewhere as `Recorded` values: what cannot be read is told with its place, the rest is imported.

| source                              | module  |
|-------------------------------------|---------|
| a recording of ours                 | adapter.replay.recording |
| JSON with a form in it, of any make | captures |
| HAR, from a browser or a proxy      | har     |
| ngrok's inspector, saved or running | ngrok   |
| Twilio's Call Events                | events  |
| a form's body                       | forms   |
| curl command lines                  | curl    |
"""

from .sniffing import Unreadable, imported, sniff

__all__ = ["Unreadable", "imported", "sniff"]
