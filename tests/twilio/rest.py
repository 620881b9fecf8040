"""A small Twilio REST API in memory: accounts with tokens, numbers, SIP domains; answers as Twilio documents them."""

from __future__ import annotations

import base64
import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
import responses

BASE = "https://api.twilio.com"
DATE = "Sat, 07 Feb 2026 10:30:00 GMT"
Answer = tuple[int, dict[str, str], str]


@dataclass
class Rest:
    """`tokens`: of the one account, the primary first. `page`: numbers on a page at most. `date`: "" for now."""

    account: str
    tokens: list[str]
    numbers: list[dict[str, Any]] = field(default_factory=list)
    domains: list[dict[str, Any]] = field(default_factory=list)
    account_status: str = "active"
    page: int = 50
    date: str = DATE
    tells_token: bool = True
    refuses: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add_number(self, number: str, **changes: Any) -> dict[str, Any]:
        """A number as Twilio's "IncomingPhoneNumber resource" shows one, pointed nowhere."""
        sid = f"PN{len(self.numbers) + 1:032x}"
        values = {
            **_NUMBER,
            "account_sid": self.account,
            "sid": sid,
            "phone_number": number,
            "friendly_name": number,
            "uri": f"/2010-04-01/Accounts/{self.account}/IncomingPhoneNumbers/{sid}.json",
            **changes,
        }
        self.numbers.append(values)
        return values

    def add_domain(self, name: str, voice_url: str) -> None:
        """As "SIP Domains" shows one."""
        self.domains.append({"domain_name": name, "voice_url": voice_url, "sid": "SD" + "0" * 32, "auth_type": ""})

    def install(self, mock: responses.RequestsMock) -> None:
        """Answer everything below api.twilio.com from here."""
        for method in (responses.GET, responses.POST, responses.HEAD):
            mock.add_callback(method, re.compile(re.escape(BASE)), self.answer)

    def answer(self, request: requests.PreparedRequest) -> Answer:
        """One request."""
        parts = urlsplit(str(request.url))
        self.asked.append(f"{request.method} {parts.path}")
        if request.method == "HEAD":
            return 401, {"Date": self._date()}, ""
        path = parts.path.removeprefix(f"/2010-04-01/Accounts/{self.account}")
        if not self._opens(str(request.headers.get("Authorization", ""))):
            return self._told({"code": 20003, "message": "Authenticate", "more_info": "", "status": 401}, 401)
        for part, status in self.refuses.items():
            if part in path:
                return self._told({"code": status, "message": "no", "status": status}, status)
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        return self._route(str(request.method), path, body, parts.query)

    def _route(self, method: str, path: str, body: str, query: str) -> Answer:
        if path == ".json":
            token = {"auth_token": self.tokens[0]} if self.tells_token else {}
            return self._told({"sid": self.account, "status": self.account_status, "type": "Full", **token})
        if path == "/SIP/Domains.json":
            return self._told({"domains": self.domains, "next_page_uri": None, "page": 0})
        if path == "/IncomingPhoneNumbers.json":
            return self._page(int(parse_qs(query).get("Page", ["0"])[0]))
        found = next((each for each in self.numbers if each["uri"].endswith(path)), None)
        if found is None or method != "POST":
            return self._told({"code": 20404, "message": "not found", "status": 404}, 404)
        return self._told(_updated(found, dict(parse_qsl(body, keep_blank_values=True))))

    def _page(self, page: int) -> Answer:
        shown = self.numbers[page * self.page : (page + 1) * self.page]
        more = len(self.numbers) > (page + 1) * self.page
        address = f"/2010-04-01/Accounts/{self.account}/IncomingPhoneNumbers.json?PageSize={self.page}&Page={page + 1}"
        return self._told({"incoming_phone_numbers": shown, "page": page, "next_page_uri": address if more else None})

    def _opens(self, authorization: str) -> bool:
        known = (base64.b64encode(f"{self.account}:{token}".encode()).decode() for token in self.tokens)
        return any(authorization == f"Basic {each}" for each in known)

    def _told(self, body: Mapping[str, Any], status: int = 200) -> Answer:
        return status, {"Content-Type": "application/json", "Date": self._date()}, json.dumps(body)

    def _date(self) -> str:
        return self.date or email.utils.formatdate(time.time(), usegmt=True)


def _updated(number: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    """Naming a trunk deletes the application, and the other way round (IncomingPhoneNumber resource)."""
    for name, value in form.items():
        number[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()] = value
    if form.get("VoiceApplicationSid"):
        number["trunk_sid"] = None
    if form.get("TrunkSid"):
        number["voice_application_sid"] = ""
    return number


# Twilio's own example of an answer, without what has nothing to do with calls.
_NUMBER: dict[str, Any] = {
    "api_version": "2010-04-01",
    "beta": False,
    "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
    "date_created": "Thu, 30 Jul 2015 23:19:04 +0000",
    "date_updated": "Thu, 30 Jul 2015 23:19:04 +0000",
    "origin": "twilio",
    "sms_url": "",
    "status_callback": "",
    "status_callback_method": "POST",
    "trunk_sid": None,
    "voice_application_sid": "",
    "voice_caller_id_lookup": False,
    "voice_fallback_method": "POST",
    "voice_fallback_url": None,
    "voice_method": "POST",
    "voice_url": None,
    "voice_receive_mode": "voice",
    "status": "in-use",
    "type": "local",
}
