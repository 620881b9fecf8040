"""DECIDES. Pure functions of values: no clock, I/O, logging or randomness, standard library only.

Leaves out: where facts come from (`store`), who asks and how (`web`, `twilio`), ids and time (arguments).
"""
