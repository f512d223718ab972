"""HTTP in: authentication, the two dialects' routes, the pipeline, SSE out."""
