"""What must run to be judged, templates and tokenizers, runs in a child that has given up what it could do harm with."""
