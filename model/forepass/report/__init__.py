"""The strategic report: words with numbers put in, figures, and the folder that holds them."""
