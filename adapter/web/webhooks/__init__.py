"""What Twilio asks of us. A webhook's way: `voice` → `genuine` (signed by Twilio?) → a use case, `in_time` → TwiML,
whatever happens.
"""
