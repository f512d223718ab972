"""`run.py <folder>`: runs the checks of every file in a folder beside it; started by the suite for each client."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import checklist

folder = Path(__file__).parent / sys.argv[1]
sys.path.insert(0, str(folder))
for file in sorted(folder.glob("checks_*.py")):
    importlib.import_module(file.stem)
checklist.run()
