"""Recorded webhooks: what Twilio sent, kept as files, and sent again properly signed.

Leaves out: what the answers should be (tests), the demo's words (`cli.demo`).
"""
