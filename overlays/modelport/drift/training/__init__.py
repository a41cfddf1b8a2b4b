"""Training data of any form to a baseline, and a baseline to a file and back."""
