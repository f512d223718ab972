"""HTTP in: authentication, the dialects' routes, the pipeline, SSE out."""
