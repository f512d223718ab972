"""What all of OpenAI's endpoints share, and the small ones: embeddings, models."""
