"""The reference's examples, for the description of the API (reference, Endpoints and Error Codes), as printed there."""

from __future__ import annotations

from typing import Any, Final

Examples = dict[str, dict[str, Any]]
_CUSTOMER: Final = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
_TTL: Final = 2_592_000

START: Final[Examples] = {
    "start": {
        "call_id": "call_001",
        "identity_hints": {"ani": "+14155551234", "external_ids": {"customer_id": "12345"}},
    }
}
RETURNING: Final[dict[str, Any]] = {
    "call_id": "call_001",
    "customer_ref": _CUSTOMER,
    "call_start": "2026-02-07T10:30:00.000Z",
    "identity": {
        "confidence": 0.9,
        "level": "very_high",
        "sources": ["ani:mobile", "external_id", "recency:1day"],
        "recommendation": "reuse",
    },
    "open_intents": [{"intent": "refund_request", "status": "open", "attempt_count": 2}],
    "variables": {
        "name": {"value": "John Doe", "source": None, "ttl_seconds": _TTL},
        "email": {"value": "john@example.com", "source": None, "ttl_seconds": _TTL},
        "account_balance": {"value": "$1,234.56", "source": None, "ttl_seconds": _TTL},
    },
}
STARTED: Final[Examples] = {
    "returning_customer": RETURNING,
    "new_customer": {
        "call_id": "call_001",
        "customer_ref": _CUSTOMER,
        "call_start": "2026-02-07T10:30:00.000Z",
        "identity": {"confidence": 0, "level": "low", "sources": [], "recommendation": "ignore"},
        "open_intents": [],
        "variables": {},
    },
}
END: Final[Examples] = {
    "simple_form": {
        "call_id": "call_001",
        "customer_ref": _CUSTOMER,
        "intent": "billing_inquiry",
        "intent_status": "resolved",
        "variables": {
            "name": "John Doe",
            "email": "john@example.com",
            "last_interaction": "Resolved billing issue - refunded $50",
        },
    },
    "advanced_form": {
        "call_id": "call_001",
        "customer_ref": _CUSTOMER,
        "intent_updates": [
            {
                "intent": "refund_request",
                "status": "resolved",
                "resolution": {"type": "processed", "external_reference": "refund_12345"},
            },
            {"intent": "account_upgrade", "status": "open"},
        ],
        "variable_updates": {
            "name": {"value": "John Doe", "source": "agent_collected", "ttl_seconds": 7_776_000},
            "vip_tier": {"value": "Gold", "source": "crm_sync", "ttl_seconds": _TTL},
        },
    },
}
ENDED: Final[Examples] = {
    "ended": {
        "call_id": "call_001",
        "customer_ref": _CUSTOMER,
        "call_start": "2026-02-07T10:30:00.000Z",
        "call_end": "2026-02-07T10:35:30.000Z",
        "duration_seconds": 330,
        "intents_updated": 2,
        "variables_updated": 5,
    }
}
VERDICT: Final[Examples] = {"confirmed": {"verdict": "confirmed"}, "rejected": {"verdict": "rejected"}}
HEALTHY: Final[Examples] = {
    "healthy": {"status": "healthy", "timestamp": "2026-02-07T10:30:00.000Z", "database": "connected"}
}
UNHEALTHY: Final[Examples] = {
    "unhealthy": {"status": "unhealthy", "timestamp": "2026-02-07T10:30:00.000Z", "database": "disconnected"}
}
QUOTA_EXHAUSTED: Final[Examples] = {
    "quota_exhausted": {
        "error": "Payment Required",
        "message": "Monthly quota exhausted. Your account has 0 API calls remaining.",
        "quota_remaining": 0,
        "billing_account_id": "ba_1a2b3c4d5e6f...",
    }
}
RATE_EXCEEDED: Final[Examples] = {
    "rate_exceeded": {
        "error": "Too Many Requests",
        "message": "Rate limit exceeded for your tier. Limit: 100 requests/minute.",
        "retryAfter": 42,
        "currentUsage": 111,
        "limit": 100,
        "resetAt": "2026-02-07T10:31:00.000Z",
    }
}
INVALID: Final[Examples] = {
    "invalid": {
        "error": "Bad Request",
        "message": "Validation failed",
        "details": {
            "issues": [
                {
                    "path": ["identity_hints"],
                    "message": "identity_hints must include ani, external_ids, or customer_ref",
                }
            ]
        },
    }
}
UNAUTHORIZED: Final[Examples] = {"unauthorized": {"error": "Unauthorized", "message": "Invalid or missing API key"}}
