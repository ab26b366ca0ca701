"""The web process stays small: it must answer webhooks whatever happens to the rest."""

import subprocess
import sys

HEAVY = ("githubkit", "langgraph", "langchain_core", "chromadb", "openai", "numpy", "onnxruntime", "grpc")
LIMIT_MB = 150

PROGRAM = f"""
import sys
import psutil
import bot.web_process
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print(",".join(loaded), psutil.Process().memory_info().rss // 1048576, sep=";")
"""


def test_the_web_process_imports_nothing_heavy():
    """Neither GitHub's client nor graph, memory or LLM; and its resident memory stays below 150 MB."""
    run = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    loaded, rss_mb = run.stdout.strip().split(";")
    sys.stdout.write(f"web process after its imports: {rss_mb} MB\n")
    assert loaded == ""
    assert int(rss_mb) < LIMIT_MB
