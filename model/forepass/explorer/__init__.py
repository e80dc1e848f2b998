"""The explorer: draws, beliefs and levers in one page that works them out again in the browser."""
