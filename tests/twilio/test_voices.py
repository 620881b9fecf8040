"""Which voice speaks which language, as far as documented."""

from __future__ import annotations

import pytest

from adapter.twilio.voices import speaks


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("man", "en-US"),
        ("woman", "en-GB"),
        ("woman", "fr"),
        ("man", "it-IT"),
        ("alice", "pt-BR"),
        ("alice", "zh-HK"),
        ("Polly.Joanna", "en-US"),
        ("Polly.Joanna-Neural", "en-US"),
        ("Polly.Joanna-Generative", "en-US"),
        ("Polly.Vicki", "de-DE"),
        ("Polly.Vicki", "de-de"),
        ("Polly.Lea-Neural", "fr-FR"),
        ("Polly.Léa-Neural", "fr-FR"),
        ("Polly.Ine\u0302s", "pt-PT"),
        ("Polly.Geraint", "en-GB-WLS"),
        ("Polly.Zeina", "arb"),
        ("Polly.Aditi", "en-IN"),
        ("Polly.Aditi", "hi-IN"),
        ("Google.en-GB-Standard-A", "en-GB"),
        ("Google.es-US-Chirp3-HD-Aoede", "es-US"),
        ("Google.cmn-CN-Wavenet-A", "cmn-CN"),
    ],
)
def test_a_voice_speaks_its_languages(voice: str, language: str) -> None:
    assert speaks(voice, language) is True


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("man", "xx-XX"),
        ("alice", "tr-TR"),
        ("alice", "en"),
        ("Polly.Joanna", "en-GB"),
        ("Polly.Joanna", "de-DE"),
        ("Polly.Hans", "de-AT"),
        ("Polly.Zeina", "ar-AE"),
        ("Polly.Aditi", "en-US"),
        ("Polly.Geraint", "en-US"),
        ("Google.en-GB-Standard-A", "en-US"),
        ("Google.de-DE-Wavenet-B", "fr"),
        ("Polly.Vicki", "d"),
        ("Polly.Vicki", ""),
    ],
)
def test_a_voice_does_not_speak_other_languages(voice: str, language: str) -> None:
    assert speaks(voice, language) is False


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("woman", "sv-SE"),
        ("Polly.Nobody", "en-US"),
        ("Polly.Arthur", "en-GB"),  # there is only Arthur-Neural
        ("Polly.Joanna-Whispering", "en-US"),
        ("polly.joanna", "en-US"),
        ("Polly.", "en-US"),
        ("Polly.Vicki", "de"),
        ("Google.en-GB", "en-GB"),
        ("Google.", "en-GB"),
        ("ElevenLabs.Rachel", "en-US"),
        ("", "en-US"),
    ],
)
def test_what_is_not_in_the_tables_is_not_judged(voice: str, language: str) -> None:
    assert speaks(voice, language) is None
