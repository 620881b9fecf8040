"""`sticky-calls numbers`: Twilio's numbers, pointed here and put back."""
