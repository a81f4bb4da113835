"""Parts of pages, shared by sandbox and console: who may ask, files under a strict policy, and what an API is made of."""
