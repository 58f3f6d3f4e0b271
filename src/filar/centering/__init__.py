"""Star centres by network: what they are given, how they are trained, and how they are judged."""
