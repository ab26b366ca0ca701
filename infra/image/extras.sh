#!/bin/sh
# Installs extras of pyproject.toml beside what the lock file holds: `extras.sh embeddings,…`, in the folder of both.
# The lock's versions hold; what the image leaves out comes back where an extra needs it, so the image grows.
set -eu
sed -nE 's/^([A-Za-z0-9._-]+)(\[[^]]*\])?(==[^\\]*[^\\ ]) *\\?$/\1\3/p' requirements.lock > constraints.txt
python -m pip --python /opt/sre-space/bin/python install --no-compile -c constraints.txt ".[$1]"
