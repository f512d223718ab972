"""What the dialects' folders share when they read and write JSON: checked fields, tool ids, signatures, order."""
