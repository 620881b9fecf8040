"""What is said in Spanish. Facts are None where they are unknown; `speech` is 1 where callers may speak."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_YES_OR_NO: Final = (
    "{% if speech %}Diga sí o no, o marque 1 para sí y 2 para no.{% else %}Marque 1 para sí y 2 para no.{% endif %}"
)
_OF_ATTEMPT: Final = (
    "{% if attempt == 2 %}segunda llamada sobre{% elif attempt == 3 %}tercera llamada sobre"
    "{% elif attempt == 4 %}cuarta llamada sobre{% elif attempt == 5 %}quinta llamada sobre"
    "{% elif attempt and attempt > 5 %}llamada número {{ attempt }} sobre{% else %}llama por{% endif %}"
)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Se pasa la llamada sin haber preguntado nada.
        "reuse": (
            "Hola de nuevo{% if name %}, {{ name }}{% endif %}."
            "{% if intent %} Su consulta sobre {{ intent }} sigue abierta.{% endif %} Un momento, por favor."
        ),
        "confirm": (
            "Hola y gracias por llamar. La persona que le atienda le pedirá que confirme su identidad."
            " Un momento, por favor."
        ),
        "ignore": "Hola, le damos la bienvenida. Gracias por llamarnos. Un momento, por favor.",
        "neutral": "Le damos la bienvenida. Un momento, por favor.",
        # Las primeras palabras antes de una pregunta.
        "welcome": "Hola y gracias por llamar.",
        "welcome_back": "Hola de nuevo{% if name %}, {{ name }}{% endif %}.",
        "resumed": "Hola otra vez. La llamada se cortó; seguimos donde lo dejamos.",
        # Preguntas.
        "ask_language": "Para español, marque {{ key }}.",
        "ask_who": (
            "¿Con quién hablo, por favor? {% if speech %}Diga su nombre y apellido."
            "{% else %}Espere en línea, por favor.{% endif %}"
        ),
        "ask_name": (
            "Antes de seguir, ¿me dice su nombre? {% if speech %}Diga su nombre y apellido."
            "{% else %}Espere en línea, por favor.{% endif %}"
        ),
        "ask_digits": (
            "Antes de seguir, {% if speech %}diga o {% endif %}marque"
            " las últimas {{ count }} cifras de su número de cliente, por favor."
        ),
        "ask_pin": (
            "Antes de seguir, {% if speech %}diga o {% endif %}marque su PIN"
            " y pulse después la tecla almohadilla, por favor."
        ),
        "ask_account": (
            "¿Cuál es su número de cliente? {% if speech %}Dígalo o márquelo{% else %}Márquelo{% endif %}, por favor"
            "{% if length %}. Tiene {{ length }} cifras{% else %}, y pulse después la tecla almohadilla{% endif %}."
        ),
        "offer": "¿Llama por su consulta sobre {{ intent }}? " + _YES_OR_NO,
        "menu": (
            "¿En qué podemos ayudarle? {% if speech %}Dígalo en pocas palabras o pulse una tecla."
            "{% else %}Pulse una tecla, por favor.{% endif %}"
        ),
        "menu_option": (
            "{% if key %}Para {{ intent }}, marque {{ key }}.{% else %}También puede decir: {{ intent }}.{% endif %}"
        ),
        "ask_forget": "¿Quiere que borremos todo lo que tenemos guardado sobre usted? No se podrá recuperar. "
        + _YES_OR_NO,
        # Entre las preguntas.
        "again": "Perdone, no le he entendido.",
        "verified": "Muchas gracias{% if name %}, {{ name }}{% endif %}.",
        "not_verified": "Muchas gracias. Le ayudaremos igualmente con mucho gusto.",
        # Después.
        "connecting": "Un momento, por favor. Le pasamos con alguien.",
        "unreached": (
            "Lo sentimos, ahora mismo nadie puede atenderle. Vuelva a llamar un poco más tarde, por favor. Hasta luego."
        ),
        "voicemail": (
            "Ahora mismo nadie puede atenderle. Deje su mensaje después de la señal y, al terminar, cuelgue."
        ),
        "recorded": "Gracias, hemos recibido su mensaje y nos pondremos en contacto con usted. Hasta luego.",
        "callback": "Lo sentimos, ahora mismo nadie puede atenderle. Le devolveremos la llamada. Hasta luego.",
        "goodbye": "Gracias por llamar. Hasta luego.",
        "forgotten": "Hemos borrado todo lo que teníamos guardado sobre usted. Hasta luego.",
        # Para quien contesta.
        "whisper": (
            "{% if recommendation == 'ignore' %}Llamada nueva{% elif verified %}Identidad confirmada"
            "{% elif recommendation == 'confirm' %}Identidad sin confirmar{% else %}Ya nos ha llamado antes{% endif %}"
            "{% if name %}, {{ name }}{% endif %}{% if intent %}, " + _OF_ATTEMPT + " {{ intent }}{% endif %}."
        ),
        "whisper_accept": "Pulse 1 para aceptar la llamada.",
    }
)
