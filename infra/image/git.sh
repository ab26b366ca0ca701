#!/bin/sh
# Collects git without Perl in a folder: `git.sh FOLDER`. Debian's package depends on 47 MB of Perl for commands that
# the sandbox never runs; what it runs is the git binary, its HTTP transport, and the libraries of these two.
set -eu
target=$1
core=$(git --exec-path)

keep() {
    install -D "$1" "$target$(realpath "$(dirname "$1")")/$(basename "$1")"
}

keep "$(command -v git)"
keep "$core/git-remote-http"
ln -s git-remote-http "$target$core/git-remote-https"
for name in git git-upload-pack git-receive-pack git-upload-archive; do
    ln -s "$(command -v git)" "$target$core/$name"
done
mkdir -p "$target/usr/share/git-core"
cp -R /usr/share/git-core/templates "$target/usr/share/git-core/"
for library in $(ldd "$(command -v git)" "$core/git-remote-http" | awk '/=> \// {print $3}' | sort -u); do
    keep "$library"
done
