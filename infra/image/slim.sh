#!/bin/sh
# Takes out of an environment what no program runs: `slim.sh FOLDER`. Symbols for debuggers, the libraries' own tests,
# and what one would compile against.
set -eu
cd "$1"
find . -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} +
find . -type d -name __pycache__ -prune -exec rm -rf {} +
find . -type f \( -name '*.a' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.pyi' \) -delete
# What auditwheel has moved (*.libs) was patched already; strip would break its layout.
find . -type f -not -path '*.libs/*' \( -name '*.so' -o -name '*.so.*' -o -name redis-server -o -name redis-cli -o -name valkey-server \) \
    -exec strip --strip-unneeded {} +
# githubkit's generated models and methods of the whole API: our adapter sends its requests by path and reads its own models.
rm -rf lib/python3*/site-packages/githubkit_schemas/v[0-9]* lib/python3*/site-packages/githubkit_schemas/latest
