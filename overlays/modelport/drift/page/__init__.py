"""A report as a page that needs no network, and its drawings; the words are the terminal's too."""
