"""The page. The only code that imports gradio."""

import os

# Both are read when gradio is imported: the page calls nobody.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
